"""Arguments of the proofs of isolation, described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

Folder = Annotated[Path, Field(description="Folder of the project.")]
AppRole = Annotated[
    str | None, Field(description="Role the application logs in with; found in the project if absent.")
]
Owners = Annotated[
    tuple[str, ...], Field(description="Owner columns as table.column, beside those found by name.")
]
Config = Annotated[
    str | None, Field(description="The alembic.ini to use, seen from the folder; found if absent.")
]
AlembicPython = Annotated[
    str | None, Field(description="Interpreter with the project's Alembic; its .venv if absent.")
]
AppPython = Annotated[
    str | None, Field(description="Interpreter with the application's packages; its .venv if absent.")
]
Project = Annotated[
    str | None,
    Field(description="Neon project to branch from: its id or name; an empty database if absent."),
]
Database = Annotated[str | None, Field(description="Database on the branch; the usual one if absent.")]
Walks = Annotated[bool, Field(description="Walk the routes of the application instead: isolation walk.")]
App = Annotated[str | None, Field(description="The application as module:name; found if absent.")]
Start = Annotated[str | None, Field(description="Command that starts it, with {port}; uvicorn if absent.")]
Prepare = Annotated[
    str | None, Field(description="Command to run before, such as one that makes the tables.")
]
Values = Annotated[
    tuple[str, ...], Field(description="NAME=VALUE for the application; its .env is not read.")
]
Login = Annotated[str | None, Field(description="Path of the route where users log in; found if absent.")]
Register = Annotated[
    str | None, Field(description="Path of the route where users register; found if absent.")
]
Shared = Annotated[tuple[str, ...], Field(description="Tables whose rows every user may read.")]
Parent = Annotated[
    str | None, Field(description="Branch to copy; the one in .neon if absent, else the default branch.")
]
SchemaOnly = Annotated[bool, Field(description="Copy the branch's tables without its rows.")]
Limit = Annotated[float, Field(description="Seconds after which the walk ends.", gt=0)]
