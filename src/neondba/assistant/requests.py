"""The twelve requests that the assistant is called for, each with the skill and operations that serve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Request:
    """Something that people ask for in these words."""

    name: str
    asked: str
    """In the words of the one who asks; `{what}` stands for what they name."""
    skill: str
    looks: tuple[str, ...]
    """Operations that only look: run these first."""
    does: tuple[str, ...]
    """Operations that do it, after a plan and consent."""
    what: str = ""
    """What `{what}` stands for; empty where nothing is to be named."""

    def text(self, what: str = "") -> str:
        """Give the request as an agent gets it."""
        lines = [
            self.asked.replace("{what}", what.strip() or self.what),
            "",
            f"Read the skill first: neondba://skill/{self.skill}",
            f"Look before you advise: {', '.join(self.looks)}.",
            f"To do it: {', '.join(self.does)}. Each gives a plan; show it and wait for consent.",
            "Answer with what you found (file and line, or the measurement), the steps, what you could not "
            "check, and when to ask Neon's support or a security reviewer.",
        ]
        return "\n".join(lines)


REQUESTS: Final = (
    Request(
        "set-up-neon",
        "Help me set up Neon for my project.",
        "neon-getting-started-account-connection",
        ("review", "connection.check"),
        ("setup",),
    ),
    Request(
        "connect-application",
        "How do I connect {what} to Neon?",
        "neon-getting-started-account-connection",
        ("connection.check", "connection.explain"),
        ("setup",),
        what="my application",
    ),
    Request(
        "configure-pooling",
        "Configure connection pooling for {what}.",
        "neon-connection-pooling",
        ("pool.advise", "connection.check"),
        ("pool.advise", "pool.rehearse"),
        what="my application",
    ),
    Request(
        "branching-workflow",
        "Create a branching workflow for my team.",
        "neon-branching-workflows",
        ("branch.list", "policy.check"),
        ("workflow.write", "policy.apply", "branch.create"),
    ),
    Request(
        "optimize-database",
        "Optimize my Neon database for {what}.",
        "neon-console-management-monitoring",
        ("review", "query.run"),
        ("migration.rehearse", "migration.apply"),
        what="performance",
    ),
    Request(
        "implement-security",
        "How do I implement {what} in Neon?",
        "neon-authentication-security",
        ("role.audit", "isolation.map", "review"),
        ("role.create", "role.rotate", "isolation.plan", "isolation.prove"),
        what="access control",
    ),
    Request(
        "migrate-to-neon",
        "Migrate my database to Neon from {what}.",
        "neon-data-import-export",
        ("review", "connection.check"),
        ("project.create", "branch.create"),
        what="another Postgres host",
    ),
    Request(
        "fastapi-sqlmodel",
        "Set up Neon with FastAPI and SQLModel.",
        "neon-fastapi-sqlmodel",
        ("review", "isolation.map"),
        ("setup", "isolation.plan", "migration.rehearse"),
    ),
    Request(
        "prisma",
        "Configure Prisma with Neon.",
        "neon-prisma-orm",
        ("review", "connection.check"),
        ("setup", "migration.rehearse"),
    ),
    Request(
        "monitor-costs",
        "Monitor and optimize Neon costs.",
        "neon-monitoring-cost-optimization",
        ("branch.list", "policy.check"),
        ("branch.sweep", "branch.expire", "policy.apply"),
    ),
    Request(
        "deploy-to-production",
        "Deploy Neon to production safely.",
        "neon-production-deployment",
        ("review", "setup.environments", "migration.status"),
        ("migration.rehearse", "migration.apply", "branch.protect", "snapshot.schedule"),
    ),
    Request(
        "debug-connection",
        "Debug my Neon connection issues.",
        "neon-connection-pooling",
        ("connection.check", "connection.explain"),
        ("connection.rehearse", "pool.advise"),
    ),
)
BY_NAME: Final = {each.name: each for each in REQUESTS}
