"""The application factory."""

from __future__ import annotations

from typing import cast

from flask import Flask
from flask_openapi3 import APIBlueprint, OpenAPI

from indexer.pictures import PictureLimits
from web.access import rate_limits
from web.access import scopes as access
from web.access.signing_in import signing_in
from web.admin.pages import admin, uploads_of
from web.answers import (
    compression,
    headers,
    origins,
    problems,
    proxies,
    request_ids,
    revalidation,
    timing,
)
from web.api import openapi, uploads
from web.api.explain import explaining
from web.api.health import health
from web.api.search import api
from web.api.write import writing
from web.engine import EngineHolder, SearchEngine
from web.fetching import fetching
from web.learning import Learner
from web.monitoring import access_log, metrics
from web.pages import bundles, languages, wording, words
from web.pages.examples import likes
from web.pages.map import MapHolder
from web.pages.map import pages as map_pages
from web.pages.photo import photos
from web.pages.pictures import pictures
from web.pages.search import pages
from web.pages.sharing import Shares
from web.pages.strip import strip
from web.pages.why import why
from web.serving import overload
from web.settings import Settings


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
    app.extensions["lookalike.shares"] = Shares(settings.index, settings.share_hours)
    app.extensions["lookalike.uploads"] = uploads_of(settings)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    problems.register(app)
    metrics.register(app, numbers)
    # What comes first here is the last to see an answer.
    compression.register(app)
    access_log.register(app, settings)
    request_ids.register(app)
    overload.register(app)
    timing.register(app)
    headers.register(app)
    revalidation.register(app)
    origins.register(app, settings)
    uploads.register(app, settings)
    fetching.register(app, settings)
    rate_limits.register(app, settings)
    access.register(app, settings)
    bundles.register(app)
    languages.register(app)
    wording.register(app)
    words.register(app)
    for blueprint in (api, explaining, writing, health):
        _share_paths(documented, blueprint)
        documented.register_api(blueprint)
    app.register_blueprint(openapi.pages, url_prefix="/api/v1")
    app.register_blueprint(metrics.pages)
    app.register_blueprint(pages)
    app.register_blueprint(photos)
    app.register_blueprint(likes)
    app.register_blueprint(strip)
    app.register_blueprint(pictures)
    app.register_blueprint(why)
    app.register_blueprint(map_pages)
    app.register_blueprint(admin)
    app.register_blueprint(signing_in)
    proxies.register(app, settings)
    return app


def _share_paths(documented: OpenAPI, blueprint: APIBlueprint) -> None:
    """Let a blueprint's document of a path have what another one serves under the same path.

    Registering it would put its own in the place of the other's.
    """
    for path, item in blueprint.paths.items():
        for method, operation in documented.paths.get(path, ()):
            if operation is not None and getattr(item, method) is None:
                setattr(item, method, operation)
