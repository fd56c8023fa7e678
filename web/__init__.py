"""The page and the JSON API in front of `search`, served by Flask."""
