"""The programs of a repository: which folder belongs to which, what they serve and speak to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from neondba.project.python import PythonFiles
from neondba.project.tree import Tree

_MANIFESTS: Final = (
    "pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "package.json", "Dockerfile", "go.mod",
)  # fmt: skip
_SERVERS: Final = (
    "fastapi", "flask", "starlette", "django", "litestar", "sanic", "aiohttp.web", "quart", "falcon",
    "FastMCP",
)  # fmt: skip
_SERVES: Final = re.compile(rf"^\s*(?:from|import)\s+(?:{'|'.join(_SERVERS[:-1])})\b|FastMCP\(", re.MULTILINE)
_NEON: Final = re.compile(r"\bneon\.(?:tech|build)\b|@neondatabase/|\bneon(?:db)?\b", re.IGNORECASE)
_POSTGRES: Final = ("postgres", "psycopg", "asyncpg")
_TELLING: Final = (".prisma", ".py", ".yml", ".yaml")


@dataclass
class Service:
    """A folder with a manifest of its own."""

    folder: str
    serves: bool = False
    """True when it answers requests for as long as it lives."""
    postgres: bool = False
    neon: bool = False


@dataclass
class Services:
    """The programs of a repository by folder."""

    plain = True

    by_folder: dict[str, Service] = field(default_factory=dict)

    @classmethod
    def gather(cls, tree: Tree, python: PythonFiles) -> Services:
        """Find the manifests, and what the files beside them mention."""
        found = cls({"": Service("")})
        for path in tree.named(*_MANIFESTS):
            folder = path.rpartition("/")[0]
            found.by_folder.setdefault(folder, Service(folder))
        for file in python.containing(*_SERVERS):
            if _SERVES.search(file.text):
                found.of(file.path).serves = True
        for path in tree.named(*_MANIFESTS, "README.md", "alembic.ini", suffix=_TELLING):
            found._note(path, tree.text(path) or "")
        for path in tree.paths:
            if path.rpartition("/")[2].startswith(".env"):
                found._note(path, tree.text(path) or "")
        return found

    def of(self, path: str) -> Service:
        """Give the program that a file belongs to."""
        folder = path.rpartition("/")[0]
        while folder not in self.by_folder:
            folder = folder.rpartition("/")[0]
        return self.by_folder[folder]

    def serves(self, path: str) -> bool:
        """Tell whether a file's program answers requests."""
        return self.of(path).serves

    def uses_postgres(self, path: str) -> bool:
        """Tell whether a file's program, or the repository as a whole, speaks to Postgres."""
        return self.of(path).postgres or self.by_folder[""].postgres

    def uses_neon(self, path: str) -> bool:
        """Tell whether a file's program, or the repository as a whole, speaks of Neon."""
        return self.of(path).neon or self.by_folder[""].neon

    def _note(self, path: str, text: str) -> None:
        service = self.of(path)
        if service.postgres and service.neon:
            return
        lowered = text.lower()
        neon = "neon" in lowered and _NEON.search(text) is not None
        service.neon = service.neon or neon
        service.postgres = service.postgres or neon or any(word in lowered for word in _POSTGRES)
