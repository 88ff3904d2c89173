"""What an argument looks like on a command line, read from its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from neondba.core.operation import Operation, Parameter

Kind = Literal["text", "flag", "list", "json"]


@dataclass(frozen=True)
class Argument:
    """One word or option of a command."""

    name: str
    description: str = ""
    positional: bool = False
    required: bool = False
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    default: str | None = None
    negatable: bool = False
    """True for a flag that is on, or undecided, unless the user says no."""

    @property
    def flag(self) -> str:
        """The option's spelling."""
        return "--" + self.name.replace("_", "-")

    @property
    def metavar(self) -> str:
        """The word that stands for the value in a usage line."""
        return self.name.replace("_", "-").upper()


def arguments_of(operation: Operation) -> list[Argument]:
    """Give an operation's arguments as the command line takes them."""
    schema = operation.arguments.model_json_schema()
    return [
        _argument(parameter, schema["properties"][parameter.name], schema.get("$defs", {}))
        for parameter in operation.parameters
    ]


def argument_of_schema(name: str, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Argument:
    """Give the option for one property of any model."""
    alternatives = _alternatives(schema, defs)
    kinds = {str(one.get("type", "")) for one in alternatives}
    choices = tuple(str(value) for one in alternatives for value in one.get("enum", _const(one)))
    kind: Kind = "text"
    if kinds == {"boolean"}:
        kind = "flag"
    elif "array" in kinds:
        kind = "list"
    elif "object" in kinds:
        kind = "json"
    default = schema.get("default")
    return Argument(
        name=name,
        description=str(schema.get("description", "")),
        kind=kind,
        choices=choices,
        default=None if default in (None, [], {}, False) else _shown(default),
        negatable=kind == "flag" and default is not False,
    )


def _const(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else []


def _argument(parameter: Parameter, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Argument:
    found = argument_of_schema(parameter.name, schema, defs)
    return replace(
        found,
        description=parameter.description,
        positional=parameter.positional,
        required=parameter.required,
    )


def _alternatives(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Resolve references and give each alternative but null."""
    if "$ref" in schema:
        return _alternatives(defs[str(schema["$ref"]).rsplit("/", 1)[-1]], defs)
    if "anyOf" in schema:
        return [one for part in schema["anyOf"] for one in _alternatives(part, defs)]
    return [] if schema.get("type") == "null" else [schema]


def _shown(default: Any) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def usage(command: str, arguments: list[Argument]) -> str:
    """Give the usage line: `neondba GROUP VERB NAME [--option VALUE]`."""
    parts = [command]
    for argument in arguments:
        value = argument.metavar + ("..." if argument.positional and argument.kind == "list" else "")
        if not argument.positional:
            value = argument.flag if argument.kind == "flag" else f"{argument.flag} {value}"
        parts.append(value if argument.required else f"[{value}]")
    return " ".join([*parts, "[OPTIONS]"])


def command_line(operation: Operation, values: Mapping[str, Any]) -> list[str]:
    """Spell a call as the words of a command line, also one that will be refused."""
    words = [*operation.words]
    known = arguments_of(operation)
    unknown = [Argument(name) for name in values if name not in {argument.name for argument in known}]
    by_place = True
    for argument in [*known, *unknown]:
        value = values.get(argument.name)
        if value is not None:
            words += _spelled(argument, value, by_place=by_place and argument.positional)
        by_place = by_place and value is not None
    return words


def _spelled(argument: Argument, value: Any, *, by_place: bool) -> list[str]:
    if argument.kind == "flag" and isinstance(value, bool):
        return (
            [argument.flag if value else "--no-" + argument.flag[2:]] if value or argument.negatable else []
        )
    many = list(value) if argument.kind == "list" and isinstance(value, (list, tuple)) else [value]
    texts = [one if isinstance(one, str) else json.dumps(one) for one in many]
    if by_place and not any(text.startswith("-") for text in texts):
        return texts
    return [f"{argument.flag}={text}" for text in texts]
