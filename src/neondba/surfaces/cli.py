"""The `neondba` command line. Help is answered from the index, before anything heavy is imported."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from neondba.surfaces import index, output, overview

if TYPE_CHECKING:
    from neondba.core.operation import Operation

_SERVERS = {
    ("chat",): ("Talk with a model of your choice about your databases.", "neondba.surfaces.chat"),
    ("mcp",): ("Serve the operations to a coding agent over stdin and stdout.", "neondba.surfaces.mcp"),
    ("serve",): ("Serve the operations over HTTP on this machine.", "neondba.surfaces.http"),
}
"""Commands that are surfaces themselves: each module has `command(tokens) -> int`."""

_WITHOUT_VALUE = {"--dry-run", "--quiet", "--help", "-h"}


def run(argv: list[str]) -> int:
    """Run a command line and give its exit status."""
    output.prepare()
    try:
        return _dispatched(argv)
    except KeyboardInterrupt:
        output.err("Interrupted.")
        return 130
    except Exception as error:  # noqa: BLE001 - told below
        failure = error
    # Handled by the same code as an operation's failure, imported only now: it needs pydantic.
    from neondba.surfaces import exits

    return exits.guarded(partial(_again, failure), argv, "neondba", always=lambda: None)


def _again(failure: Exception) -> int:
    raise failure


def _dispatched(argv: list[str]) -> int:
    words, leading, rest = _split(argv)
    if not words:
        return _without_command(leading)
    server = _SERVERS.get((words[0],))
    if server is not None:
        return int(importlib.import_module(server[1]).command([*leading, *words[1:], *rest]))
    known = index.listed()
    for length in range(len(words), 0, -1):
        item = known.get(tuple(words[:length]))
        if item is not None:
            from neondba.surfaces import command

            return command.run(index.loaded(item), [*leading, *words[length:], *rest], argv)
    alone = _standing_alone(words[0]) if len(words) > 1 or rest else None
    if alone is not None and not (len(words) == 1 and {"--help", "-h"} & set(rest)):
        from neondba.surfaces import command

        return command.run(alone, [*leading, *words[1:], *rest], argv)
    return _group_or_unknown(words, [*leading, *rest], argv)


def _standing_alone(group: str) -> Operation | None:
    """Give the operation that a group's word means when no verb follows."""
    members = [index.loaded(item) for words, item in index.listed().items() if words[0] == group]
    return next((found for found in members if found.alone), None)


def _split(argv: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Part into the command's words, the options before them, and what follows."""
    leading: list[str] = []
    place = 0
    while place < len(argv) and argv[place].startswith("-"):
        takes = argv[place] not in {*_WITHOUT_VALUE, "--version"} and "=" not in argv[place]
        leading += argv[place : place + (2 if takes else 1)]
        place += 2 if takes else 1
    end = place
    while end < len(argv) and not argv[end].startswith("-"):
        end += 1
    return list(argv[place:end]), leading, list(argv[end:])


def _without_command(leading: Sequence[str]) -> int:
    if "--version" in leading:
        from neondba import __version__

        output.out(f"neondba {__version__}")
        return 0
    if all(token in _WITHOUT_VALUE for token in leading):
        output.out(overview.everything(_commands(), output.width()))
        return 0
    return _usage_error("No command was given.", "neondba --help lists the commands.", leading)


def _commands() -> list[tuple[tuple[str, ...], str]]:
    listed = [(words, item.summary) for words, item in index.listed().items()]
    return sorted([*listed, *((words, summary) for words, (summary, _) in _SERVERS.items())])


def _group_or_unknown(words: Sequence[str], options: Sequence[str], argv: Sequence[str]) -> int:
    members = [row for row in _commands() if row[0][0] == words[0]]
    if members and len(words) == 1:
        text = overview.group(words[0], members, output.width())
        if "--help" in options or "-h" in options:
            output.out(text)
            return 0
        output.err(text)
        return 2
    near = _nearest(words)
    return _usage_error(
        f"neondba has no command called {' '.join(words[:2] if members else words[:1])}.",
        f"Did you mean: neondba {near}?" if near else "neondba --help lists the commands.",
        argv,
    )


def _nearest(words: Sequence[str]) -> str | None:
    import difflib

    known = [" ".join(row[0]) for row in _commands()]
    for written in (" ".join(words[:2]), words[0]):
        near = difflib.get_close_matches(written, known, n=1, cutoff=0.6)
        if near:
            return near[0]
    groups = difflib.get_close_matches(words[0], {name.split()[0] for name in known}, n=1, cutoff=0.6)
    return f"{groups[0]} --help" if groups else None


def _usage_error(message: str, hint: str, argv: Sequence[str]) -> int:
    from neondba.core.problem import ArgumentProblem
    from neondba.surfaces import exits

    return exits.show_problem(ArgumentProblem("command-unknown", message, hint=hint), argv)
