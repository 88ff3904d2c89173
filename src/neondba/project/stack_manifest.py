"""The packages that a program names in its manifest, with the line of each."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.project.tree import Tree

_NAMES: Final = ("pyproject.toml", "Pipfile", "setup.py", "setup.cfg", "package.json", "go.mod")
_LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
_LOCKED: Final = re.compile(r'^name = "(?P<name>[\w.-]+)"\r?\nversion = "(?P<version>[^"]+)"', re.MULTILINE)
_REQUIREMENT: Final = re.compile(r"\s*(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?P<version>[^#;\s]*)")
_REQUIRED: Final = re.compile(
    r"(?:^|/)requirements[\w.-]*\.(?:txt|in)$|(?:^|/)requirements/[\w.-]+\.(?:txt|in)$"
)
_GO: Final = re.compile(
    r"^\s*(?:require\s+)?(?P<name>[\w.-]+\.[\w.-]+/\S+)\s+(?P<version>v[\w.+-]+)", re.MULTILINE
)
_QUOTED: Final = re.compile(
    r"[\"'](?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?P<version>[<>=~!][^\"']*)?[\"']"
)


@dataclass(frozen=True)
class Package:
    """A package that a manifest names."""

    name: str
    """In lower case, with hyphens."""
    version: str
    """As it is written; empty where nothing is."""
    path: str
    line: int

    @property
    def major(self) -> int | None:
        """The first number of the version, if there is one."""
        found = re.search(r"\d+", self.version)
        return int(found[0]) if found else None


@dataclass
class Manifests:
    """The packages of each program, by its folder."""

    plain = True

    by_folder: dict[str, dict[str, Package]] = field(default_factory=dict)
    locks: dict[str, dict[str, str]] = field(default_factory=dict)
    """The versions in the lock files, by folder."""

    @classmethod
    def gather(cls, tree: Tree) -> Manifests:
        """Read every manifest of Python, node and Go."""
        found = cls()
        for path in tree.named(*_NAMES, suffix=(".txt", ".in")):
            if path.endswith((".txt", ".in")) and not _REQUIRED.search(path):
                continue
            folder = path.rpartition("/")[0].removesuffix("requirements").rstrip("/")
            there = found.by_folder.setdefault(folder, {})
            for package in _packages(path, tree.text(path) or ""):
                there.setdefault(package.name, package)
        for path in tree.named(*_LOCKS):
            text = tree.text(path) or ""
            versions = {m["name"].lower(): m["version"] for m in _LOCKED.finditer(text)}
            if path.endswith("Pipfile.lock"):
                pinned = re.findall(r'"([\w.-]+)": \{[^{}]*?"version": "==([^"]+)"', text)
                versions = {name.lower(): version for name, version in pinned}
            found.locks[path.rpartition("/")[0]] = versions
        return found

    def locked(self, folder: str, name: str) -> str:
        """Give the version of a package in the nearest lock file; empty where there is none."""
        while folder not in self.locks and folder:
            folder = folder.rpartition("/")[0]
        return self.locks.get(folder, {}).get(name, "")

    def of(self, folder: str) -> dict[str, Package]:
        """Give the packages of one folder."""
        return self.by_folder.get(folder, {})


def _packages(path: str, text: str) -> Iterator[Package]:
    name = path.rpartition("/")[2]
    if name == "go.mod":
        for found in _GO.finditer(text):
            yield Package(found["name"], found["version"], path, text.count("\n", 0, found.start("name")) + 1)
        return
    pairs: list[tuple[str, str]] = []
    with suppress(ValueError, TypeError, AttributeError):
        pairs = [*_named(name, text)]
    for package, version in pairs:
        line = _line(text, package)
        yield Package(re.sub(r"[_.]+", "-", package).lower() if name != "package.json" else package,
                      version, path, line)  # fmt: skip


def _named(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name == "package.json":
        parsed = json.loads(text)
        for kind in ("dependencies", "devDependencies", "peerDependencies"):
            yield from ((key, str(value)) for key, value in (parsed.get(kind) or {}).items())
    elif name == "pyproject.toml":
        yield from _of_pyproject(tomllib.loads(text))
    elif name == "Pipfile":
        parsed = tomllib.loads(text)
        for kind in ("packages", "dev-packages"):
            yield from ((key, _version(value)) for key, value in parsed.get(kind, {}).items())
    elif name in ("setup.py", "setup.cfg"):
        found = re.search(r"install_requires\s*=\s*(\[[^\]]*\]|(?:\n[ \t]+\S.*)+)", text)
        quoted = name == "setup.py"
        for each in (_QUOTED if quoted else _REQUIREMENT).finditer(found[1] if found else ""):
            yield each["name"], each["version"] or ""
    else:
        for line in text.splitlines():
            wanted = _REQUIREMENT.match(line)
            if wanted and not line.lstrip().startswith(("-", "#")):
                yield wanted["name"], wanted["version"]


def _of_pyproject(parsed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    project = parsed.get("project", {})
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    lists += parsed.get("dependency-groups", {}).values()
    for text in (one for each in lists for one in each if isinstance(one, str)):
        wanted = _REQUIREMENT.match(text)
        if wanted:
            yield wanted["name"], wanted["version"]
    poetry = parsed.get("tool", {}).get("poetry", {})
    groups = [poetry, *poetry.get("group", {}).values()]
    for group in groups:
        yield from ((key, _version(value)) for key, value in group.get("dependencies", {}).items())


def _version(value: Any) -> str:
    return (
        value if isinstance(value, str) else str(value.get("version", "")) if isinstance(value, dict) else ""
    )


def _line(text: str, name: str) -> int:
    found = re.search(rf"(?<![\w@/.-]){re.escape(name)}(?![\w/-])", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
