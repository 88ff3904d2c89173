"""A project on a local Neon that the tests of access look at, and how they call operations on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import platform
from neondba.neon.client import NeonClient
from neondba.neon.throwaway import reached


@dataclass
class Reached:
    """The project `desk` with its default branch `main`."""

    state: Path
    name: str = "desk"
    id: str = ""
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = str(self.call("project.create", name=self.name).id)

    def context(self, folder: Path | None = None) -> Context:
        settings = Settings(state_dir=self.state, project=self.id or None)
        return Context(
            settings=settings,
            folder=folder or self.state,
            listener=lambda text, _done: self.said.append(text),
        )

    def client(self) -> NeonClient:
        return platform.client(self.context())

    def call(self, name: str, /, *, folder: Path | None = None, **arguments: Any) -> Any:
        """Run an operation, with consent to whatever it plans."""
        ctx = self.context(folder)
        ctx.ask = lambda _plan: True
        return capabilities.load()[name].call(ctx, arguments)

    def url(self, branch: str = "main") -> str:
        with self.client() as client:
            return reached(
                client, self.id, client.find_branch(client.project(self.id), branch)
            ).direct.reveal()

    def sql(self, statement: str, branch: str = "main") -> list[Any]:
        """Run statements as the owner of the database."""
        with psycopg.connect(self.url(branch), autocommit=True) as db:
            done = db.execute(statement.encode())
            return done.fetchall() if done.description else []
