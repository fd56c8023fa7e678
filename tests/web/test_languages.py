"""The languages of the pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from web.pages.languages import COOKIE, LANGUAGES


def language(text: str) -> str:
    return text.split('<html lang="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("", "en"), ("ja", "ja"), ("ja-JP,ja;q=0.9,en;q=0.5", "ja"), ("de", "en"), ("*", "en")],
)
def test_the_browser_says_the_language(client: FlaskClient, accepted: str, expected: str) -> None:
    page = client.get("/", headers={"Accept-Language": accepted})
    assert language(page.text) == expected
    assert {"Accept-Language", "Cookie"} <= set(page.vary)


def test_what_was_chosen_is_remembered(client: FlaskClient) -> None:
    assert language(client.get("/?lang=ja").text) == "ja"
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert language(client.get("/").text) == "ja"
    assert language(client.get("/?lang=en").text) == "en"
    assert language(client.get("/").text) == "en"


def test_an_unknown_language_is_not_remembered(client: FlaskClient) -> None:
    assert language(client.get("/?lang=xx").text) == "en"
    assert client.get_cookie(COOKIE) is None


def test_every_page_leads_to_itself_in_each_language(client: FlaskClient) -> None:
    page = client.get("/listings/p1?filter=category:shoes").text
    for code, name in LANGUAGES.items():
        assert f"filter=category:shoes&amp;lang={code}" in page
        assert name in page


def test_the_api_speaks_english(client: FlaskClient) -> None:
    answer = client.get("/api/v1/listings/none", headers={"Accept-Language": "ja"})
    assert answer.json is not None
    assert answer.json["error"]["message"].isascii()
