"""Derive all projections of one operation."""

from __future__ import annotations

import json
import textwrap
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from neondba.core.operation import Operation, Parameter
from neondba.surfaces import described, pages, render, shape, tools
from neondba.surfaces.operations import OperationDetail


def detail(found: Operation) -> OperationDetail:
    """Give everything that derives from one definition."""
    return OperationDetail(
        name=found.name,
        summary=found.summary,
        description=described.prose(found),
        effect=found.effect,
        python=signature(found),
        command=shape.usage(" ".join(["neondba", *found.words]), shape.arguments_of(found)),
        http=f"POST {found.path}",
        tool=tools.described(found),
        arguments=found.arguments.model_json_schema(),
        formats=render.formats(found),
        examples=tuple(pages.examples(found)),
        problems=tuple(sorted({e.problem for e in found.examples if e.problem})),
        raises=tuple(f"{one.kind} (exit {one.exit_status}): {one.when}" for one in described.endings(found)),
    )


def signature(found: Operation) -> str:
    """Give the call as a Python program writes it."""
    given = ", ".join(_parameter(parameter) for parameter in found.parameters)
    call = f'neondba.call("{found.name}"{", " + given if given else ""})'
    return f"{call} -> {_type(found.result)}"


def text(shown: OperationDetail) -> str:
    """Lay the projections under each other."""
    lines = [f"{shown.name}: {shown.summary}"]
    if shown.description:
        lines += ["", shown.description]
    parts = [
        ("Effect", shown.effect.value),
        ("Python", shown.python),
        ("Command line", shown.command),
        ("Formats", ", ".join(shown.formats)),
        ("HTTP", f"{shown.http}\n{json.dumps(shown.arguments, indent=2)}"),
        ("MCP tool", json.dumps(shown.tool, indent=2)),
        ("Examples", "\n".join(shown.examples) or "none"),
        ("Problems", "\n".join([*shown.raises, *shown.problems]) or "none in the examples"),
    ]
    for title, body in parts:
        lines += ["", f"{title}:", textwrap.indent(body, "  ")]
    return "\n".join(lines)


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.required else f" = {_value(parameter.default)}"
    return f"{parameter.name}: {_type(parameter.annotation)}{default}"


def _type(annotation: Any) -> str:
    """Spell a type as a signature does, without what validates it."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inside[0])
    if origin in (Union, UnionType):
        return " | ".join(_type(one) for one in inside)
    if origin is Literal:
        return f"Literal[{', '.join(repr(one) for one in inside)}]"
    if origin is not None:
        return f"{_type(origin)}[{', '.join(_type(one) for one in inside)}]"
    if annotation in (None, type(None)):
        return "None"
    return "..." if annotation is ... else getattr(annotation, "__name__", str(annotation))


def _value(default: Any) -> str:
    if isinstance(default, Enum):
        return f"{type(default).__name__}.{default.name}"
    return f"Path({str(default)!r})" if isinstance(default, Path) else repr(default)
