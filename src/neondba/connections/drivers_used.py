"""Which drivers the programs of a folder read their connection strings with."""

from __future__ import annotations

from pathlib import Path

from neondba.connections.drivers import DRIVERS
from neondba.connections.setup_urls import client_of
from neondba.neon.connection_string import ConnectionString
from neondba.project.facts import Facts
from neondba.project.stack import App, Stack
from neondba.project.stack_variables import Use, Variable
from neondba.project.tree import FolderTree

_KNOWN = tuple(driver.name for driver in DRIVERS)


def drivers_used(folder: Path, url: ConnectionString) -> tuple[str, ...]:
    """Name the drivers that a string's own scheme and the programs of a folder tell of."""
    found = {name for app in Facts(FolderTree(folder)).get(Stack).using for name in _of(app)}
    found.add(f"sqlalchemy+{url.scheme.partition('+')[2]}")
    return tuple(name for name in _KNOWN if name in found)


def _of(app: App) -> set[str]:
    if not app.speaks_to_a_database:
        return set()
    read = app.using(Use.POOLED, Use.DIRECT) or [Variable("DATABASE_URL", Use.POOLED, "", 0)]
    return {client_of(app, variable) for variable in read}
