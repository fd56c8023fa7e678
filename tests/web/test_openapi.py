"""The OpenAPI document: that it is one, and that it is complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from indexer.errors import StorageError
from tests.web.conftest import FakeEngine
from tests.web.keyed import bearer, key_for
from tests.web.living import app_on
from web.api.openapi_errors import ERRORS
from web.app import create_app
from web.settings import Settings


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
        if rule.rule.startswith(("/api/", "/health", "/ready", "/metrics"))
        and rule.endpoint != "docs.asset"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(document)}


def test_it_is_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations(document):
        named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert named == set(re.findall(r"{(.+?)}", path))
        assert operation["summary"]


def test_everything_is_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, said in schema.get("properties", {}).items():
            assert said.get("description"), (name, field)
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, parameter)
        for response in operation["responses"].values():
            assert response["description"]


def test_every_request_and_answer_has_examples_that_fit(document: dict[str, Any]) -> None:
    seen = 0
    for path, _, operation in operations(document):
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [one["content"] for one in operation["responses"].values()]
        for content in contents:
            for kind, media in content.items():
                if path.startswith("/api/v1/openapi") or kind in ("text/plain", "text/html"):
                    continue
                assert media.get("examples"), (path, kind)
                for example in media["examples"].values():
                    fits(document, media["schema"], kind, example["value"])
                    seen += 1
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                fits(document, parameter["schema"], "application/json", parameter["example"])
    assert seen > 50


def fits(document: dict[str, Any], schema: dict[str, Any], kind: str, value: Any) -> None:
    lines = value.splitlines() if kind == "application/x-ndjson" else [json.dumps(value)]
    for line in lines:
        Draft202012Validator({**schema, "components": document["components"]}).validate(
            json.loads(line)
        )


def test_every_error_has_the_one_shape(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
        assert {"200", "500"} <= set(operation["responses"])
        open_to_all = path in ("/health", "/ready", "/api/v1/openapi.json", "/api/v1/docs")
        assert open_to_all or {"401", "403", "429"} <= set(operation["responses"])
        assert operation["security"] == ([] if open_to_all else [{}, {"key": []}])


def test_the_examples_of_errors_are_what_is_told(
    client: FlaskClient, settings: Settings, engine: FakeEngine
) -> None:
    search = "/api/v1/search"
    told = [
        client.post(search, data="{", content_type="application/json"),
        client.post(search, data="a", content_type="text/plain"),
        client.post(search, json={"listing_id": "p1", "k": 1001}),
    ]
    closed = create_app(replace(settings, reads="keys"), engine=engine).test_client()
    reading = bearer(key_for(settings, "read"))
    told.append(closed.get("/api/v1/listings/p1"))
    told.append(closed.delete("/api/v1/listings/p1", headers=reading))
    large = create_app(replace(settings, max_upload_bytes=2**24), engine=engine).test_client()
    # By hand: the test client would lay a file so large on the disk.
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    body = part + bytes(2**24 + 1) + b"\r\n--b--\r\n"
    told.append(large.post(search, data=body, content_type="multipart/form-data; boundary=b"))
    hurried = create_app(replace(settings, rate_search="1 per minute"), engine=engine).test_client()
    hurried.post(search, json={"listing_id": "p1"})
    told.append(hurried.post(search, json={"listing_id": "p1"}))
    told.append(
        create_app(replace(settings, index=settings.index / "none"))
        .test_client()
        .get("/api/v1/status")
    )
    engine.failure = StorageError("No space.")
    told.append(client.post(search, json={"listing_id": "p1"}))
    engine.failure = RuntimeError()
    told.append(client.post(search, json={"listing_id": "p1"}))
    for answer in told:
        error = answer.json["error"]
        example = ERRORS[answer.status_code][1:]
        said = tuple(re.sub("[0-9a-f]{32}|(?<=in )[0-9]+", "N", error[name]) for name in error)
        assert said == tuple(re.sub("[0-9a-f]{32}|(?<=in )[0-9]+", "N", text) for text in example)
    assert {answer.status_code for answer in told} == set(ERRORS) - {404, 409, 410}


def test_the_example_of_a_missing_listing_is_what_is_told(indexed: Path) -> None:
    app, _ = app_on(indexed)
    error = app.test_client().get("/api/v1/listings/SHOE-9").json["error"]
    app.extensions["lookalike.engine"].close()
    assert (error["code"], error["message"], error["hint"]) == ERRORS[404][1:]


def test_what_waits_says_how_long(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status in {"429", "503"} & set(operation["responses"]):
            assert "Retry-After" in operation["responses"][status]["headers"]


def test_the_headers_that_it_names_are_sent(client: FlaskClient, document: dict[str, Any]) -> None:
    asked = {
        "/health": "/health",
        "/api/v1/status": "/api/v1/status",
        "/api/v1/openapi.json": "/api/v1/openapi.json",
        "/api/v1/listings/{listing_id}": "/api/v1/listings/p1",
        "/api/v1/listings/{listing_id}/similar": "/api/v1/listings/p1/similar",
    }
    for path, address in asked.items():
        named = set(document["paths"][path]["get"]["responses"]["200"]["headers"])
        assert "X-Request-ID" in named
        assert named <= set(client.get(address).headers.keys())
    for name in document["components"]["headers"]:
        assert f'"#/components/headers/{name}"' in json.dumps(document)


def test_the_design_s_table_is_served(document: dict[str, Any]) -> None:
    """The paths of DESIGN.md's table, and what a search takes."""
    served = {(path, method) for path, method, _ in operations(document)}
    listing = "/api/v1/listings/{listing_id}"
    assert served >= {
        ("/api/v1/search", "post"),
        (f"{listing}/similar", "get"),
        *((listing, method) for method in ("get", "put", "patch", "delete")),
        ("/api/v1/listings:batch", "post"),
        *((f"/api/v1/{name}", "get") for name in ("status", "openapi.json", "docs")),
        *((f"/{name}", "get") for name in ("health", "ready", "metrics")),
    }
    search = document["components"]["schemas"]["SearchJson"]["properties"]
    assert set(search) >= {
        *("image_url", "image_base64", "listing_id", "positives", "negatives"),
        *("region", "filter", "k", "cursor", "min_score", "explain"),
    }


def test_forms_and_query_strings_know_no_null(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("SearchForm", "ListingForm", "ExplainForm"):
        assert "null" not in json.dumps(schemas[name])
    for _, _, operation in operations(document):
        assert "null" not in json.dumps(operation.get("parameters", []))


def test_it_knows_its_prefix(client: FlaskClient) -> None:
    at_root = client.get("/api/v1/openapi.json").json
    below = client.get("/api/v1/openapi.json", environ_overrides={"SCRIPT_NAME": "/shop"}).json
    assert at_root is not None
    assert below is not None
    assert at_root["servers"][0]["url"] == "/"
    assert below["servers"][0]["url"] == "/shop"


def test_the_search_takes_a_form_and_json(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/search"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json"}
    schemas = document["components"]["schemas"]
    assert schemas["SearchForm"]["properties"]["image"]["format"] == "binary"
    assert schemas["SearchForm"]["properties"]["region"]["type"] == "string"
    assert schemas["SearchJson"]["additionalProperties"] is False


def test_its_page_is_served_from_here(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").text
    for url in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert url.startswith("/")
        assert client.get(url).status_code == 200
    assert client.get("/api/v1/docs/assets/../../secret").status_code == 404


def test_a_whole_number_may_be_written_as_json_may(client: FlaskClient) -> None:
    asked = {"listing_id": "p3", "k": 2.0}
    assert len(client.post("/api/v1/search", json=asked).json["hits"]) == 2
    assert client.post("/api/v1/search", json={**asked, "k": 2.5}).status_code == 422
    schema = client.get("/api/v1/openapi.json").json["components"]["schemas"]["SearchJson"]
    assert (schema["properties"]["k"]["minimum"], schema["properties"]["k"]["maximum"]) == (1, 1000)
