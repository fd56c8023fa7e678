"""The commands of the indexer, one file each; `lookalike.py` loads them by name."""
