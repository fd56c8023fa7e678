"""The OpenAPI document: that it is one, and that it is complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").json
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_every_route_is_in_it(app: Flask, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<([^<:]+:)?", "{", rule.rule).replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/api/", "/health", "/ready"))
        and not rule.endpoint.startswith("docs.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(document)}


def test_it_is_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert document["components"]["securitySchemes"] == {}
    schemas = document["components"]["schemas"]
    for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        assert name.removeprefix("#/components/schemas/") in schemas
    for path, _, operation in operations(document):
        named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert named == set(re.findall(r"{(.+?)}", path))
        assert operation["summary"]


def test_every_error_has_the_one_shape(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            schema = response["content"]["application/json"]["schema"]
            if int(status) >= 400:
                assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
        assert {"200", "422", "500"} <= set(operation["responses"])


def test_the_search_takes_a_form_and_json(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/search"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json"}
    schemas = document["components"]["schemas"]
    assert schemas["SearchForm"]["properties"]["image"]["format"] == "binary"
    assert schemas["SearchForm"]["properties"]["region"]["type"] == ["string", "null"]
    assert schemas["SearchJson"]["additionalProperties"] is False


def test_its_page_is_served_from_here(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    for url in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert url.startswith("/")
        assert client.get(url).status_code == 200
    assert client.get("/api/v1/docs/assets/../../secret").status_code == 404
