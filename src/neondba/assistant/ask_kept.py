"""The index of the passages on disk: building it takes most of a first answer's time.

It holds nothing of the user's, only what we ship, and reading it runs nothing. What is damaged, of another
version or not ours counts as not there; where nothing can be kept, each process builds its own.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from neondba.core import own_cache
from neondba.core.version import VERSION

KEPT: Final = 3
"""Versions whose index is kept; the oldest make room."""
READ: Final = (".py", ".md", ".toml")
"""Kinds of our own files that decide what the index holds."""
WHOLE: Final = 1
"""What `user_version` is when all is written."""


class Kept:
    """One file: the index of this version's passages."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or own_cache.folder("ask")
        self._file = self._folder / f"{_stamp()}.sqlite"

    def open(self) -> sqlite3.Connection | None:
        """Give the index for reading; `None` if there is none that can be used."""
        try:
            if not own_cache.is_own(self._folder) or not own_cache.is_own(self._file):
                return None
            # It is replaced, never changed, so no lock is needed: some network file systems have none.
            there = f"{self._file.as_uri()}?mode=ro&immutable=1"
            db = sqlite3.connect(there, uri=True, check_same_thread=False)
        except (OSError, sqlite3.Error):
            return None
        try:
            [(whole,)] = db.execute("pragma user_version")
            # A file that was cut off, or is none of SQLite's, says so here.
            db.execute("select rowid from phrase where phrase match 'neon' limit 1").fetchall()
        except sqlite3.Error:
            whole = None
        if whole == WHOLE:
            return db
        db.close()
        return None

    def save(self, built: sqlite3.Connection) -> None:
        """Keep an index, all or nothing; where that is not possible nothing is kept."""
        try:
            if not own_cache.made(self._folder):
                return
            with own_cache.replaced(self._file) as part, closing(sqlite3.connect(part)) as db:
                built.backup(db)
                db.execute(f"pragma user_version = {WHOLE}")
            own_cache.make_room(self._folder, "*.sqlite", KEPT)
        except (OSError, sqlite3.Error):
            return


def _stamp() -> str:
    """Give what tells this version's index from any other: a digest of our own files."""
    package = Path(__file__).parent
    found = hashlib.blake2b(f"{VERSION} {sqlite3.sqlite_version}".encode(), digest_size=16)
    for file in sorted(package.rglob("*")):
        if file.suffix in READ:
            found.update(f"\0{file.relative_to(package)}\0".encode())
            found.update(file.read_bytes())
    return found.hexdigest()
