"""Operations that put the agents into an editor and take them away again."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from neondba.assistant.editors import LAYOUTS, Editor
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem

if TYPE_CHECKING:
    from neondba.assistant.install import Change

Editors = Annotated[
    tuple[Editor, ...],
    Field(description="Editors: claude-code, cursor, vscode, codex; those found in the folder if absent."),
]


class AgentFile(BaseModel):
    """One file, and what became of it."""

    path: str
    done: str
    why: str = ""


class AgentsInstalled(BaseModel):
    """The files of the agents in a project."""

    editors: tuple[str, ...]
    files: tuple[AgentFile, ...]
    checked: bool = False
    """True where nothing was written: `done` is then what an install would do."""
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person: many files of a folder in one line."""
        whom = ", ".join(self.editors)
        lines = [f"Nothing was written. For {whom} an install leads to:" if self.checked else f"For {whom}:"]
        for done, path, why, count in _in_brief(self.files):
            many = f"  ({count} files)" if count > 1 else ""
            lines.append(f"  {done:<18} {path}{many}{f'  ({why})' if why else ''}")
        if not self.files:
            lines.append("  nothing of ours is there")
        return "\n".join([*lines, *(["", "Next", *(f"  {step}" for step in self.next)] if self.next else [])])


def _in_brief(files: Iterable[AgentFile]) -> Iterator[tuple[str, str, str, int]]:
    """Give what was done, where, why, and to how many files: the skills of an editor are one place."""
    counted: dict[tuple[str, str, str], int] = {}
    for each in files:
        folder, within, _ = each.path.partition("/skills/")
        place = (each.done, f"{folder}/skills" if within else each.path, each.why)
        counted[place] = counted.get(place, 0) + 1
    yield from ((*place, count) for place, count in counted.items())


@operation(
    "agents.install",
    effect=Effect.WRITE,
    examples=(Example({"editors": ["claude-code"], "check": True}),),
)
def agents_install(
    ctx: Context,
    editors: Editors = (),
    *,
    command: Annotated[
        str | None,
        Field(description="How the editor starts neondba: 'uvx neondba'; if absent as before, or 'neondba'."),
    ] = None,
    check: Annotated[bool, Field(description="Write nothing: say how the files stand.")] = False,
) -> AgentsInstalled:
    """Give an editor both agents, the skills and our MCP server.

    Files that others wrote or changed are left alone; in a file that is shared, as .mcp.json, only our entry
    is added. Run again it renews what is older than this release. All is written, or nothing.

    Raises:
        NotFoundProblem: no editor is named and the folder holds files of none.
        ArgumentProblem: a file cannot be read or written, or leads out of the folder.
    """
    from neondba.assistant import install

    words = None if command is None else _words(command)
    chosen = list(editors) or install.detected(ctx.folder)
    changes = install.installing(ctx.folder, chosen, words)
    if check:
        return _result(chosen, changes, ()).model_copy(update={"checked": True})
    if not _carry_out(ctx, "agents.install", changes):
        return _result(chosen, changes, ())
    opened = f"Open the project anew in {_titles(chosen)}; where it asks, trust the server neondba."
    return _result(
        chosen,
        changes,
        (opened, "Then ask for neon-database-assistant.", *_whether_found(words or ["neondba"])),
    )


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError as error:
        raise ArgumentProblem(
            "argument-invalid", f"--command: {command} cannot be read: {error}.", hint="Close the quotes."
        ) from None
    if not words:
        raise ArgumentProblem(
            "argument-invalid",
            "--command is empty.",
            hint="Give words such as 'uvx neondba', or leave it out.",
        )
    return words


def _whether_found(words: list[str]) -> tuple[str, ...]:
    """Say so where the editor may not find the program: it has its own search path."""
    import shutil

    found = shutil.which(words[0])
    if found is not None and (sys.prefix == sys.base_prefix or not found.startswith(sys.prefix)):
        return ()
    where = f"only in {sys.prefix}" if found else "nowhere on this search path"
    other = found or "'uvx neondba'"
    return (f"{words[0]} is {where}; if the editor finds none: neondba agents install --command {other}",)


@operation("agents.uninstall", effect=Effect.WRITE, examples=(Example({"editors": ["cursor"]}),))
def agents_uninstall(ctx: Context, editors: Editors = ()) -> AgentsInstalled:
    """Take the agents, the skills and our MCP server out of an editor again.

    What was edited since stays, and is named. All else goes, or nothing.

    Raises:
        NotFoundProblem: no editor is named and the folder holds files of none.
        ArgumentProblem: a file cannot be read or removed, or leads out of the folder.
    """
    from neondba.assistant import install

    chosen = list(editors) or install.detected(ctx.folder, "uninstall")
    changes = install.removing(ctx.folder, chosen)
    _carry_out(ctx, "agents.uninstall", changes)
    return _result(chosen, changes, ())


def _carry_out(ctx: Context, name: str, changes: list[Change]) -> bool:
    from neondba.assistant.file_changes import carried_out

    acting = [each for each in changes if each.acts]
    if acting:
        steps = tuple(
            f"{path}: {f'{count} files ' if count > 1 else ''}{done}."
            for done, path, _why, count in _in_brief(_files(acting))
        )
        plan = Plan(operation=name, effect=Effect.WRITE, target=Target(), steps=steps)
        with ctx.carry_out(plan):
            carried_out(ctx.folder, [(each.path, each.content) for each in acting])
    return bool(acting)


def _files(changes: list[Change]) -> tuple[AgentFile, ...]:
    return tuple(AgentFile(path=each.path, done=each.done.value, why=each.why) for each in changes)


def _result(editors: list[Editor], changes: list[Change], then: tuple[str, ...]) -> AgentsInstalled:
    titles = tuple(LAYOUTS[each].title for each in editors)
    return AgentsInstalled(editors=titles, files=_files(changes), next=then)


def _titles(editors: list[Editor]) -> str:
    return ", ".join(LAYOUTS[each].title for each in editors)
