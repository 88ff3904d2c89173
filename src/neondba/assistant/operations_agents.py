"""Operations that put the agents into an editor and take them away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from neondba.assistant.editors import LAYOUTS, Editor
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target

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
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person: many files of a folder in one line."""
        lines = [f"For {', '.join(self.editors)}:"]
        counted: dict[tuple[str, str, str], list[str]] = {}
        for each in self.files:
            folder = each.path.split("/skills/")[0] + "/skills" if "/skills/" in each.path else each.path
            counted.setdefault((each.done, folder, each.why), []).append(each.path)
        for (done, folder, why), paths in counted.items():
            many = f"  ({len(paths)} files)" if len(paths) > 1 else ""
            lines.append(f"  {done:<18} {folder}{many}{f'  ({why})' if why else ''}")
        return "\n".join([*lines, *(["", "Next", *(f"  {step}" for step in self.next)] if self.next else [])])


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
        str, Field(description="How the editor starts neondba, as words: 'uvx neondba'.", min_length=1)
    ] = "neondba",
    check: Annotated[bool, Field(description="Write nothing: say how the files stand.")] = False,
) -> AgentsInstalled:
    """Give an editor both agents, the skills and our MCP server.

    Files that others wrote or changed are left alone; in a file that is shared, as .mcp.json, only our entry
    is added. Run again it renews what is older than this release.

    Raises:
        NotFoundProblem: no editor is named and the folder holds files of none.
        ArgumentProblem: a file cannot be read, or leads out of the folder.
    """
    from neondba.assistant import install

    chosen = list(editors) or install.detected(ctx.folder)
    changes = install.installing(ctx.folder, chosen, command.split())
    if not check:
        _carry_out(ctx, "agents.install", changes)
    acted = not check and any(each.acts for each in changes)
    next_ = (f"Open the project anew in {_titles(chosen)}, and ask for neon-database-assistant.",)
    return _result(chosen, changes, next_ if acted else ())


@operation("agents.uninstall", effect=Effect.WRITE, examples=(Example({"editors": ["cursor"]}),))
def agents_uninstall(ctx: Context, editors: Editors = ()) -> AgentsInstalled:
    """Take the agents, the skills and our MCP server out of an editor again.

    What was edited since stays, and is named.

    Raises:
        NotFoundProblem: no editor is named and the folder holds files of none.
        ArgumentProblem: a file cannot be read, or leads out of the folder.
    """
    from neondba.assistant import install

    chosen = list(editors) or install.detected(ctx.folder)
    changes = install.removing(ctx.folder, chosen)
    _carry_out(ctx, "agents.uninstall", changes)
    return _result(chosen, changes, ())


def _carry_out(ctx: Context, name: str, changes: list[Change]) -> None:
    from neondba.assistant import install

    acting = [each for each in changes if each.acts]
    if acting:
        steps = tuple(f"{each.path}: {each.done.value}." for each in acting)
        plan = Plan(operation=name, effect=Effect.WRITE, target=Target(), steps=steps)
        with ctx.carry_out(plan):
            install.carried_out(ctx.folder, acting)


def _result(editors: list[Editor], changes: list[Change], then: tuple[str, ...]) -> AgentsInstalled:
    files = tuple(AgentFile(path=each.path, done=each.done.value, why=each.why) for each in changes)
    return AgentsInstalled(editors=tuple(LAYOUTS[each].title for each in editors), files=files, next=then)


def _titles(editors: list[Editor]) -> str:
    return ", ".join(LAYOUTS[each].title for each in editors)
