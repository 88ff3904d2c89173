"""What `--write` may change: numbers that stand in .env, and parameters of the address there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from neondba.connections.check_source import FILES
from neondba.connections.pool_asked import Asked
from neondba.connections.pool_inputs import Inputs
from neondba.connections.pool_settings import prisma_values, variable_values
from neondba.connections.pool_sizes import Sizes
from neondba.connections.snippet_texts import with_parameter
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, parse
from neondba.project import env_file


@dataclass(frozen=True)
class Edits:
    """New values of variables in one file; and, where nothing can be written, why."""

    file: Path | None = None
    values: dict[str, Secret] = field(default_factory=dict, repr=False)
    told: tuple[str, ...] = ()
    """The changes in words, without passwords."""
    why_not: str = ""


def edits(ctx: Context, asked: Asked, inputs: Inputs, sizes: Sizes) -> Edits:
    """Find what a file of variables can say of the advice."""
    folder = ctx.folder / asked.folder
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        return Edits(why_not=f"there is no {' or '.join(FILES)} in {folder}")
    there = env_file.read(file)
    wanted = variable_values(inputs.main, sizes)
    url = _url(there.value(asked.variable), inputs, sizes)
    values = {name: Secret(value) for name, value in wanted.items()}
    told = [
        f"{file.name}: {name}={value}"
        for name, value in wanted.items()
        if not _same(there.value(name), value)
    ]
    if url is not None:
        before, after = url
        if before.render() != after.render():
            values[asked.variable] = after.render()
            told.append(f"{file.name}: {asked.variable}={after.masked()}")
    values = {name: value for name, value in values.items() if there.value(name) != value}
    return Edits(file, values, tuple(told), "" if values else _why_not(inputs))


def _same(there: Secret | None, value: str) -> bool:
    return there is not None and there.reveal() == value


def _url(
    value: Secret | None, inputs: Inputs, sizes: Sizes
) -> tuple[ConnectionString, ConnectionString] | None:
    """Give the address before and after; nothing where it says nothing about pools."""
    if not value:
        return None
    try:
        before = parse(value)
    except ArgumentProblem:
        return None
    after = before
    if inputs.main.library == "prisma":
        for name, number in prisma_values(sizes).items():
            after = with_parameter(after, name, number)
    if sizes.pooled and not before.is_pooled and before.endpoint_id is not None:
        after = after.pooled()
    return before, after


def _why_not(inputs: Inputs) -> str:
    if inputs.main.variables or inputs.main.library == "prisma":
        return "all of it is set already"
    place = f" of {inputs.main.place}" if inputs.main.path else ""
    return f"the pool{place} reads no variable: change the code as shown"
