"""Folders of this user that outlive an index."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Return the folder for fetched weights and converted networks (env ``LOOKALIKE_CACHE``)."""
    named = os.environ.get("LOOKALIKE_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("lookalike"))


def keras_models_folder() -> Path:
    """Return the folder in which Keras keeps the weights that it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
