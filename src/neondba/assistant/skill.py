"""The skills as they are written: a folder each, `SKILL.md` with front matter, pages in `references/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "skills"
NAMES: Final = (
    "neon-serverless-postgres-fundamentals",
    "neon-getting-started-account-connection",
    "neon-authentication-security",
    "neon-branching-workflows",
    "neon-connection-pooling",
    "neon-console-management-monitoring",
    "neon-data-import-export",
    "neon-fastapi-sqlmodel",
    "neon-monitoring-cost-optimization",
    "neon-prisma-orm",
    "neon-advanced-features",
    "neon-production-deployment",
)


@dataclass(frozen=True)
class Skill:
    """One skill."""

    name: str
    description: str
    """When to use it: what an agent reads before it opens the skill."""
    body: str
    pages: dict[str, str]
    """Reference pages by their path inside the folder."""

    @property
    def files(self) -> dict[str, str]:
        """Give every file of the folder by its path, as it is installed."""
        front = f"---\nname: {self.name}\ndescription: {self.description}\n---\n"
        return {"SKILL.md": front + self.body, **self.pages}


@cache
def skills() -> dict[str, Skill]:
    """Read every skill."""
    return {name: read(FOLDER / name) for name in NAMES if (FOLDER / name).is_dir()}


def read(folder: Path) -> Skill:
    """Read the skill in a folder.

    Raises:
        ValueError: its `SKILL.md` has no front matter, or names another skill than its folder.
    """
    text = (folder / "SKILL.md").read_text(encoding="utf-8")
    opening, front, body = text.split("---\n", 2) if text.count("---\n") >= 2 else ("x", "", text)
    fields = dict(line.split(": ", 1) for line in front.splitlines() if ": " in line)
    if opening or fields.get("name") != folder.name or not fields.get("description"):
        raise ValueError(f"{folder.name}/SKILL.md needs front matter with its name and a description")
    pages = {
        str(page.relative_to(folder)): page.read_text(encoding="utf-8")
        for page in sorted((folder / "references").glob("*.md"))
    }
    return Skill(folder.name, fields["description"], body, pages)
