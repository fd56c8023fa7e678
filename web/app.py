"""The application factory."""

from __future__ import annotations

from typing import cast

from flask import Flask

from indexer.pictures import PictureLimits
from web import errors, headers, openapi, uploads, wording
from web.api import api
from web.api_explain import explaining
from web.engine import EngineHolder, SearchEngine
from web.health import health
from web.learning import Learner
from web.map import MapHolder
from web.map import pages as map_pages
from web.pages import pages
from web.pictures import pictures
from web.settings import Settings
from web.why import why


def create_app(settings: Settings | None = None, *, engine: SearchEngine | None = None) -> Flask:
    """Return the application: the page, the JSON API and its documentation.

    Parameters
    ----------
    settings : Settings, optional
        Read from the environment where not given.
    engine : SearchEngine, optional
        An engine that is open already; where not given, that of `settings.index` is opened when
        it is first needed, and looked for again while there is none.
    """
    settings = settings if settings is not None else Settings.from_env()
    documented = openapi.new_app(__name__)
    app = cast(Flask, documented)
    app.extensions["lookalike.settings"] = settings
    limits = PictureLimits(max_pixels=settings.max_pixels)
    app.extensions["lookalike.engine"] = EngineHolder(
        settings.index, limits=limits, runtime=settings.runtime, engine=engine
    )
    app.extensions["lookalike.learner"] = (
        Learner(settings.index) if settings.learn_from_queries else None
    )
    app.extensions["lookalike.map"] = MapHolder()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    errors.register(app)
    headers.register(app)
    uploads.register(app, settings)
    wording.register(app)
    documented.register_api(api)
    documented.register_api(explaining)
    documented.register_api(health)
    app.register_blueprint(openapi.pages, url_prefix="/api/v1")
    app.register_blueprint(pages)
    app.register_blueprint(pictures)
    app.register_blueprint(why)
    app.register_blueprint(map_pages)
    return app
