"""Find the file that an import names: relative, by tsconfig paths, or a package of the same workspace."""

from __future__ import annotations

import json
import posixpath
import re

from neondba.project.tree import Tree
from neondba.project.typescript.grammar import SUFFIXES

COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
ENDINGS = ("", *SUFFIXES, ".d.ts", *(f"/index{s}" for s in SUFFIXES))
SOURCE_OF = {".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}


class Modules:
    """Where imports lead inside the project."""

    plain = True

    def __init__(self, tree: Tree) -> None:
        self._files = frozenset(p for p in tree.paths if p.endswith(SUFFIXES))
        self._aliases: dict[str, list[tuple[str, list[str]]]] = {}
        """Folder of a tsconfig: patterns, each with the paths it stands for."""
        for path in tree.paths:
            last = path.rpartition("/")[2]
            if last.startswith(("tsconfig", "jsconfig")) and last.endswith(".json"):
                self._aliases.setdefault(path.rpartition("/")[0], []).extend(_patterns(tree, path))
        self._packages: dict[str, tuple[str, dict[str, str]]] = {}
        for path in tree.named("package.json"):
            written = _json(tree.text(path))
            if isinstance(name := written.get("name"), str):
                self._packages[name] = (path.rpartition("/")[0], _entries(written))
        self._known: dict[tuple[str, str], str | None] = {}

    @classmethod
    def gather(cls, tree: Tree) -> Modules:
        """Read what tsconfig files and packages name."""
        return cls(tree)

    def find(self, importer: str, source: str) -> str | None:
        """Give the path of the file that an import in `importer` names; none for other people's code."""
        key = (importer.rpartition("/")[0], source)
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, folder: str, source: str) -> str | None:
        if source.startswith("."):
            return self._file(posixpath.join(folder, source))
        for above in _above(folder):
            for pattern, targets in self._aliases.get(above, ()):
                star = _matched(pattern, source)
                for target in targets if star is not None else ():
                    found = self._file(posixpath.join(above, target.replace("*", star or "")))
                    if found:
                        return found
        return self._package(source) or self._conventional(folder, source)

    def _package(self, source: str) -> str | None:
        parts = source.split("/")
        for size in (2, 1):
            name, rest = "/".join(parts[:size]), "/".join(parts[size:])
            if name in self._packages:
                root, entries = self._packages[name]
                entry = entries.get(f"./{rest}" if rest else ".", "")
                places = (entry, rest, f"src/{rest}") if rest else (entry, "src", "")
                found = (self._file(posixpath.join(root, p)) for p in places if p or not rest)
                return next((f for f in found if f), None)
        return None

    def _conventional(self, folder: str, source: str) -> str | None:
        """Follow `@/x` and `~/x` where the tsconfig that says so is not in the checkout."""
        if not source.startswith(("@/", "~/", "src/")):
            return None
        rest = source.removeprefix("@/").removeprefix("~/").removeprefix("src/")
        for above in _above(folder):
            for base in ("src", "", "app"):
                if found := self._file(posixpath.join(above, base, rest)):
                    return found
        return None

    def _file(self, path: str) -> str | None:
        path = posixpath.normpath(path).lstrip("/")
        if path.startswith(".."):
            return None
        path = "" if path == "." else path
        for ending in ENDINGS:
            if (candidate := (path + ending).lstrip("/")) in self._files:
                return candidate
        stem, dot, suffix = path.rpartition(".")
        for other in SOURCE_OF.get(dot + suffix, ()):
            if stem + other in self._files:
                return stem + other
        return None


def _above(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:size]) for size in range(len(parts), -1, -1)]


def _matched(pattern: str, source: str) -> str | None:
    """Give what the star of a pattern stands for; an empty text for a match without a star."""
    before, star, after = pattern.partition("*")
    if not star:
        return "" if source == pattern else None
    if source.startswith(before) and source.endswith(after) and len(source) >= len(before) + len(after):
        return source[len(before) : len(source) - len(after)]
    return None


def _patterns(tree: Tree, path: str) -> list[tuple[str, list[str]]]:
    options = _json(tree.text(path)).get("compilerOptions")
    if not isinstance(options, dict):
        return []
    base = options.get("baseUrl")
    base = base if isinstance(base, str) else "."
    paths = options.get("paths")
    found = [
        (pattern, [posixpath.join(base, t) for t in targets if isinstance(t, str)])
        for pattern, targets in (paths.items() if isinstance(paths, dict) else ())
        if isinstance(targets, list)
    ]
    return [*found, ("*", [f"{base}/*"])] if "baseUrl" in options else found


def _entries(written: dict[str, object]) -> dict[str, str]:
    """Give the files that a package's manifest names, by what is imported."""
    entries: dict[str, str] = {}
    exports = written.get("exports")
    if isinstance(exports, str):
        entries["."] = exports
    elif isinstance(exports, dict):
        for name, target in exports.items():
            while isinstance(target, dict):
                target = target.get("types") or target.get("import") or next(iter(target.values()), None)
            if isinstance(target, str):
                entries[str(name)] = target
    for field in ("source", "types", "main", "module"):
        if isinstance(value := written.get(field), str):
            entries.setdefault(".", value)
    return entries


def _json(text: str | None) -> dict[str, object]:
    """Read JSON with the comments and commas that tsconfig files have; nothing where it is none."""
    try:
        found = json.loads(COMMENT.sub(lambda m: m[1] or "", text or ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
