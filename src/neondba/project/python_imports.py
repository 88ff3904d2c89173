"""Which module an import means: a file of this project, or something installed."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

ELSEWHERE: Final = sys.stdlib_module_names | {
    "aiohttp", "alembic", "anthropic", "asyncpg", "authlib", "boto3", "celery", "click", "django", "dotenv",
    "fastapi", "flask", "httpx", "jose", "jwt", "langchain", "loguru", "mcp", "numpy", "openai", "pandas",
    "passlib", "psycopg", "psycopg2", "pydantic", "pytest", "redis", "requests", "resend", "rich",
    "sqlalchemy", "sqlmodel", "starlette", "stripe", "structlog", "supabase", "typer", "uvicorn",
}  # fmt: skip
"""Names that mean something installed, also where a module beside the importer is called so."""


class Modules:
    """The project's modules, named by their whole path: `backend.app.models`."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.names: dict[str, str] = {module_name(path): path for path in paths}
        """Module name to path."""
        self._packages = {p.rpartition("/")[0] for p in paths if p.endswith("/__init__.py")}
        self._roots: dict[str, set[str]] = defaultdict(set)
        """First part of a dotted name to the folders in which it stands, dotted."""
        for name in self.names:
            parts = name.split(".")
            for i, part in enumerate(parts):
                self._roots[part].add(".".join(parts[:i]))
        self._packages = {p.replace("/", ".") for p in self._packages}

    def absolute(self, importer: str, dotted: str) -> str:
        """Give the project's own name of an absolute import; the name itself if installed."""
        roots = self._roots.get(dotted.partition(".")[0])
        if not roots:
            return dotted
        folder = importer.rpartition(".")[0]
        nearest = sorted(roots, key=lambda r: (_shared(r, folder), len(r), r), reverse=True)
        for root in [r for r in nearest if self._visible(r, folder)]:
            name = f"{root}.{dotted}" if root else dotted
            if name in self.names or name.rpartition(".")[0] in self.names:
                return name
        return self._beside(folder, dotted, nearest) or dotted

    def _beside(self, folder: str, dotted: str, roots: list[str]) -> str | None:
        """Find a module in a package around the importer: programs are started inside of packages, too."""
        if dotted.partition(".")[0] in ELSEWHERE:
            return None
        for root in roots:
            if root in self._packages and f"{folder}.".startswith(f"{root}."):
                name = f"{root}.{dotted}"
                if name in self.names or name.rpartition(".")[0] in self.names:
                    return name
        return None

    def _visible(self, root: str, folder: str) -> bool:
        """Tell whether modules in `folder` likely see `root`: above or beside it."""
        if root in self._packages:
            return False
        above = root.rpartition(".")[0]
        return any(not place or folder == place or folder.startswith(place + ".") for place in (root, above))

    def relative(self, importer: str, is_package: bool, node: ast.ImportFrom) -> str:
        """Give the name of the module that `from ..x import y` means."""
        parts = importer.split(".")
        drop = node.level - 1 if is_package else node.level
        base = parts[: len(parts) - drop] if drop else parts
        return ".".join([*base, *([node.module] if node.module else [])])


def _shared(root: str, folder: str) -> int:
    """Count the folders that a root and an importer have in common: the nearest root is meant."""
    pairs = zip(root.split("."), folder.split("."), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), len(root.split(".")) if root else 0)


def module_name(path: str) -> str:
    """Give the dotted name of a file; a package's `__init__` is the package."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(
    modules: Modules, importer: str, is_package: bool, nodes: Iterable[ast.Import | ast.ImportFrom]
) -> dict[str, str]:
    """Map the names that imports make to qualified names; the first one wins."""
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = modules.absolute(importer, alias.name)
                if alias.asname:
                    names.setdefault(alias.asname, whole)
                else:
                    first = alias.name.partition(".")[0]
                    names.setdefault(first, whole.removesuffix(alias.name) + first)
            continue
        for alias in node.names:
            if node.level:
                origin = modules.relative(importer, is_package, node)
            else:
                whole = modules.absolute(importer, f"{node.module}.{alias.name}")
                origin = whole.rpartition(".")[0]
            names.setdefault(alias.asname or alias.name, f"{origin}.{alias.name}")
    return names
