"""The operation that writes workflows for GitHub."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target


class WorkflowFile(BaseModel):
    """One workflow, and what became of it."""

    path: str
    state: str


class WorkflowsWritten(BaseModel):
    """The workflows of a repository."""

    files: tuple[WorkflowFile, ...]
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        said = [f"{each.state:<24}  {each.path}" for each in self.files]
        return "\n".join([*said, *(["", "Next", *(f"  {step}" for step in self.next)] if self.next else [])])


OPTIONS: Final = {"all": (), "masked": ("--anonymised",), "none": ("--schema-only",)}
NEXT = (
    "Set the secret NEON_API_KEY and the variable NEON_PROJECT_ID in the settings of the repository.",
    "Commit the files. Steps of your own go between the marked lines of neondba-preview.yml.",
)
KEPT = "A file that was edited is left alone: to have it written anew, delete it first."


@operation("workflow.write", effect=Effect.WRITE, examples=(Example({"rows": "masked", "check": True}),))
def workflow_write(
    ctx: Context,
    *,
    rows: Annotated[
        Literal["all", "masked", "none"],
        Field(description="Rows that previews have: the parent's, with personal columns masked, or none."),
    ] = "all",
    check: Annotated[bool, Field(description="Write nothing: say how the files stand.")] = False,
) -> WorkflowsWritten:
    """Write workflows for GitHub: previews, rehearsals, clean-up, a weekly sweep.

    On each pull request a preview branch is made and the pending migrations are rehearsed, told in one
    comment; when it closes the preview goes. Once a week a run shows what is left over, and deletes it only
    when it is run by hand with that plan. Files that others wrote or changed are left alone.

    Raises:
        NotFoundProblem: there is no git repository here.
    """
    from neondba.branches.workflows import FOLDER, State, workflows
    from neondba.core.whole_file import put

    found = workflows(ctx.folder, options=OPTIONS[rows])
    ours = [] if check else [each for each in found if each.is_written]
    if ours:
        steps = tuple(f"Write {FOLDER / each.path.name} ({each.state.value})." for each in ours)
        plan = Plan(operation="workflow.write", effect=Effect.WRITE, target=Target(), steps=steps)
        with ctx.carry_out(plan):
            ours[0].path.parent.mkdir(parents=True, exist_ok=True)
            for each in ours:
                put(each.path, each.content.encode())
    kept = any(each.state in (State.EDITED, State.FOREIGN) for each in found)
    return WorkflowsWritten(
        files=tuple(
            WorkflowFile(path=(FOLDER / each.path.name).as_posix(), state=each.state.value) for each in found
        ),
        next=((KEPT,) if kept else ()) + (NEXT if ours else ()),
    )
