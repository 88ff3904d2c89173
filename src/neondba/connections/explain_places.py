"""Where in a project an error comes from: frames of the text, engines, addresses, variables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from neondba.connections.errors.entry import Concern
from neondba.connections.explain_results import Place
from neondba.connections.explain_text import Hit
from neondba.neon.connection_string import mask_text
from neondba.project.addresses import Address, Addresses
from neondba.project.engines import Engine, Engines
from neondba.project.environment import Environment, Read
from neondba.project.facts import Facts
from neondba.project.places import is_document, is_example, is_test
from neondba.project.tree import FolderTree

MOST: Final = 6
_FRAME: Final = re.compile(
    r"File \"(?P<a>[^\"\n]+)\", line (?P<al>\d+)"
    r"|(?P<b>[\w@./\\\[\]()-]+\.(?:tsx?|jsx?|mjs|cjs|mts|go|prisma|ex|rb)):(?P<bl>\d+)"
)
_FOREIGN: Final = re.compile(r"site-packages|node_modules|dist-packages|/lib/python|node:internal|/pkg/mod/")
NAME: Final = re.compile(r"DATABASE|POSTGRES|PG[A-Z]+$|DIRECT_URL|DB_URL|_DSN$|DSN$|NEON")
_CLIENT: Final = re.compile(
    r"new (?:pg\.)?(?:Pool|Client|PrismaClient|PrismaPg|PrismaNeon)\("
    r"|\bneon\(\s*(?:process|env|[A-Z])|\bpostgres\("
    r"|pgxpool\.New\w*\(|pgx\.Connect\w*\(|sql\.Open\(\s*\"(?:postgres|pgx)"
)
_CODE: Final = (".ts", ".tsx", ".js", ".mjs", ".cjs", ".mts", ".go")
_MANIFESTS: Final = ("pyproject.toml", "requirements.txt", "package.json", "go.mod", "setup.py", "Pipfile")


class Project:
    """A folder, as far as an error needs it."""

    def __init__(self, folder: Path) -> None:
        self._tree = FolderTree(folder)
        self._facts = Facts(self._tree)

    @property
    def is_one(self) -> bool:
        """True where there is code or a file of variables."""
        last = {path.rpartition("/")[2] for path in self._tree.paths}
        return bool(last & {*_MANIFESTS, ".env"}) or any(p.endswith((".py", *_CODE)) for p in last)

    @cached_property
    def engines(self) -> list[Engine]:
        """The engines and pools of Python code, those of the application first."""
        every = self._facts.get(Engines).all
        return sorted((e for e in every if e.backend != "sqlite"), key=lambda e: not e.is_of_the_app)

    @cached_property
    def clients(self) -> list[tuple[str, int, str]]:
        """The places that make pools and clients in TypeScript, JavaScript and Go."""
        found = []
        for path in self._tree.having(_CODE, ("new ", "neon(", "postgres(", "pgx", "sql.Open")):
            for number, line in enumerate((self._tree.text(path) or "").splitlines(), start=1):
                if _CLIENT.search(line) and not is_test(path):
                    found.append((path, number, line.strip()))
        return found

    @cached_property
    def addresses(self) -> list[Address]:
        """The connection strings to PostgreSQL, in files that count."""
        every = self._facts.get(Addresses).all
        mine = [a for a in every if a.scheme.startswith("postgres") and not is_document(a.path)]
        return sorted(mine, key=lambda a: (is_example(a.path), is_test(a.path), not a.is_neon))

    @cached_property
    def reads(self) -> list[Read]:
        """The places that read a connection string from the environment."""
        return [read for read in self._facts.get(Environment).reads if NAME.search(read.name)]

    def variable_of(self, address: Address) -> str | None:
        """Give the name of the variable that a file sets to an address."""
        lines = (self._tree.text(address.path) or "").splitlines()
        line = lines[address.line - 1] if address.line <= len(lines) else ""
        found = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]", line)
        return found[1] if found else None

    def mentions(self, word: str) -> bool:
        """Tell whether a manifest names a package."""
        texts = (self._tree.text(path) or "" for path in self._tree.named(*_MANIFESTS))
        return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for text in texts)

    def places(self, hit: Hit, text: str) -> tuple[Place, ...]:
        """Give the lines that an error concerns, the most telling first."""
        found = [*self._frames(text)]
        for concern in hit.entry.concerns:
            if concern is Concern.ENGINE:
                found += [*self._of_engines(hit)]
            elif concern is Concern.ADDRESS:
                found += [*self._of_addresses(hit, text)]
            else:
                found += [Place(path=r.path, line=r.line, why=f"reads {r.name}") for r in self.reads]
        unique = {(place.path, place.line): place for place in reversed(found)}
        return tuple(place for place in found if unique.get((place.path, place.line)) is place)[:MOST]

    def _frames(self, text: str) -> Iterator[Place]:
        """Give the innermost frame of the traceback that is the project's own."""
        own = [
            (path, int(found["al"] or found["bl"]))
            for found in _FRAME.finditer(text)
            if (path := self._own(found["a"] or found["b"]))
        ]
        if own:
            in_python = 'File "' in text
            path, line = own[-1] if in_python else own[0]
            yield Place(path=path, line=line, why="the traceback passes here")

    def _own(self, named: str) -> str | None:
        if _FOREIGN.search(named):
            return None
        said = named.replace("\\", "/").removeprefix("./")
        fits = [p for p in self._tree.paths if said == p or said.endswith("/" + p)]
        return max(fits, key=len, default=None)

    def _of_engines(self, hit: Hit) -> Iterator[Place]:
        for engine in self.engines:
            lacks = hit.entry.lacks
            if lacks and any(engine.connect_argument(k) or k in engine.keywords for k in lacks):
                continue
            if hit.name and hit.entry.snippet == "without-parameter" and hit.name not in source_of(engine):
                continue
            # What is lacking is named as SQLAlchemy calls it.
            named = bool(lacks) and engine.kind == "sqlalchemy"
            why = f"{engine.factory} without {lacks[0]}" if named else f"{engine.factory} is called here"
            yield Place(path=engine.path, line=engine.line, why=why)
        for path, line, code in self.clients:
            yield Place(path=path, line=line, why=mask_text(code)[:80])

    def _of_addresses(self, hit: Hit, text: str) -> Iterator[Place]:
        """Give the addresses whose host or parameter the text names; all where it names none."""
        named = [a for a in self.addresses if a.host and a.host in text]
        for address in named or self.addresses:
            asked = hit.name if hit.entry.snippet in ("without-parameter", "asyncpg-url") else ""
            if asked and f"{asked}=" not in address.rest:
                continue
            yield Place(path=address.path, line=address.line, why=f"sets {address.shown}")


def source_of(engine: Engine) -> str:
    """Give the call that makes an engine, as code without passwords."""
    return mask_text(ast.unparse(engine.call))
