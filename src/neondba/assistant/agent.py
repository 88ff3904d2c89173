"""The two agents as text: what each is for, how it works, what it holds to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.assistant.skill import NAMES

FOLDER: Final = Path(__file__).parent / "agents"


@dataclass(frozen=True)
class Agent:
    """One agent definition."""

    name: str
    description: str
    """When an editor should hand work to it."""
    skills: tuple[str, ...]

    @property
    def body(self) -> str:
        """Its instructions."""
        return (FOLDER / f"{self.name}.md").read_text(encoding="utf-8")


AGENTS: Final = (
    Agent(
        "neon-database-assistant",
        "Helps with PostgreSQL on Neon: set-up, connections and pooling, branches, migrations, security, "
        "moving data, cost, production. Use it for questions about the database and to carry out what they "
        "lead to.",
        NAMES,
    ),
    Agent(
        "neon-db-manager",
        "Sets up and checks database connections, schema, isolation of users and production readiness on "
        "Neon, under strict constraints. Use it before a change to the database layer is merged or deployed.",
        (
            "neon-getting-started-account-connection",
            "neon-authentication-security",
            "neon-connection-pooling",
            "neon-branching-workflows",
            "neon-production-deployment",
        ),
    ),
)
