"""What git keeps of files that are gone or were changed: every text that a commit can still give.

`git log -p` takes minutes on a long history. Here git lists the objects of all commits once, in the
order of their commits, and each content is read once, however many commits have it.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from neondba.project import git as safe_git
from neondba.project.facts import Unavailable
from neondba.project.places import is_generated
from neondba.project.tree import PASSED_BY, MemoryTree, Tree

LARGEST: Final = 1_000_000
"""Bytes of the largest content that is read."""
MOST: Final = 20_000_000
"""Bytes of all versions of one file that are read: what is written anew at each build has hundreds."""
_BINARY: Final = re.compile(
    r"\.(?:png|jpe?g|gif|ico|webp|avif|bmp|pdf|zip|gz|tgz|bz2|xz|7z|jar|war|woff2?|ttf|eot|otf|mp[34]|mov|webm|wav|so|"
    r"dll|dylib|exe|pyc|whl|class|o|a|db|sqlite3?|parquet|pkl|npy|bin|wasm|psd|docx|xlsx|pptx|pack|idx)$",
    re.IGNORECASE,
)
_LIST: Final = ("rev-list", "--objects", "--in-commit-order", "--reverse", "--missing=allow-any")
_HELD_IN_MEMORY: Final = re.compile(r"(?P<commit>[0-9a-f]{7,40}):(?P<path>.+)")


@dataclass(frozen=True)
class Past:
    """A text that a commit holds and that the newest commit holds no more."""

    commit: str
    """The first seven letters of the commit that brought it."""
    path: str
    text: str
    """The lines that are new in it, from the first to the last."""

    @property
    def place(self) -> str:
        """Where git shows it: `git show 1a2b3c4:app/settings.py`."""
        return f"{self.commit}:{self.path}"


@dataclass
class History:
    """The past texts of a repository, oldest first."""

    folder: Path | None = None
    since: str | None = None
    """A commit whose history is left out."""
    texts: list[Past] = field(default_factory=list)
    """Given in the examples on rule pages; read from git otherwise."""
    passed_by: set[str] = field(default_factory=set)
    """Paths of which versions were too large, or too many, to be read."""

    @classmethod
    def gather(cls, tree: Tree) -> History:
        """Read the history only where the user asked for it.

        Raises:
            Unavailable: they did not.
        """
        if not isinstance(tree, MemoryTree):
            raise Unavailable("git's history was not read: add --history")
        found = [(_HELD_IN_MEMORY.fullmatch(path), path) for path in tree.paths]
        return cls(texts=[Past(m["commit"], m["path"], tree.text(p) or "") for m, p in found if m])

    def past(self, words: tuple[bytes, ...]) -> Iterator[Past]:
        """Give the past texts that have one of the words."""
        if self.folder is None:
            wanted = [word.decode() for word in words]
            yield from (t for t in self.texts if any(word in t.text for word in wanted))
            return
        objects = _objects(self.folder, self.since)
        before: dict[str, bytes] = {}
        for name, content in _contents(self.folder, self._fit(objects)):
            commit, path = objects[name]
            new = _changed(before.get(path, b""), content)
            before[path] = content
            if any(word in new for word in words) and b"\0" not in new[:8192]:
                yield Past(commit[:7], path, new.decode(errors="replace"))

    def _fit(self, objects: dict[str, tuple[str, str]]) -> list[str]:
        """Choose the objects that are files of a fit size, and note what is passed by."""
        read: dict[str, int] = {}
        fit = []
        for name, kind, size in _batch_check(self.folder or Path(), list(objects)):
            path = objects[name][1]
            total = read.get(path, 0) + size
            if kind == "blob" and size <= LARGEST and total <= MOST:
                read[path] = total
                fit.append(name)
            elif kind == "blob":
                self.passed_by.add(path)
        return fit


def is_past(path: str) -> bool:
    """Tell whether a path of an example names a commit."""
    return bool(_HELD_IN_MEMORY.fullmatch(path))


def read_history(tree: Tree, folder: Path, since: str | None = None) -> History | Unavailable:
    """Open the history of a repository; say why where there is none."""
    if safe_git.git(folder, "rev-parse", "--verify", "HEAD") is None:
        return Unavailable("there is no git history here")
    if (safe_git.git(folder, "rev-parse", "--is-shallow-repository") or b"").strip() == b"true":
        tree.notes[".git"] = "a shallow clone: commits before it were not read (git fetch --unshallow)"
    return History(folder, since)


def _objects(folder: Path, since: str | None) -> dict[str, tuple[str, str]]:
    """Give each object with the oldest commit that has it and its path there; today's are left out."""
    prefix = (safe_git.git(folder, "rev-parse", "--show-prefix") or b"").decode(errors="replace").strip()
    listed = safe_git.git(folder, "ls-tree", "-r", "-z", "--full-tree", "HEAD") or b""
    today = {entry.split(b"\t")[0].split()[2].decode() for entry in listed.split(b"\0") if entry}
    which = ("HEAD", "--branches", "--tags", "--remotes", *([f"^{since}"] if since else []))
    output = safe_git.git(folder, *_LIST, *which) or b""
    found: dict[str, tuple[str, str]] = {}
    commit = ""
    for line in output.decode(errors="replace").split("\n"):
        name, space, path = line.partition(" ")
        if not space:
            commit = name
        elif path and path.startswith(prefix) and name not in today and _is_text(path):
            found.setdefault(name, (commit, path))
    return found


def _changed(before: bytes, content: bytes) -> bytes:
    """Give the whole lines of a content that its earlier version does not begin or end with."""
    first = _same(before, content)
    first = content.rfind(b"\n", 0, first) + 1
    last = _same(before[first:][::-1], content[first:][::-1])
    end = content.find(b"\n", len(content) - last) if last else -1
    return content[first:] if end < 0 else content[first:end]


def _same(one: bytes, other: bytes) -> int:
    """Count the bytes that two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_text(path: str) -> bool:
    return not (_BINARY.search(path) or is_generated(path) or PASSED_BY.intersection(path.split("/")[:-1]))


def _contents(folder: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Read the contents of objects."""
    with _fed(names) as source, _started(folder, source, "cat-file", "--batch", "--buffer") as process:
        output = process.stdout
        while output and (head := output.readline()):
            parts = head.split()
            if len(parts) == 3:
                content = output.read(int(parts[2]))
                output.read(1)
                yield parts[0].decode(), content


def _batch_check(folder: Path, names: list[str]) -> Iterator[tuple[str, str, int]]:
    with _fed(names) as source, _started(folder, source, "cat-file", "--batch-check", "--buffer") as process:
        for line in process.stdout or ():
            parts = line.decode().split()
            if len(parts) == 3:
                yield parts[0], parts[1], int(parts[2])


def _fed(names: list[str]) -> IO[bytes]:
    source = tempfile.TemporaryFile()  # noqa: SIM115 - who calls closes it
    source.write("\n".join([*names, ""]).encode())
    source.seek(0)
    return source


def _started(folder: Path, source: IO[bytes], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        safe_git.command(folder, *arguments),
        stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=safe_git.environment(),
    )  # fmt: skip
