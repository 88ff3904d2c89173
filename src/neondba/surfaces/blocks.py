"""A result as blocks to read: pairs, tables, lines. Printers lay them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from neondba.core.plan import Plan


@dataclass(frozen=True)
class Lines:
    """Text as it is."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Pairs:
    """Names and values of one thing."""

    rows: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Several things of one kind."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


Block = Lines | Pairs | Table


def blocks_of(result: Any, width: int) -> list[Block]:
    """Break a result into blocks; a model that brings its own text is one block."""
    if result is None:
        return [Lines("Done.")]
    if isinstance(result, Plan):
        return _of_plan(result)
    if isinstance(result, BaseModel):
        own = getattr(result, "as_text", None)
        return [Lines(clean(str(own(width))))] if own is not None else _of_model(result)
    if isinstance(result, (list, tuple, set, frozenset)):
        return _of_list(list(result), "")
    if isinstance(result, Mapping):
        return [Pairs(tuple((label(str(key)), cell(value)) for key, value in result.items()))]
    return [Lines(cell(result))]


def clean(text: str) -> str:
    """Replace control characters: names come from elsewhere and must not steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def cell(value: Any) -> str:
    """Give a value as one short text."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case Enum():
            return cell(value.value)
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case timedelta():
            return str(value)
        case BaseModel():
            return ", ".join(f"{label(k)} {cell(v)}" for k, v in value if v not in (None, (), []))
        case Mapping():
            return ", ".join(f"{label(str(k))} {cell(v)}" for k, v in value.items()) or "-"
        case list() | tuple() | set() | frozenset():
            return ", ".join(cell(one) for one in value) or "-"
    return clean(str(value))


def label(name: str) -> str:
    """Give a field's name as words."""
    return clean(name.replace("_", " "))


def _of_plan(plan: Plan) -> list[Block]:
    target = [(label(name), cell(value)) for name, value in plan.target if value]
    steps = "\n".join(f"{number}. {clean(step)}" for number, step in enumerate(plan.steps, start=1))
    rows = [("operation", plan.operation), ("effect", plan.effect.value), *target, ("plan", plan.hash)]
    blocks: list[Block] = [Pairs(tuple(rows)), Lines(steps, "Steps")]
    if plan.measured:
        blocks.append(Lines("\n".join(map(clean, plan.measured)), "Measured"))
    return blocks


def _of_model(model: BaseModel) -> list[Block]:
    pairs: list[tuple[str, str]] = []
    below: list[Block] = []
    for name, value in model:
        if name == "next":
            continue
        if isinstance(value, BaseModel):
            inner = _of_model(value)
            below += [_titled(block, label(name)) for block in inner[:1]] + inner[1:]
        elif isinstance(value, (list, tuple)) and any(isinstance(one, BaseModel) for one in value):
            below += _of_list(list(value), label(name))
        elif isinstance(value, str) and "\n" in value:
            below.append(Lines(clean(value), label(name)))
        else:
            pairs.append((label(name), cell(value)))
    head: list[Block] = [Pairs(tuple(pairs))] if pairs else []
    return [*head, *below, *_next(model)]


def _next(model: BaseModel) -> list[Block]:
    steps = getattr(model, "next", None)
    steps = [steps] if isinstance(steps, str) else steps
    return [Lines("\n".join(cell(step) for step in steps), "Next")] if steps else []


def _of_list(values: Sequence[Any], title: str) -> list[Block]:
    if not values:
        return [Lines("None.", title)]
    models = [value for value in values if isinstance(value, BaseModel)]
    if len(models) < len(values):
        return [Lines("\n".join(cell(value) for value in values), title)]
    names = [n for n in type(models[0]).model_fields if any(_tells(getattr(m, n, None)) for m in models)]
    rows = tuple(tuple(cell(getattr(model, name, None)) for name in names) for model in models)
    return [Table(tuple(label(name) for name in names), rows, title)]


def _tells(value: Any) -> bool:
    return value is not None and value not in ("", (), [], {})


def _titled(block: Block, title: str) -> Block:
    return type(block)(**{**vars(block), "title": title})
