"""A local Neon as a process of its own, and how tests speak to it."""

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
class World:
    """A state folder with a local Neon over it."""

    state: Path
    said: list[str] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)
    """Projects that single tests had."""

    def context(self, project: str | None = None) -> Context:
        settings = Settings(state_dir=self.state, project=project)
        return Context(settings=settings, listener=lambda text, _done: self.said.append(text))

    def client(self) -> NeonClient:
        return platform.client(self.context())

    def call(self, name: str, project: str | None = None, /, **arguments: Any) -> Any:
        """Run an operation, with consent to whatever it plans."""
        ctx = self.context(project)
        ctx.ask = lambda _plan: True
        return capabilities.load()[name].call(ctx, arguments)

    def sql(self, project: str, branch: str, statement: str) -> list[Any]:
        """Run a statement on a branch as the owner of its database."""
        with self.client() as client:
            found = client.find_project(project)
            url = reached(client, found.id, client.find_branch(found, branch)).direct.reveal()
        with psycopg.connect(url, autocommit=True) as db:
            done = db.execute(statement.encode())
            return done.fetchall() if done.description else []
