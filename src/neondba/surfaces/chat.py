"""Talk with a model of the user's choice about their databases: `neondba chat`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neondba.core.problem import ArgumentProblem
from neondba.surfaces.shape import Argument

if TYPE_CHECKING:
    from neondba.core.context import Context
    from neondba.surfaces.chat_session import Session

SUMMARY = "Talk with a model of your choice about your databases."
_NO_TRANSCRIPT = Argument("no_transcript", "Keep no record of the chat.", kind="flag")
_LEAVING = {"exit", "quit", "/exit", "/quit"}
_GREETING = "Ask about your databases; what changes something is shown to you first. Ctrl-D ends."


def command(tokens: Sequence[str]) -> int:
    """Talk until the user ends it."""
    from neondba.surfaces import server_command
    from neondba.surfaces.scope import ONLY, READ_ONLY

    return server_command.run("chat", SUMMARY, [READ_ONLY, ONLY, _NO_TRANSCRIPT], tokens, _serve)


def _serve(base: Context, values: dict[str, Any]) -> int:
    from neondba.assistant import chat_model
    from neondba.surfaces import output
    from neondba.surfaces.scope import Scope

    # Before the library is imported: that takes a second.
    model = chat_model.model_of(base.settings.model)
    from neondba.surfaces.chat_session import session

    scope = Scope(read_only=bool(values.get("read_only")), project=values.get("only_project"))
    with session(base, model, scope, recorded=not values.get("no_transcript")) as talk:
        return _loop(talk) if output.is_terminal(sys.stdin) else _one(talk)


def _one(talk: Session) -> int:
    question = sys.stdin.read().strip()
    if not question:
        raise ArgumentProblem(
            "question-missing",
            "Nothing was asked.",
            hint='Pipe one question, as echo "..." | neondba chat, or start neondba chat in a terminal.',
        )
    talk.ask(question)
    return 0


def _loop(talk: Session) -> int:
    from neondba.core.problem import Problem
    from neondba.surfaces import exits, output

    output.err(_GREETING)
    while (question := _read()) is not None and question not in _LEAVING:
        if not question:
            continue
        try:
            talk.ask(question)
        except Problem as problem:
            exits.show_problem(problem, [])
    return 0


def _read() -> str | None:
    """Give the next line; `None` at the end, which Ctrl-C is too while nothing is under way."""
    from neondba.surfaces import output

    try:
        if output.is_terminal(sys.stdout):
            # Gives input() its editing and history; Windows has none.
            import contextlib

            with contextlib.suppress(ImportError):
                import readline  # noqa: F401
            return input("\n> ").strip()
        sys.stderr.write("\n> ")
        sys.stderr.flush()
        line = sys.stdin.readline()
    except (KeyboardInterrupt, EOFError):
        output.err("")
        return None
    return line.strip() if line else None
