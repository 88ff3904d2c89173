"""Which files a repair may write: none that git could not give back, none that hold secrets."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from neondba.project.git import git
from neondba.project.tree import PASSED_BY, FolderTree

SECRET = re.compile(
    r"\.env(\.(?!(example|sample|template|dist)$).*)?|.*\.(pem|key|p12|pfx|jks)|id_(rsa|ed25519|ecdsa)|\.netrc"
    r"|\.pgpass|\.npmrc|\.pypirc|credentials(\..*)?|service-account.*\.json",
    re.IGNORECASE,
)
BOM = b"\xef\xbb\xbf"


class Guard:
    """Answer for one folder whether a file may be written, and keep what was read of it."""

    def __init__(self, folder: Path, tree: FolderTree, *, dirty: bool) -> None:
        self.folder, self._tree, self._dirty = folder, tree, dirty
        self._committed = _committed(folder)
        self.read: dict[str, bytes | None] = {}
        """What stood in each file that may be written; `None` for one that is to be made."""
        self._answers: dict[str, str] = {}

    def refuses(self, path: str) -> str:
        """Give why a file may not be written; nothing when it may."""
        if path not in self._answers:
            self._answers[path] = self._judged(path)
        return self._answers[path]

    def is_new(self, path: str) -> bool:
        """Tell whether a file is to be made."""
        return self.read.get(path, b"") is None

    def encoded(self, path: str, text: str) -> bytes:
        """Give a file's new text as bytes, with the mark at the beginning that it had."""
        before = self.read.get(path)
        mark = BOM if before is not None and before.startswith(BOM) else b""
        return mark + text.encode()

    def _judged(self, path: str) -> str:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or not all(c.isprintable() for c in path):
            return "it lies outside the project"
        if PASSED_BY.intersection(parts):
            return "it is generated, or not the project's own"
        if SECRET.fullmatch(parts[-1]):
            return "it may hold secrets"
        places = [self.folder.joinpath(*parts[: n + 1]) for n in range(len(parts))]
        if any(place.is_symlink() for place in places):
            return "it is reached through a symbolic link"
        if not places[-1].exists():
            self.read[path] = None
            return ""
        return self._existing(path, places[-1])

    def _existing(self, path: str, place: Path) -> str:
        if path not in self._tree.paths:
            return "git ignores it"
        try:
            data = place.read_bytes()
        except OSError:
            return "it cannot be read"
        if data.removeprefix(BOM) != (self._tree.text(path) or "").encode():
            return "it is not written in UTF-8"
        self.read[path] = data
        if self._dirty:
            return ""
        if self._committed is None:
            return "no git repository could give it back: commit it first, or add --allow-dirty"
        return "" if _same(data, self._committed.get(path)) else "it has changes that are not committed"


def _committed(folder: Path) -> dict[str, str] | None:
    """Give the names of the blobs of the last commit, by path; `None` without a repository."""
    if git(folder, "rev-parse", "--git-dir") is None:
        return None
    listed = git(folder, "ls-tree", "-r", "-z", "HEAD") or b""
    found = {}
    for entry in listed.decode(errors="replace").split("\0"):
        meta, _, path = entry.partition("\t")
        if path:
            found[path] = meta.split()[2]
    return found


def _same(data: bytes, blob: str | None) -> bool:
    """Tell whether a file is as committed. Hashed here: git's own way may run the project's filters."""
    if blob is None:
        return False
    return blob in (_blob(data, len(blob)), _blob(data.replace(b"\r\n", b"\n"), len(blob)))


def _blob(data: bytes, digits: int) -> str:
    whole = b"blob %d\0" % len(data) + data
    if digits == 64:
        return hashlib.sha256(whole).hexdigest()
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest()
