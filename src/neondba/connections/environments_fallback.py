"""Places where an environment without a database of its own takes another's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from neondba.connections.environments_files import DEVELOPMENT, PRODUCTION, Held, environment_of, of_variable
from neondba.connections.environments_results import IsolationFault
from neondba.connections.explain_results import Place
from neondba.project.environment import EnvFile
from neondba.project.places import is_document, is_test
from neondba.project.tree import Tree

_CODE: Final = (
    ".py",
    ".ts",
    ".tsx",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".go",
    ".yml",
    ".yaml",
    ".sh",
    ".toml",
    ".json",
)
_NAME: Final = r"(?P<{0}>[A-Z][A-Z0-9_]*(?:URL|URI|DSN)[A-Z0-9_]*)"
_ACCESS: Final = (
    r"(?:process\.env\.|import\.meta\.env\.|os\.environ(?:\.get)?[\[(]\s*[\"']|os\.getenv\(\s*[\"']"
    r"|secrets\.|vars\.|env\.|\$\{?)"
)
_END: Final = r"[\"']?\s*[\])}]?"
_OR: Final = re.compile(
    _ACCESS
    + _NAME.format("first")
    + _END
    + r"\s*(?:\|\||\?\?|\bor\b|,|:-)\s*[\"']?"
    + _ACCESS
    + _NAME.format("second")
)


def faults(tree: Tree, files: Sequence[EnvFile], held: Sequence[Held]) -> Iterator[IsolationFault]:
    """Give the fallbacks of code and pipelines, then those of missing lines in files."""
    for path in tree.having(_CODE, ("URL", "URI", "DSN")):
        if not is_test(path) and not is_document(path):
            yield from _in_code(path, tree.text(path) or "")
    yield from _in_files(files, held)


def _in_code(path: str, text: str) -> Iterator[IsolationFault]:
    for found in _OR.finditer(text):
        first, second = of_variable(found["first"]), of_variable(found["second"])
        if first in (None, PRODUCTION) or first == second:
            continue
        if second not in (None, PRODUCTION):
            continue
        whose = (
            "production's" if second == PRODUCTION else "the usual one, which in a deployment is production's"
        )
        yield IsolationFault(
            id=f"{first}-falls-back",
            said=f"Where {found['first']} is not set, {first} takes {found['second']}: {whose}.",
            why=f"A {first} without a database of its own has to fail at its start, not write to another's.",
            evidence="read",
            places=(
                Place(
                    path=path,
                    line=text.count("\n", 0, found.start()) + 1,
                    why=f"{found['first']}, else {found['second']}",
                ),
            ),
            steps=(
                f"Read {found['first']} alone, and stop where it is missing.",
                "Give each preview a branch: neondba workflow write",
            ),
        )


def _in_files(files: Sequence[EnvFile], held: Sequence[Held]) -> Iterator[IsolationFault]:
    """Report a narrower file without the variable, where `.env`, which counts too, has production's."""
    production = {each.database_place for each in held if each.environment == PRODUCTION}
    for file in files:
        environment = environment_of(file.path)
        if file.is_example or environment in (PRODUCTION, DEVELOPMENT):
            continue
        folder = file.path.rpartition("/")[0]
        mine = {entry.key for entry in file.entries}
        for base in held:
            is_base = base.path.rpartition("/")[2] == ".env" and base.path.rpartition("/")[0] == folder
            if is_base and base.variable not in mine and base.database_place in production:
                yield IsolationFault(
                    id=f"{environment}-falls-back",
                    said=f"{file.path} lacks {base.variable}: {environment} takes production's from .env.",
                    why="Loaders of variables read .env too, and keep what the narrower file does not set.",
                    evidence="read",
                    places=(
                        Place(path=file.path, line=1, why=f"no {base.variable}"),
                        Place(path=base.path, line=base.line, why=f"{base.variable}: {base.place}"),
                    ),
                    steps=(f"Make a branch and write it there: neondba branch create {environment}",),
                )
