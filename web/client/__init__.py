"""A client of the JSON API."""

from web.client.client import ApiError, Client, Unreachable

__all__ = ["ApiError", "Client", "Unreachable"]
