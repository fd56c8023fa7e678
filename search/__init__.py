"""Vectors to listings: the half of Lookalike that reads an index and answers."""
