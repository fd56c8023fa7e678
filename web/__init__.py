"""The page and the JSON API in front of `search`, served by Flask.

`app` puts it together: what `pages`, `api` and `admin` answer, who may ask (`access`), what every
answer carries (`answers`), pictures by URL (`fetching`); `serving` runs it, `monitoring` watches it
and `client` asks it.
"""
