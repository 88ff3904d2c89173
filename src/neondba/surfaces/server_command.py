"""The commands that serve: parse their options, then hand over."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from neondba.core import settings
from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.surfaces import command, options, output, pages, trouble
from neondba.surfaces.parse import parse
from neondba.surfaces.shape import Argument, usage

Serve = Callable[[Context, dict[str, Any]], int]


def run(name: str, summary: str, arguments: list[Argument], tokens: Sequence[str], serve: Serve) -> int:
    """Run a serving command until it ends; give its exit status."""
    common = options.settings()
    if command.asks_for_help(tokens):
        output.out(pages.command([name], summary, "", arguments, common, [], output.width()))
        return 0
    try:
        values = parse(tokens, [*arguments, *common], usage(f"neondba {name}", arguments))
        own = {argument.name for argument in arguments}
        flags = {key: value for key, value in values.items() if key not in own}
        mine = {key: value for key, value in values.items() if key in own}
        return serve(Context(settings=settings.load(flags)), mine)
    except Problem as problem:
        return command.show_problem(problem, tokens)
    except KeyboardInterrupt:
        return command.show_interrupt()
    except Exception as error:
        if os.environ.get("NEONDBA_TRACEBACK"):
            raise
        return command.show_problem(trouble.unexpected(error, f"neondba {name}"), tokens)
