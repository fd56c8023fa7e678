"""The demo: a catalogue of products drawn here, with customer photos to search it by."""

from __future__ import annotations

from indexer.demo.catalogue import DemoCatalogue, draw_demo

__all__ = ["DemoCatalogue", "draw_demo"]
