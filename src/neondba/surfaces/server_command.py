"""The commands that serve: parse their options, then hand over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from neondba.core import settings
from neondba.core.context import Context
from neondba.surfaces import command, exits, options, output, pages
from neondba.surfaces.parse import parse
from neondba.surfaces.shape import Argument, usage

Serve = Callable[[Context, dict[str, Any]], int]


def run(name: str, summary: str, arguments: list[Argument], tokens: Sequence[str], serve: Serve) -> int:
    """Run a serving command until it ends; give its exit status."""
    if command.asks_for_help(tokens):
        output.out(pages.command([name], summary, "", arguments, options.settings(), [], output.width()))
        return 0
    work = partial(_served, name, arguments, tokens, serve)
    return exits.guarded(work, tokens, f"neondba {name}", always=lambda: None)


def _served(name: str, arguments: list[Argument], tokens: Sequence[str], serve: Serve) -> int:
    values = parse(tokens, [*arguments, *options.settings()], usage(f"neondba {name}", arguments))
    own = {argument.name for argument in arguments}
    flags = {key: value for key, value in values.items() if key not in own}
    mine = {key: value for key, value in values.items() if key in own}
    return serve(Context(settings=settings.load(flags)), mine)
