"""Styles and scripts, joined and made smaller: they must mean what their files say."""

from __future__ import annotations

import gzip
from pathlib import PurePath

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from web.answers.headers import FOREVER
from web.pages.bundles import BUNDLES, STATIC, bundle
from web.pages.urls import static_version

ALONE = {
    "docs.css": "of the documentation's page, which has the Swagger UI and nothing of ours",
    "docs.js": "likewise",
    "no_script.css": "asked for only where scripts do not run",
    "strip.css": "of the strip in the pages of other sites",
    "strip_frame.js": "likewise",
    "strip.js": "of other sites' pages, which name it as it is",
}

RULES = """text => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    // What has var() in it is kept as it was written: blanks around commas and slashes say nothing.
    const value = (text) => text.replace(/\\s*([,/])\\s*/g, "$1").replace(/\\s+/g, " ");
    const told = (rule) => [
        rule.selectorText ?? rule.conditionText ?? rule.keyText ?? rule.name,
        [...(rule.style ?? [])].map((name) => [
            name, value(rule.style.getPropertyValue(name)), rule.style.getPropertyPriority(name),
        ]),
        [...(rule.cssRules ?? [])].map(told),
    ];
    return [...sheet.cssRules].map(told);
}"""
"""Tells what a browser understands of styles."""


def test_every_file_is_served_in_one_way() -> None:
    joined = [name for names in BUNDLES.values() for name in names]
    assert len(joined) == len(set(joined))
    files = {path.name for path in STATIC.iterdir() if path.suffix in (".css", ".js")}
    assert files == set(joined) | set(ALONE)
    for name, names in BUNDLES.items():
        assert {PurePath(one).suffix for one in names} == {PurePath(name).suffix}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_is_smaller_and_kept(client: FlaskClient, name: str) -> None:
    url = f"/static/{name}"
    answer = client.get(f"{url}?v={static_version(name)}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == FOREVER
    assert answer.mimetype == ("text/css" if name.endswith("css") else "text/javascript")
    assert gzip.decompress(answer.data).decode() == bundle(name)
    whole = sum((STATIC / one).stat().st_size for one in BUNDLES[name])
    assert len(bundle(name).encode()) < 0.95 * whole
    tag = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"}
    assert client.get(url, headers=tag).status_code == 304
    assert "immutable" not in client.get(url).headers["Cache-Control"]
    assert client.head(url).status_code == 200


def test_what_is_no_bundle(client: FlaskClient) -> None:
    for name in ("joined/none.js", "joined/", "joined"):
        assert client.get(f"/static/{name}").status_code == 404


def test_pages_ask_for_bundles_only(client: FlaskClient) -> None:
    page = client.get("/").text
    assert page.count("<script src=") == 1
    assert page.count('<link rel="stylesheet"') == 2  # one of them where scripts do not run
    for name in ("joined/pages.css", "joined/pages.js", "no_script.css"):
        assert f'/static/{name}?v={static_version(name)}"' in page


@pytest.mark.browser
def test_smaller_styles_mean_the_same(browser: Browser) -> None:
    page = browser.new_page()
    for name, files in BUNDLES.items():
        if name.endswith(".css"):
            text = "\n".join((STATIC / file).read_text(encoding="utf-8") for file in files)
            rules = page.evaluate(RULES, text)
            assert len(rules) > 20
            assert page.evaluate(RULES, bundle(name)) == rules
    page.close()
