"""The application factory."""

from __future__ import annotations

from typing import cast

from flask import Flask
from flask_openapi3 import APIBlueprint, OpenAPI

from indexer.pictures import PictureLimits
from web import errors, headers, languages, metrics, openapi, uploads, wording, words
from web.api import api
from web.api_explain import explaining
from web.api_write import writing
from web.engine import EngineHolder, SearchEngine
from web.health import health
from web.learning import Learner
from web.map import MapHolder
from web.map import pages as map_pages
from web.pages import pages
from web.pictures import pictures
from web.settings import Settings
from web.why import why


def create_app(
    settings: Settings | None = None,
    *,
    engine: SearchEngine | None = None,
    threads: int | None = None,
) -> Flask:
    """Return the application: the page, the JSON API and its documentation.

    Parameters
    ----------
    settings : Settings, optional
        Read from the environment where not given.
    engine : SearchEngine, optional
        An engine that is open already; where not given, that of `settings.index` is opened when
        it is first needed, and looked for again while there is none.
    threads : int, optional
        Threads of the network; as many as there are cores where not given.
    """
    settings = settings if settings is not None else Settings.from_env()
    documented = openapi.new_app(__name__)
    app = cast(Flask, documented)
    app.extensions["lookalike.settings"] = settings
    limits = PictureLimits(max_pixels=settings.max_pixels)
    numbers = metrics.Metrics()
    app.extensions["lookalike.engine"] = EngineHolder(
        settings.index,
        limits=limits,
        runtime=settings.runtime,
        threads=threads,
        engine=engine,
        on_page=numbers.answered,
    )
    app.extensions["lookalike.learner"] = (
        Learner(settings.index) if settings.learn_from_queries else None
    )
    app.extensions["lookalike.map"] = MapHolder()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    errors.register(app)
    metrics.register(app, numbers)
    headers.register(app)
    uploads.register(app, settings)
    languages.register(app)
    wording.register(app)
    words.register(app)
    for blueprint in (api, explaining, writing, health):
        _share_paths(documented, blueprint)
        documented.register_api(blueprint)
    app.register_blueprint(openapi.pages, url_prefix="/api/v1")
    app.register_blueprint(metrics.pages)
    app.register_blueprint(pages)
    app.register_blueprint(pictures)
    app.register_blueprint(why)
    app.register_blueprint(map_pages)
    return app


def _share_paths(documented: OpenAPI, blueprint: APIBlueprint) -> None:
    """Let a blueprint's document of a path have what another one serves under the same path.

    Registering it would put its own in the place of the other's.
    """
    for path, item in blueprint.paths.items():
        for method, operation in documented.paths.get(path, ()):
            if operation is not None and getattr(item, method) is None:
                setattr(item, method, operation)
