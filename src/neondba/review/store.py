"""Where the last review of a place is kept: a folder of this user's own, and nobody else's.

What is kept holds findings as reports show them, digests of files and names of files; no text of the
project. It is plain JSON, so reading it runs nothing. What is damaged, of another version or not ours
counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from neondba.core import own_cache
from neondba.core.version import VERSION

KEPT_PLACES = 64
"""Folders and revisions whose last review is kept; the oldest make room."""

_ROOMS = ("core", "postgres", "project", "review")
"""What decides about findings."""
_READERS = ("postgast", "pydantic", "tree-sitter", "tree-sitter-typescript", "tree-sitter-javascript")
"""Libraries that read the project for us."""


@cache
def stamp() -> str:
    """Give what tells this version of the rules from any other: a digest of our own files."""
    package = Path(__file__).parents[1]
    found = hashlib.blake2b(f"{VERSION} {sys.version} {sys.implementation.cache_tag}".encode())
    for library in _READERS:
        found.update(f" {library} {_version(library)}".encode())
    for room in _ROOMS:
        for file in sorted((package / room).rglob("*")):
            if file.suffix in (".py", ".sql", ".json"):
                found.update(f"\0{file.relative_to(package)}\0".encode())
                found.update(file.read_bytes())
    return found.hexdigest()


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


class Store:
    """One file for one place: a folder, or one of its revisions."""

    def __init__(self, folder: Path, place: Path, revision: str = "") -> None:
        name = hashlib.blake2b(f"{place.resolve()}\0{revision}".encode(errors="replace"), digest_size=16)
        self._folder = folder
        self._file = folder / f"{name.hexdigest()}.json"

    def load(self) -> dict[str, Any] | None:
        """Give what was kept by this version of the rules; `None` if there is nothing that can be used."""
        try:
            if not own_cache.is_own(self._folder) or not own_cache.is_own(self._file):
                return None
            head, _, body = self._file.read_bytes().partition(b"\n")
            if head.decode() != f"{stamp()} {_sum(body)}":
                return None
            kept = json.loads(body)
        except (OSError, ValueError, RecursionError):
            return None
        return kept if isinstance(kept, dict) else None

    def save(self, kept: dict[str, Any]) -> None:
        """Keep it, all or nothing; where that is not possible nothing is kept."""
        body = json.dumps(kept, separators=(",", ":")).encode()
        try:
            if not own_cache.made(self._folder):
                return
            with own_cache.replaced(self._file) as part:
                part.write_bytes(f"{stamp()} {_sum(body)}\n".encode() + body)
            own_cache.make_room(self._folder, "*.json", KEPT_PLACES)
        except OSError:
            return


def _sum(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()
