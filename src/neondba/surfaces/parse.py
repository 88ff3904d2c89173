"""Split a command line into values. Only the operation's own model judges them."""

from __future__ import annotations

import inspect
import json
import keyword
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from neondba.core.problem import ArgumentProblem
from neondba.core.settings import SECRET_FIELDS, environment_names, flag_of
from neondba.surfaces.shape import Argument

if TYPE_CHECKING:
    from cyclopts import App

_TYPES: dict[str, Any] = {
    "text": str | None,
    "json": str | None,
    "list": list[str] | None,
    "flag": bool | None,
}

_KEPT = "\ufdd0"
"""Stands before a text that begins like an option, while options are looked for: no text can hold it."""


def parse(tokens: Sequence[str], arguments: Sequence[Argument], usage: str) -> dict[str, Any]:
    """Give the values that were written, by argument name.

    Raises:
        ArgumentProblem: an option is unknown, lacks its value or is repeated; JSON is malformed.
    """
    from cyclopts import CycloptsError, UnusedCliTokensError

    _refuse_secrets(tokens)
    try:
        kept = [_KEPT + token if _is_text(token) else token for token in tokens]
        _, bound, _ = _app(arguments).parse_args(kept, exit_on_error=False, print_error=False)
    except UnusedCliTokensError as error:
        spare = error.unused_tokens or ()
        quotes = " Put words that belong together in quotes." if len(spare) > 1 else ""
        raise _refused(f"{_plain(' '.join(spare))} is more than this command takes.{quotes}", usage) from None
    except CycloptsError as error:
        raise _refused(_plain(_on_one_line(str(error))), usage) from None
    by_name = {_in_python(argument.name): argument for argument in arguments}
    given = [(by_name[name], value) for name, value in bound.arguments.items()]
    return {argument.name: _value(argument, _plain(value), usage) for argument, value in given}


def _is_text(token: str) -> bool:
    """Tell whether a token is a question or a statement that begins with a dash: no option has a blank."""
    return token.startswith("-") and any(letter.isspace() for letter in token.partition("=")[0].rstrip())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.replace(_KEPT, "") if isinstance(value, str) else value


def own_words(tokens: Sequence[str]) -> Sequence[str]:
    """Give what stands before `--`: the rest belongs to another program."""
    return tokens[: tokens.index("--")] if "--" in tokens else tokens


def _refuse_secrets(tokens: Sequence[str]) -> None:
    for field in sorted(SECRET_FIELDS):
        if any(token.partition("=")[0] == flag_of(field) for token in own_words(tokens)):
            raise ArgumentProblem(
                "secret-on-command-line",
                f"{flag_of(field)} is no option: every user of a machine can read command lines.",
                hint=f"Set {environment_names(field)[0]} in the environment, and replace what was shown.",
            )


def _app(arguments: Sequence[Argument]) -> App:
    from cyclopts import App

    def command(*_given: object, **_named: object) -> None:
        """Stand for the operation: only the signature is used."""

    signature = inspect.Signature([_parameter(argument) for argument in _in_order(arguments)])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    app = App(name="neondba", help_flags=[], version_flags=[], result_action="return_value")
    app.default(command)
    return app


def _in_order(arguments: Sequence[Argument]) -> list[Argument]:
    return sorted(arguments, key=lambda argument: not argument.positional)


def _parameter(argument: Argument) -> inspect.Parameter:
    from cyclopts import Parameter

    # Nothing is required here, so that every surface reports a missing argument in the same words.
    spelled = Parameter(name=argument.flag, negative=None if argument.negatable else ())
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if argument.positional else inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(
        _in_python(argument.name), kind, default=None, annotation=Annotated[_TYPES[argument.kind], spelled]
    )


def _in_python(name: str) -> str:
    """Spell a name that is a word of Python's own so that it can be a parameter."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _value(argument: Argument, value: Any, usage: str) -> Any:
    if argument.kind != "json" or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise _refused(f"{argument.flag} takes JSON: {error}.", usage) from None


def _refused(message: str, usage: str) -> ArgumentProblem:
    return ArgumentProblem("argument-invalid", message, hint=f"Usage: {usage}")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
