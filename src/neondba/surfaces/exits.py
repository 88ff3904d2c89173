"""End a command: print what went wrong, give the exit status."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence

from neondba.core.problem import ConfirmationNeeded, Problem
from neondba.surfaces import consent, output, render, trouble

INTERRUPTED = 130


def guarded(work: Callable[[], int], argv: Sequence[str], subject: str, *, always: Callable[[], None]) -> int:
    """Do the work; give its exit status, or that of what ended it. `always` runs before any message."""
    try:
        return work()
    except Problem as problem:
        always()
        return show_problem(problem, argv)
    except KeyboardInterrupt:
        always()
        output.err("Interrupted.")
        return INTERRUPTED
    except Exception as error:
        always()
        if os.environ.get("NEONDBA_TRACEBACK"):
            raise
        return show_problem(trouble.unexpected(error, subject), argv)


def show_problem(problem: Problem, argv: Sequence[str]) -> int:
    """Print a problem the way the user reads results; give its exit status."""
    if wants_json(argv):
        output.out(render.as_json(problem.report().model_dump(mode="json")))
    else:
        waits = isinstance(problem, ConfirmationNeeded) and "plan" in problem.facts
        hint = consent.how_to_confirm(problem, argv) if waits else problem.hint
        output.err("\n".join(part for part in (problem.message, hint) if part))
    return problem.exit_status


def wants_json(argv: Sequence[str]) -> bool:
    """Say whether problems are to be printed as JSON, also when parsing failed."""
    argv = argv[: argv.index("--")] if "--" in argv else argv
    following = itertools.pairwise(argv)
    return "--format=json" in argv or ("--format", "json") in list(following)
