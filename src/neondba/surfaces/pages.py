"""The help page of one command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from neondba.surfaces.overview import table
from neondba.surfaces.shape import Argument, arguments_of, command_line, usage

if TYPE_CHECKING:
    from neondba.core.operation import Operation


def command(
    words: Sequence[str],
    summary: str,
    description: str,
    arguments: Sequence[Argument],
    common: Sequence[Argument],
    examples: Sequence[str],
    width: int,
) -> str:
    """Show one command: usage, what it does, arguments, options, examples."""
    lines = [f"Usage: {usage(' '.join(['neondba', *words]), list(arguments))}", "", summary]
    if description:
        lines += ["", description]
    lines += _section("Arguments", [a for a in arguments if a.positional], width)
    lines += _section("Options", [a for a in arguments if not a.positional], width)
    lines += _section("Options of every command", common, width)
    if examples:
        lines += ["", "Examples:", *(f"  {example}" for example in examples)]
    return "\n".join(lines)


def operation(found: Operation, common: Sequence[Argument], width: int) -> str:
    """Show one operation's command."""
    from neondba.surfaces import described

    own = {p.name for p in found.parameters}
    shown = command(
        found.words,
        found.summary,
        described.prose(found),
        [*arguments_of(found), *_turns(found)],
        [
            _fitting(found, argument)
            for argument in common
            if argument.name not in own and _applies(found, argument)
        ],
        examples(found),
        width,
    )
    rows = [(f"exit {one.exit_status}", one.when) for one in described.endings(found)]
    return "\n".join([shown, "", "Problems:", *table(rows, width)]) if rows else shown


def _turns(found: Operation) -> list[Argument]:
    """Give the flags that turn a command into another, with what that one does."""
    from neondba.core.operation import find

    others = [(flag, find(name)) for flag, name in found.turns.items()]
    return [
        Argument(
            flag[2:].replace("-", "_"), f"{other.summary} See: neondba {' '.join(other.words)}", kind="flag"
        )
        for flag, other in others
    ]


def _applies(found: Operation, argument: Argument) -> bool:
    """Say whether an option means anything: what only reads needs no consent."""
    return found.effect != "read" or argument.name not in {"dry_run", "confirm"}


def _fitting(found: Operation, argument: Argument) -> Argument:
    from neondba.surfaces import render

    return replace(argument, choices=render.formats(found)) if argument.name == "format" else argument


def examples(found: Operation) -> list[str]:
    """Spell the examples that succeed as command lines."""
    import shlex

    return [
        shlex.join(["neondba", *command_line(found, example.arguments)])
        for example in found.examples
        if example.problem is None
    ]


def _section(title: str, arguments: Sequence[Argument], width: int) -> list[str]:
    if not arguments:
        return []
    return ["", f"{title}:", *table([(_spelled(a), _told(a)) for a in arguments], width)]


def _spelled(argument: Argument) -> str:
    if argument.positional:
        return argument.metavar
    if argument.negatable:
        return f"{argument.flag}, --no-{argument.flag[2:]}"
    return argument.flag if argument.kind == "flag" else f"{argument.flag} {argument.metavar}"


def _told(argument: Argument) -> str:
    extra = []
    if argument.choices:
        extra.append("one of: " + ", ".join(argument.choices))
    if argument.kind == "list":
        extra.append("may be repeated")
    if argument.kind == "json":
        extra.append("JSON")
    if argument.default is not None:
        extra.append(f"default: {argument.default}")
    if argument.required:
        extra.append("required")
    return argument.description + (f" [{'; '.join(extra)}]" if extra else "")
