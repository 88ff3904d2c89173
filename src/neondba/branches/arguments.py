"""Arguments that several operations on branches take, described once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.core.duration import Duration

AnyBranch = Annotated[str, Field(description="The branch: its name or its id.", min_length=1)]
NewName = Annotated[str, Field(description="Name of the new branch.", min_length=1, max_length=256)]
Parent = Annotated[str | None, Field(description="Branch to copy; the default one if absent.")]
Expires = Annotated[Duration | None, Field(description="Delete it after this long, such as 90m, 3h or 3d.")]
At = Annotated[
    str | None,
    Field(description='Point of history: time with zone, LSN, or "10m ago".'),
]
KeepAs = Annotated[
    str | None,
    Field(description="Keep what is there now as a branch of this name.", min_length=1, max_length=256),
]
