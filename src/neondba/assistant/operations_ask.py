"""The operation that answers questions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.assistant.ask_results import Answered
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect


@operation(
    "ask",
    effect=Effect.READ,
    featured=True,
    examples=(Example({"question": "how do I bake bread?", "no_project": True}),),
)
def ask(
    ctx: Context,
    question: Annotated[str, Field(description="A question, or the text of an error.", min_length=1)],
    *,
    look: Annotated[
        bool, Field(description="Ask your branches and computes too: this may wake them.")
    ] = False,
    no_project: Annotated[bool, Field(description="Do not look at the files of this folder.")] = False,
) -> Answered:
    """Answer a question on Neon or Postgres with evidence, for this project.

    No model is needed: the answer stands in the skills, every fact with its source, and what concerns the
    question is read in this folder's files. A question that can mean several things is asked back; where
    nothing fits it says so.
    """
    from neondba.assistant.ask import answered

    return answered(ctx, question, servers=look, look_here=not no_project)
