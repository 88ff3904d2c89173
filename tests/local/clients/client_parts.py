"""Where official clients lie, and their connection strings."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

CLIENTS = Path(__file__).parents[2] / "clients"


def changed(url, *, without=(), **parameters):
    """Give a connection string with other parameters."""
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name not in without} | parameters
    return urlunsplit(parts._replace(query=urlencode(query)))
