"""Run one operation as a command: parse, call, ask, show, and give the exit status."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from neondba.core import settings
from neondba.core.context import Context
from neondba.core.operation import find
from neondba.surfaces import consent, exits, options, output, pages, render
from neondba.surfaces.parse import own_words, parse
from neondba.surfaces.progress import ProgressLine
from neondba.surfaces.shape import arguments_of, usage

if TYPE_CHECKING:
    from neondba.core.operation import Operation


def run(operation: Operation, tokens: Sequence[str], argv: Sequence[str]) -> int:
    """Carry out the command; `argv` is all that the user wrote."""
    for flag, other in operation.turns.items():
        if flag in own_words(tokens):
            return run(find(other), [token for token in tokens if token != flag], argv)
    if asks_for_help(tokens):
        output.out(pages.operation(operation, options.every(), output.width()))
        return 0
    line = ProgressLine(quiet="--quiet" in own_words(tokens))
    work = partial(_carried_out, operation, tokens, line)
    return exits.guarded(work, argv, operation.name, always=line.clear)


def asks_for_help(tokens: Sequence[str]) -> bool:
    """Say whether help is wanted instead of the command."""
    return not {"--help", "-h"}.isdisjoint(own_words(tokens))


def split(values: dict[str, Any], own: set[str]) -> tuple[options.Running, dict[str, Any], dict[str, Any]]:
    """Part parsed values into: how to run, settings, arguments."""
    mine = {name: value for name, value in values.items() if name in own}
    others = {name: value for name, value in values.items() if name not in own}
    running = {argument.name for argument in options.RUNNING}
    flags = {name: value for name, value in others.items() if name not in running}
    return options.running(others), flags, mine


def _carried_out(operation: Operation, tokens: Sequence[str], line: ProgressLine) -> int:
    arguments = arguments_of(operation)
    own = {argument.name for argument in arguments}
    every = [*arguments, *(argument for argument in options.every() if argument.name not in own)]
    values = parse(tokens, every, usage(" ".join(["neondba", *operation.words]), arguments))
    running, flags, mine = split(values, own)
    render.check_format(operation, running.format)
    # What a library notes in its log, such as a query cut off by Ctrl-C, is no answer to the user.
    logging.lastResort = None
    ctx = Context(
        settings=settings.load(flags),
        listener=line,
        dry_run=running.dry_run,
        confirmation=running.confirm,
        ask=_ask(line) if running.format == "terminal" else None,
        console=_console(line) if running.format == "terminal" else None,
        feed=_feed(line) if _reads_json(running.format) else None,
    )
    result = operation.call(ctx, mine)
    line.clear()
    if getattr(result, "is_fed", False):
        return 1 if _findings(operation, result) else 0
    if shown := _shown(operation, result, running.format):
        output.out(shown)
    # A result may bring the exit status of a program that ran for it.
    own_status: int | None = getattr(result, "exit_status", None)
    return (1 if _findings(operation, result) else 0) if own_status is None else own_status


def _console(line: ProgressLine) -> Callable[[str], None]:
    def say(text: str) -> None:
        line.clear()
        if text:
            output.out(text)

    return say


def _reads_json(wanted: str) -> bool:
    """Tell whether a program reads a series as it comes: it asked for JSON, or no terminal is there."""
    return wanted == "json" or (wanted == "terminal" and not output.is_terminal(sys.stdout))


def _feed(line: ProgressLine) -> Callable[[str], bool]:
    def say(text: str) -> bool:
        line.clear()
        return output.out(text)

    return say


def _ask(line: ProgressLine) -> Any:
    ask = consent.asker()
    if ask is None:
        return None

    def cleared(plan: Any) -> bool:
        line.clear()
        return ask(plan)

    return cleared


def _findings(operation: Operation, result: Any) -> int:
    from neondba.core.plan import Plan

    return 0 if isinstance(result, Plan) else operation.findings(result)


def _shown(operation: Operation, result: Any, wanted: str) -> str:
    if wanted == "terminal" and output.is_terminal(sys.stdout):
        from neondba.surfaces import render_rich

        return render_rich.show(result, output.width(), colour=output.wants_colour(sys.stdout))
    plain = not output.is_unicode(sys.stdout)
    return render.render(operation, result, wanted, output.width(), ascii_only=plain)
