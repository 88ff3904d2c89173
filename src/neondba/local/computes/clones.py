"""What a cloned directory must lose before its own compute runs: slots and subscriptions.

A directory carries the name it last ran under. A clone carries its source's, and so tells itself.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from neondba.local.computes.process import Compute
from neondba.postgres.admin import SQL, Identifier

MARK: Final = "neondba.name"
SUBSCRIPTIONS: Final = "global/6100"
"""The catalog of subscriptions: empty until there was a first one."""
QUIET: Final = {"max_logical_replication_workers": "0"}
"""A subscription of the source's must not run here, not even once."""


def is_clone(data: Path, name: str) -> bool:
    """Tell whether the directory last ran under another name."""
    try:
        return (data / MARK).read_text() != name
    except FileNotFoundError:
        return False


def is_standby(data: Path) -> bool:
    """Tell whether the directory follows another."""
    return (data / "standby.signal").exists()


def may_subscribe(data: Path) -> bool:
    """Tell whether there may be subscriptions in it."""
    try:
        return (data / SUBSCRIPTIONS).stat().st_size > 0
    except FileNotFoundError:
        return True


def drop_slots(data: Path) -> None:
    """Remove the source's replication slots; no server may run over the directory."""
    for slot in (data / "pg_replslot").iterdir():
        shutil.rmtree(slot)


def drop_subscriptions(compute: Compute) -> None:
    """Drop the source's subscriptions and leave their slots at the publisher alone."""
    with compute.admin() as connection:
        found = connection.execute(
            "select datname, subname from pg_subscription join pg_database base on base.oid = subdbid"
        ).fetchall()
    for database, name in found:
        with compute.admin(database) as inside:
            subscription = Identifier(name)
            inside.execute(SQL("alter subscription {} disable").format(subscription))
            inside.execute(SQL("alter subscription {} set (slot_name = none)").format(subscription))
            inside.execute(SQL("drop subscription {}").format(subscription))


def mark(data: Path, name: str, owner: tuple[int, int] | None) -> None:
    """Write down the name that the directory runs under; whole or not at all."""
    part = data / (MARK + ".part")
    part.write_text(name)
    part.chmod(0o600)
    if owner is not None:
        os.chown(part, *owner)
    part.rename(data / MARK)
