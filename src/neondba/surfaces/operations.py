"""Operations about the operations: which there are, and all that derives from one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, find, operation
from neondba.core.plan import Effect


class OperationSummary(BaseModel):
    """One operation in a list."""

    name: str
    effect: Effect
    summary: str
    command: str


class OperationDetail(BaseModel):
    """Everything that derives from one definition."""

    name: str
    summary: str
    description: str
    effect: Effect
    python: str
    command: str
    http: str
    tool: dict[str, Any]
    """The MCP tool as it is listed."""
    arguments: dict[str, Any]
    """JSON schema of the arguments."""
    formats: tuple[str, ...]
    examples: tuple[str, ...]
    problems: tuple[str, ...]
    """Codes of the problems that the examples end in."""
    raises: tuple[str, ...]
    """When it ends in which kind of problem."""

    def as_text(self, width: int) -> str:  # noqa: ARG002 - schemas are not wrapped
        """Show each projection under its name."""
        from neondba.surfaces.detail import text

        return text(self)


@operation("operation.list", effect=Effect.READ, examples=(Example(),))
def operation_list(ctx: Context) -> list[OperationSummary]:
    """List every operation with its effect."""
    from neondba.capabilities import load

    return [
        OperationSummary(
            name=found.name,
            effect=found.effect,
            summary=found.summary,
            command=" ".join(["neondba", *found.words]),
        )
        for found in load().values()
    ]


@operation(
    "operation.show",
    effect=Effect.READ,
    examples=(
        Example({"name": "operation.list"}),
        Example({"name": "operation.nothing"}, problem="operation-not-found"),
        Example({}, problem="argument-invalid"),
    ),
)
def operation_show(
    ctx: Context,
    name: Annotated[str, Field(description="Name of the operation, such as operation.list.", min_length=1)],
) -> OperationDetail:
    """Show everything that derives from one operation.

    The Python signature, the command, the agents' tool, the HTTP path, the effect, the examples and the
    problems they end in.

    Raises:
        NotFoundProblem: no operation is called so.
    """
    from neondba.capabilities import load
    from neondba.surfaces.detail import detail

    load()
    return detail(find(name))
