"""SQL texts that JavaScript and TypeScript put together, and whose values become part of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from neondba.project.script_values import Place, Reach
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Function, dotted, walk

UNSAFE: Final = frozenset({"$queryRawUnsafe", "$executeRawUnsafe"})
_RAW: Final = frozenset(
    {"raw", "unsafe", "literal", "whereRaw", "orderByRaw", "havingRaw", "selectRaw", "joinRaw", "orWhereRaw"}
)
_SENT: Final = frozenset({"query", "execute", "sql", "exec", "run", "all", "unsafe", "raw", *UNSAFE})
WORDS: Final = (
    "RawUnsafe(", "RawUnsafe<", ".unsafe(", ".unsafe<", ".raw(", ".raw<", "Raw(", ".literal(", ".query(",
    ".query<", ".execute(", ".execute<", "sql(`",
)  # fmt: skip
_RAW_OWNERS: Final = re.compile(
    r"(?:^|\.)(?:sql|Prisma|knex|db|sequelize|Sequelize|trx|pg|conn\w*|client|orm)$|Raw$"
)
_VERB: Final = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:select|insert\s+into|update|delete\s+from|with|alter|drop|create|grant|truncate|copy|set|"
    r"revoke|comment)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RawSql:
    """A value that becomes part of SQL text."""

    file: TypeScriptFile
    call: Call
    line: int
    """Where the value becomes text."""
    value: str
    """What is put in, dotted."""
    reach: Reach
    quoted: bool
    """It stands between quotes: a value, not a name of the program's own."""


class RawSqls:
    """All such values of the project's own programs."""

    plain = True

    def __init__(self, files: TypeScriptFiles) -> None:
        self._files = files
        self.all: list[RawSql] = []

    @classmethod
    def gather(cls, files: TypeScriptFiles) -> RawSqls:
        """Look at every call that sends a text."""
        found = cls(files)
        for file in files.containing(*WORDS):
            for call in file.calls:
                found.all += found._of(file, call)
        return found

    def _of(self, file: TypeScriptFile, call: Call) -> Iterator[RawSql]:
        last = call.name.rpartition(".")[2]
        if call.form != "call" or not call.arguments or last not in _SENT | _RAW:
            return
        where = Place(self._files, file, _around(file, call))
        holes = list(where.holes(call.arguments[0]))
        if not holes:
            return
        if not (last in UNSAFE or _is_raw(call, last) or _VERB.match(where.text(call.arguments[0]))):
            return
        for hole, quoted, line in holes:
            reach = where.reach(hole)
            if reach and not where.is_tested(hole):
                yield RawSql(file, call, line, dotted(hole), reach, quoted)
                return


def _is_raw(call: Call, last: str) -> bool:
    return last in _RAW and bool(_RAW_OWNERS.search(call.name.rpartition(".")[0] or call.name))


def _around(file: TypeScriptFile, call: Call) -> list[Function]:
    """Give the functions around a call, the innermost first."""
    inside = [
        f for f in file.functions if f.line <= call.line <= f.end and any(n is call for n in walk(f.body))
    ]
    return sorted(inside, key=lambda f: (f.end - f.line, -f.line))
