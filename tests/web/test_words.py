"""Settings, URLs, headers and wording."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from indexer.errors import UsageError
from web.answers.headers import FOREVER
from web.api.privacy import without_paths
from web.pages.urls import is_public, static_version
from web.pages.wording import attribute, closeness, label, mebibytes, price
from web.settings import Settings, described


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_env({"LOOKALIKE_INDEX": "/i", "LOOKALIKE_MAX_UPLOAD_BYTES": "9"})
    assert (settings.index, settings.max_upload_bytes) == (Path("/i"), 9)
    assert Settings.from_env({"LOOKALIKE_INDEX": "/i"}, index=Path("j")).index == Path("j")
    assert Settings.from_env({}) == Settings()


@pytest.mark.parametrize("value", ["x", "0", "-1", "1.5"])
def test_settings_that_are_wrong(value: str) -> None:
    with pytest.raises(UsageError, match=r"SAMPLES|samples"):
        Settings.from_env({"LOOKALIKE_SAMPLES": value})
    with pytest.raises(UsageError):
        Settings.from_env({"LOOKALIKE_PAGE_HITS": "1001"})


def test_every_setting_says_what_it_is_for() -> None:
    for name, default, help_ in described():
        assert name.startswith("LOOKALIKE_")
        assert default
        assert help_.endswith(".")


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (1299, "EUR", "€1,299.00"),
        (0.5, "usd", "$0.50"),
        (1500, "JPY", "¥1,500"),
        (49.5, "SEK", "49.50 SEK"),
        (3, "", "3.00"),
    ],
)
def test_prices(amount: float, currency: str, written: str) -> None:
    assert price(amount, currency) == written


def test_other_words() -> None:
    assert [closeness(s) for s in (1, 0.8, 0.6, 0.4, 0.1, 0)] == [
        "Very close",
        "Very close",
        "Close",
        "Related",
        "Distant",
        "Distant",
    ]
    assert [attribute(value) for value in (True, 3, 2.5, ["a", "b"], "x")] == [
        "Yes",
        "3",
        "2.5",
        "a, b",
        "x",
    ]
    assert label("sleeve_length") == "Sleeve length"
    assert label("") == ""
    assert mebibytes(16 * 2**20) == "16 MB"


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://shop.example/a", True),
        ("http://shop.example", True),
        ("https://user:word@shop.example/a", False),
        ("javascript:alert(1)", False),
        ("s3://bucket/a.jpg", False),
        ("/srv/a.jpg", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_public_urls(url: str, public: bool) -> None:
    assert is_public(url) is public


def test_paths_are_left_out() -> None:
    told = {"a": "/srv/x/w.h5", "b": ["C:\\x\\w.h5", "plain/text", 3, None], "c": {"d": "mixed7"}}
    left = {"a": "w.h5", "b": ["w.h5", "plain/text", 3, None], "c": {"d": "mixed7"}}
    assert without_paths(told) == left


def test_static_files_are_kept_under_their_version(client: FlaskClient) -> None:
    version = static_version("app.css")
    kept = client.get(f"/static/app.css?v={version}").headers["Cache-Control"]
    assert kept == FOREVER
    for url in ("/static/app.css", "/static/app.css?v=old", "/static/none.css?v=1"):
        assert "immutable" not in client.get(url).headers.get("Cache-Control", "")


def test_the_application_imports_nothing_heavy() -> None:
    program = (
        "import sys; from web.app import create_app; create_app();"
        "print([name for name in ('tensorflow', 'faiss', 'sklearn') if name in sys.modules]);"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == "[]"


def test_the_command_is_light() -> None:
    program = "import sys, web.commands; print('flask' in sys.modules, 'pydantic' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == ["False", "False"]
