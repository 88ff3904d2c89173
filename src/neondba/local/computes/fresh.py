"""What a compute forgets while it sleeps, as on Neon: unlogged rows and statistics."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

STATISTICS: Final = ("pg_stat/pgstat.stat", "pg_stat/pg_stat_statements.stat")
_INIT: Final = re.compile(r"(\d+)_init")
_FORK: Final = re.compile(r"(\d+)(?:_(?:fsm|vm))?(?:\.\d+)?")


def forget(data: Path, owner: tuple[int, int] | None) -> None:
    """Empty unlogged tables and drop statistics; no server may run over the directory.

    It does what PostgreSQL itself does after a crash, so it may be repeated or cut short.
    """
    for name in STATISTICS:
        (data / name).unlink(missing_ok=True)
    for database in (data / "base").iterdir():
        if database.is_dir():
            _empty(database, owner)


def _empty(database: Path, owner: tuple[int, int] | None) -> None:
    names = [entry.name for entry in database.iterdir()]
    unlogged = {found[1] for name in names if (found := _INIT.fullmatch(name))}
    if not unlogged:
        return
    for name in names:
        if (found := _FORK.fullmatch(name)) and found[1] in unlogged:
            (database / name).unlink(missing_ok=True)
    for number in unlogged:
        shutil.copyfile(database / f"{number}_init", database / number)
        (database / number).chmod(0o600)
        if owner is not None:
            os.chown(database / number, *owner)
