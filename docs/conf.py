"""The documentation site: `make docs` builds it into build/docs.

Sphinx is kept, for the long term: it is released by people who keep it, has been since 2008, reads
these pages as they are (MyST), takes the Python reference out of the docstrings, and what it writes
is plain files. MkDocs' own Material theme is in maintenance only.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from reference import PAGES  # noqa: E402 - beside this file

project = "Lookalike"
author = "Lookalike's authors"
copyright = "Lookalike's authors. MIT licence"
release = version = metadata.version("lookalike")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
# Fields of several classes have one name, and none of them is meant as a link.
suppress_warnings = ["ref.python"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": False}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = "Lookalike"
html_logo = "../web/static/logo.svg"
html_favicon = "../web/static/logo.svg"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0f6b5c", "color-brand-content": "#0b5a4d"},
    "dark_css_variables": {"color-brand-primary": "#5cc9b3", "color-brand-content": "#7fd8c6"},
}
pygments_style = "friendly"
pygments_dark_style = "monokai"


def _written(app: object, name: str, source: list[str]) -> None:
    """Put what is made of the code itself where a page asks for it."""
    for place, made in PAGES.items():
        if place in source[0]:
            source[0] = source[0].replace(place, made())


def setup(app: object) -> dict[str, bool]:
    """Let Sphinx know."""
    app.connect("source-read", _written)  # type: ignore[attr-defined]
    return {"parallel_read_safe": True}
