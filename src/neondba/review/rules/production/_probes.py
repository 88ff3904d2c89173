"""Addresses of TypeScript programs that say whether the program is well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Function, Member, Name, Text, walk

_PATH = re.compile(r"/?(?:[\w/-]*/)?(?:health(?:z|[-_]?check)?|ready|readyz|readiness)/?$")
_FILE = re.compile(
    r"(?:^|/)(?:app|pages)/((?:[^/]+/)*(?:health(?:z|[-_]?check)?|ready|readyz|readiness))(?:/route)?\.[jt]sx?$"
)
_ASKS = re.compile(
    r"query|prisma|\bdb\b|sql|pool|database|execute|ping|connect|fetch|drizzle|knex|select", re.IGNORECASE
)


def probes(files: TypeScriptFiles) -> Iterator[tuple[TypeScriptFile, Function, str]]:
    """Give the handlers of such addresses with their paths."""
    for path in files.paths:
        if (found := _FILE.search(path)) and (file := files.get(path)) is not None:
            handler = next((f for f in file.functions if f.name in ("GET", "handler", "")), None)
            if handler is not None:
                yield file, handler, "/" + found[1]
    for file in files.containing("/health", "/ready"):
        for call in file.calls_of("get", "use", "all", "route"):
            first = call.arguments[0] if call.arguments else None
            handler = next((a for a in reversed(call.arguments) if isinstance(a, Function)), None)
            if isinstance(first, Text) and _PATH.fullmatch(first.value) and handler is not None:
                yield file, handler, first.value


def asks(handler: Function) -> bool:
    """Tell whether a handler asks the database or another service."""
    return any(_ASKS.search(str(n.name)) for n in walk(handler.body) if isinstance(n, Call | Name | Member))
