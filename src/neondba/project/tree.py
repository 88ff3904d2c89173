"""The files under review: a folder, a git revision, or an example held in memory."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
import subprocess
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.project import git as safe_git
from neondba.project.reads import PATHS, TRACKED, Query, Reads, has_word, is_named

LARGEST = 4_000_000
"""Bytes of the largest file that is read; a larger one is a data set, and is listed as not checked."""

LINK = "120000"
"""The mode of a symbolic link in a git tree."""

PASSED_BY = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache",
     ".pytest_cache", ".tox", ".nox", ".next", "site-packages", ".terraform"}
)  # fmt: skip
"""Folders that hold other people's or generated files."""


class Tree(ABC):
    """Paths (relative, with `/`) and their texts."""

    def __init__(self) -> None:
        self.too_large: list[str] = []
        """Files that were not read because of their size."""
        self.closed: set[str] = set()
        """Files and folders that this user may not read."""
        self.notes: dict[str, str] = {}
        """What else was not read, with the reason."""
        self.learned: dict[tuple[str, str], Any] = {}
        """What is known of a file's text alone, by kind and path; plain values that may be kept."""
        self._texts: dict[str, str | None] = {}
        self._digests: dict[str, str] = {}
        self._having: dict[Query, list[str]] = {}
        self.reads: Reads | None = None
        """Where what is asked for is noted now."""

    @property
    def paths(self) -> list[str]:
        """All reviewed files in alphabetical order."""
        self._ask(PATHS)
        return self._paths

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(p for p in self._list() if not PASSED_BY.intersection(p.split("/")[:-1]))

    @property
    def tracked(self) -> frozenset[str] | None:
        """The files that git tracks; `None` where that is not known."""
        self._ask(TRACKED)
        return self._tracked

    @property
    def _tracked(self) -> frozenset[str] | None:
        return None

    def text(self, path: str) -> str | None:
        """Give a file's text; `None` for a binary, huge, vanished or unreadable file."""
        if self.reads is not None:
            self.reads.texts.add(path)
        if path not in self._texts:
            self._texts[path] = self._decoded(path)
        return self._texts[path]

    def named(self, *names: str, suffix: tuple[str, ...] | str = ()) -> Iterator[str]:
        """Give the paths whose last part is one of `names` or ends in `suffix`."""
        suffixes = (suffix,) if isinstance(suffix, str) else suffix
        self._ask(("named", names, suffixes))
        return (path for path in self._paths if is_named(path, names, suffixes))

    def having(
        self, suffixes: tuple[str, ...], words: tuple[str, ...], among: list[str] | None = None
    ) -> list[str]:
        """Give the paths that end in one of `suffixes` and whose text has one of `words`.

        Cheaper to ask than each text: what asks depends on the answer, not on every file. Who looks among
        some paths only gives the same ones with the same suffixes each time.
        """
        query = ("having" if among is None else "having among", suffixes, words)
        self._ask(query)
        if query not in self._having:
            paths = [p for p in self._paths if p.endswith(suffixes)] if among is None else among
            with self.reading(None):
                self._having[query] = [p for p in paths if has_word(self.text(p), words)]
        return self._having[query]

    def answered(self, query: Query) -> list[str]:
        """Give the answer to a question that was asked before."""
        return self._having[query] if query in self._having else self.having(*query[1:])

    def is_tracked(self, path: str) -> bool:
        """Tell whether git tracks a file; where there is no git, every file counts."""
        tracked = self.tracked
        return tracked is None or path in tracked

    @contextmanager
    def reading(self, reads: Reads | None) -> Iterator[None]:
        """Note in `reads` what is asked for meanwhile."""
        before, self.reads = self.reads, reads
        try:
            yield
        finally:
            self.reads = before

    def need(self, fact: type) -> None:
        """Note that a fact is asked for."""
        if self.reads is not None:
            self.reads.facts.add(fact)

    def _ask(self, query: Query) -> None:
        if self.reads is not None:
            self.reads.queries.add(query)

    def digest(self, path: str) -> str:
        """Give a digest of what `text` is made of; empty where it gives none."""
        self.text(path)
        return self._digests.get(path, "")

    def _decoded(self, path: str) -> str | None:
        data = self._read(path)
        if data is None:
            return None
        if b"\0" in data[:8192] and not data.startswith(UTF16):
            if path.endswith(WRITTEN):
                self.notes[path] = "holds NUL bytes: not read as text"
            return None
        if len(data) > LARGEST:
            self.too_large.append(path)
            return None
        self._digests[path] = hashlib.blake2b(data, digest_size=16).hexdigest()
        return _decoded(data)

    @abstractmethod
    def _list(self) -> Iterable[str]: ...

    @abstractmethod
    def _read(self, path: str) -> bytes | None: ...


class MemoryTree(Tree):
    """Files given as a mapping: the examples on rule pages."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__()
        self._files = dict(files)

    def _list(self) -> Iterable[str]:
        return self._files

    def _read(self, path: str) -> bytes | None:
        text = self._files.get(path)
        return None if text is None else text.encode()


class FolderTree(Tree):
    """The files of a folder: what git tracks or would track, else all."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        if not folder.exists():
            raise NotFoundProblem(
                "path-not-found", f"There is no folder at {folder}.", hint="Give the path of a project."
            )
        if not folder.is_dir():
            raise ArgumentProblem(
                "path-not-a-folder", f"{folder} is a file.", hint=f"Give its folder: {folder.parent}"
            )
        self.folder = folder
        self._places: dict[str, str] = {}
        """The real name of each file whose name is no Unicode; every other is read by the name shown."""

    @cached_property
    def _git(self) -> frozenset[str] | None:
        listed, why_not = safe_git.run(self.folder, "ls-files", "-z")
        if listed is None and (self.folder / ".git").exists():
            self.notes[".git"] = f"git could not list the files ({why_not}): all in the folder were read"
        return None if listed is None else self._named(listed)

    @property
    def _tracked(self) -> frozenset[str] | None:
        return self._git or None

    def _list(self) -> Iterable[str]:
        if self._git:
            others = safe_git.git(self.folder, "ls-files", "-z", "--others", "--exclude-standard") or b""
            return [p for p in self._git | self._named(others) if self._is_file(self._place(p), p)]
        return self._walk()

    def _named(self, listed: bytes) -> frozenset[str]:
        return frozenset(self._shown(os.fsdecode(name)) for name in listed.split(b"\0") if name)

    def _shown(self, name: str) -> str:
        shown = os.fsencode(name).decode(errors="replace")
        if shown != name:
            self._places[shown] = name
        return shown

    def _place(self, path: str) -> Path:
        return self.folder / self._places.get(path, path)

    def _is_file(self, place: Path, path: str) -> bool:
        """Tell whether it is a file of the project itself: links are noted, not followed."""
        try:
            mode = place.lstat().st_mode
        except OSError as error:
            self._note(error)
            return False
        if stat.S_ISLNK(mode):
            self._note_link(place, path)
        elif stat.S_ISDIR(mode):
            self.notes[path.rstrip("/")] = "a repository of its own: review it by itself"
        return stat.S_ISREG(mode)

    def _note_link(self, place: Path, path: str) -> None:
        """Tell of a link whose target is not read under its own name."""
        try:
            target = place.resolve(strict=True)
        except (OSError, RuntimeError):
            self.notes[path] = "a symbolic link that leads nowhere, or in a circle"
            return
        if not target.is_relative_to(self.folder.resolve()):
            self.notes[path] = "a symbolic link out of the project: not followed"

    def _walk(self) -> Iterator[str]:
        for place, folders, files in os.walk(self.folder, onerror=self._note):
            folders[:] = [f for f in folders if f not in PASSED_BY]
            links = [f for f in folders if Path(place, f).is_symlink()]
            for name in [*files, *links]:
                path = Path(place, name)
                shown = self._shown(str(PurePosixPath(path.relative_to(self.folder))))
                if self._is_file(path, shown):
                    yield shown

    def _read(self, path: str) -> bytes | None:
        try:
            with self._place(path).open("rb") as file:
                return file.read(LARGEST + 1)
        except OSError as error:
            self._note(error)
            return None

    def _note(self, error: OSError) -> None:
        if isinstance(error, PermissionError):
            self.closed.add(self._shown(os.path.relpath(error.filename, self.folder)))


class RevisionTree(Tree):
    """The files of a git revision, read without touching the work tree."""

    def __init__(self, folder: Path, revision: str) -> None:
        super().__init__()
        self.folder = folder
        resolved = safe_git.git(folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        if resolved is None:
            raise NotFoundProblem(
                "revision-not-found",
                f"{folder} has no git revision {revision}.",
                hint="git log --oneline shows the revisions.",
            )
        self.revision = resolved.decode().strip()

    @cached_property
    def _tracked(self) -> frozenset[str]:
        return frozenset(self._blobs)

    @cached_property
    def _blobs(self) -> dict[str, str]:
        listed = safe_git.git(self.folder, "ls-tree", "-r", "-z", self.revision) or b""
        blobs = {}
        for entry in listed.decode(errors="replace").split("\0"):
            meta, _, path = entry.partition("\t")
            mode, kind, name = meta.split() if path else ("", "", "")
            if kind == "commit":
                self.notes[path] = "a repository of its own: review it by itself"
            elif kind == "blob" and mode != LINK:
                blobs[path] = name
        return blobs

    def _list(self) -> Iterable[str]:
        return self._blobs

    def _read(self, path: str) -> bytes | None:
        if path not in self._blobs:
            return None
        asked, answered = self._batch.stdin, self._batch.stdout
        assert asked is not None
        assert answered is not None
        asked.write(self._blobs[path].encode() + b"\n")
        asked.flush()
        _, kind, *size = answered.readline().split()
        if kind != b"blob":
            return None
        data = answered.read(int(size[0]))
        answered.read(1)
        return data

    @cached_property
    def _batch(self) -> subprocess.Popen[bytes]:
        """One git process that answers for every file: one a file would take milliseconds each."""
        batch = subprocess.Popen(
            safe_git.command(self.folder, "cat-file", "--batch"),
            env=safe_git.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        weakref.finalize(self, batch.communicate)
        return batch


WRITTEN = (
    ".py", ".sql", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".prisma", ".toml", ".ini", ".cfg", ".env", ".yml",
    ".yaml", ".json", ".md", ".txt", ".sh",
)  # fmt: skip
"""Endings of files that people write: one that cannot be read is told of."""

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How a file of Windows PowerShell begins, such as a `.env` written with `>`."""

DECLARED = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)")
"""The encoding that a file names in one of its first two lines."""


def _decoded(data: bytes) -> str:
    """Read bytes as UTF-8, else in the encoding they declare, else as far as possible."""
    if data.startswith(UTF16):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = DECLARED.match(data)
    try:
        encoding = declared[1].decode() if declared else "utf-8"
        return data.decode(encoding, errors="replace")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", errors="replace").removeprefix("\ufeff")
