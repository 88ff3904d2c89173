"""Every statement that a Python project's entrances reach, judged."""

from __future__ import annotations

import re

from neondba.project.isolation.entrances import Door, doors, tools
from neondba.project.isolation.judged import Judged
from neondba.project.isolation.judging import Judge, Verdict
from neondba.project.isolation.neighbours import mark_people, mark_twins, weigh_tables
from neondba.project.isolation.ownership import Ownership, joined
from neondba.project.isolation.world import World
from neondba.project.owners import Owners
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.routes import Routes
from neondba.project.schema import Schema

POLICY_WORDS = ("set_config", "SET LOCAL", "set local", "with_loader_criteria", "request.jwt.claims")
HANDED_OVER = re.compile(
    r"set_config\(\s*\\?['\"]?(?P<a>[\w]+\.[\w.]+|role|:\w+|%|\{|\$)|\bset\s+local\s+(?P<b>\w+\.[\w.{}]+|role\b|\{)|with_loader_criteria\(|"
    r"request\.jwt\.claims",
    re.IGNORECASE,
)
"""Where a program tells the database, or the ORM for all statements at once, who is calling."""


class PythonIsolation:
    """The verdicts on a Python project."""

    def __init__(
        self, verdicts: list[Verdict], doors: list[Door], ownership: Ownership, by_policy: str
    ) -> None:
        self.verdicts, self.doors, self.ownership, self.by_policy = verdicts, doors, ownership, by_policy

    @property
    def judged(self) -> list[Judged]:
        """The verdicts in the form that Python and TypeScript share."""
        return [v.judged for v in self.verdicts]

    @classmethod
    def gather(cls, files: PythonFiles, routes: Routes, owners: Owners, schema: Schema) -> PythonIsolation:
        """Follow every entrance to the statements behind it."""
        ownership = Ownership(owners, schema)
        if not any(ownership.of(m) or joined(m) for m in ownership.tables.values()):
            return cls([], list(tools(World(files, owners), files)), ownership, "")
        policy = next((f.path for f in files.containing(*POLICY_WORDS) if _hands_over(f)), "")
        by_policy = f"{policy} tells the database who is calling" if policy else ""
        judge = Judge(ownership, by_policy=by_policy, behind_middleware=routes.has_guarding_middleware)
        found = list(doors(World(files, owners, ownership.tables), files, routes))
        verdicts = [v for door in found for v in judge.door(door)]
        mark_people(verdicts)
        weigh_tables(verdicts)
        if not routes.has_guarding_middleware:
            mark_twins(verdicts)
        return cls(verdicts, found, ownership, by_policy)


def _hands_over(file: PythonFile) -> bool:
    if is_migration(file.path) or is_script(file.path) or is_test(file.path):
        return False
    return HANDED_OVER.search(file.text) is not None
