"""Arguments that the operations on migrations share, described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

Folder = Annotated[Path, Field(description="Folder of the project.")]
Config = Annotated[
    str | None,
    Field(description="The alembic.ini or folder of migrations to use; found in the project if absent."),
]
Python = Annotated[
    str | None, Field(description="Interpreter with the project's Alembic; its .venv if absent.")
]
Tool = Annotated[
    str | None, Field(description="Whose files they are where they look alike, such as golang-migrate.")
]
Database = Annotated[str | None, Field(description="Database on the branch; the usual one if absent.")]
Copied = Annotated[
    str | None, Field(description="Branch whose data to use, by name or id; the default branch if absent.")
]
ProjectWithData = Annotated[
    str | None,
    Field(description="Neon project whose data to use: its id or name; an empty database if absent."),
]
Changed = Annotated[
    str | None, Field(description="Branch to change, by name or id; the default branch if absent.")
]
LockTimeout = Annotated[
    float, Field(description="Seconds that one try waits for a lock; others wait behind it.", gt=0)
]
LockPatience = Annotated[
    float, Field(description="Seconds over all tries of one migration to get its locks.", ge=0)
]
UnderLoad = Annotated[
    bool,
    Field(description="Run them once more while an application is at work, and say what it suffers."),
]
