"""Pictures to vectors to an index on disk: the half of Lookalike that writes."""
