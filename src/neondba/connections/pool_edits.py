"""What `--write` may change: numbers that stand in .env, and parameters of the address there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from neondba.connections.check_source import FILES
from neondba.connections.pool_asked import Asked
from neondba.connections.pool_code_edit import CodeEdit, code_edit
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
    """New values of variables in one file, and new numbers in code; where there are none, why."""

    file: Path | None = None
    values: dict[str, Secret] = field(default_factory=dict, repr=False)
    code: CodeEdit | None = None
    told: tuple[str, ...] = ()
    """The changes in words, without passwords."""
    why_not: str = ""
    done: bool = False
    """True where all that could be written stands there already."""


def edits(ctx: Context, asked: Asked, inputs: Inputs, sizes: Sizes) -> Edits:
    """Find what a file of variables, and plain numbers in code, can say of the advice."""
    folder = ctx.folder / asked.folder
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    wanted = variable_values(inputs.main, sizes)
    values, told = _of_variables(file, asked, inputs, sizes) if file is not None else ({}, [])
    code = None if wanted or not inputs.found else code_edit(folder, inputs.main, sizes)
    if isinstance(code, CodeEdit) and code.told:
        return Edits(file, values, code, (*told, *code.told))
    if values:
        return Edits(file, values, None, tuple(told))
    if isinstance(code, CodeEdit) or (file is not None and (wanted or inputs.main.library == "prisma")):
        return Edits(done=True)
    if isinstance(code, str):
        return Edits(why_not=code)
    missing = f"there is no {' or '.join(FILES)} in {folder}"
    return Edits(why_not=missing if inputs.found else "no pool was found in the code")


def _of_variables(
    file: Path, asked: Asked, inputs: Inputs, sizes: Sizes
) -> tuple[dict[str, Secret], list[str]]:
    """Give what changes in a file of variables, and the same in words."""
    there = env_file.read(file)
    values, told = {}, []
    for name, value in variable_values(inputs.main, sizes).items():
        if not _same(there.value(name), value):
            values[name] = Secret(value)
            told.append(f"{file.name}: {name}={value}")
    url = _url(there.value(asked.variable), inputs, sizes)
    if url is not None and url[0].render() != url[1].render():
        values[asked.variable] = url[1].render()
        told.append(f"{file.name}: {asked.variable}={url[1].masked()}")
    return values, told


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
