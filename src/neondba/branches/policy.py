"""What a project says about its branches, by name: `[tool.neondba.branches."preview/*"]`.

Keys: expires, protected, min-cu, max-cu, suspend, parent, idle, follows-git. A table is for the branches
whose name fits: `*` stands for any text, `@default` for the default branch. Each setting comes from the
first table that fits and has it; a table with the exact name goes before patterns.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from neondba.core.duration import Duration
from neondba.core.problem import ArgumentProblem
from neondba.core.settings import room_tables

DEFAULT: Final = "@default"
PREVIEWS: Final = "preview/*"
Size = Annotated[float, Field(ge=0.25, le=56)]
_TAKES: Final = {
    "expires": 'a length of time up to 30d, as "7d"',
    "protected": "true or false",
    "min_cu": "a number of compute units from 0.25 to 56",
    "max_cu": "a number of compute units from 0.25 to 56",
    "suspend": '"never" or a length of time from 1m to 7d, as "5m"',
    "parent": "the name of a branch",
    "idle": 'a length of time, as "14d"',
    "follows_git": "true or false",
}


class BranchRule(BaseModel):
    """What is wanted of branches of one name or pattern; `None` is no matter."""

    model_config = ConfigDict(frozen=True, strict=True)

    expires: Annotated[Duration | None, Field(le=timedelta(days=30))] = None
    """Deleted by Neon after this long at most."""
    protected: bool | None = None
    min_cu: Size | None = None
    max_cu: Size | None = None
    suspend: (
        Literal["never"] | Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=7))] | None
    ) = None
    """How long its compute waits without a query before it sleeps."""
    parent: Annotated[str, Field(min_length=1)] | None = None
    """Branch that it is made from, by name or id."""
    idle: Duration | None = None
    """Left over when its compute has not run for so long."""
    follows_git: bool | None = None
    """True where the text that `*` stands for is a git branch: left over when that is gone."""

    @property
    def suspend_seconds(self) -> int | None:
        """Give the timeout as Neon takes it."""
        if self.suspend is None:
            return None
        return -1 if self.suspend == "never" else int(self.suspend.total_seconds())


@dataclass(frozen=True)
class Table:
    """One table of a project file."""

    pattern: str
    source: str
    rule: BranchRule

    def fits(self, name: str, *, default: bool) -> bool:
        """Tell whether it is about this branch."""
        return self.is_exact(name, default=default) or fnmatchcase(name, self.pattern)

    def is_exact(self, name: str, *, default: bool) -> bool:
        """Tell whether it names this branch and no other."""
        return self.pattern == name or (default and self.pattern == DEFAULT)


@dataclass(frozen=True)
class Policy:
    """Every table, in the order in which they were written."""

    tables: tuple[Table, ...] = ()

    def matching(self, name: str, *, default: bool = False) -> list[Table]:
        """Give the tables about a branch, those that count most first."""
        there = [table for table in self.tables if table.fits(name, default=default)]
        return sorted(there, key=lambda table: not table.is_exact(name, default=default))

    def for_branch(self, name: str, *, default: bool = False) -> BranchRule:
        """Give what is wanted of one branch, from all tables about it."""
        said: dict[str, Any] = {}
        for table in self.matching(name, default=default):
            for key in table.rule.model_fields_set:
                said.setdefault(key, getattr(table.rule, key))
        return BranchRule.model_construct(**said)

    def patterns(self) -> Iterable[str]:
        """Give the names that stand for several branches."""
        return [table.pattern for table in self.tables if "*" in table.pattern]


def policy_of(folder: Path) -> Policy:
    """Read the policy of the project that a folder belongs to; without one nothing is wanted.

    Raises:
        ArgumentProblem: a key is unknown or a value of the wrong kind.
    """
    tables: dict[str, Table] = {}
    for source, room in room_tables(folder, "branches"):
        for pattern, said in room.items():
            # neondba.toml is read last: its table replaces the one of pyproject.toml.
            tables[pattern] = Table(pattern, source, _rule(pattern, said, source))
    return Policy(tuple(tables.values()))


def _rule(pattern: str, said: Any, source: str) -> BranchRule:
    if not isinstance(said, dict):
        raise ArgumentProblem(
            "policy-invalid",
            f"{pattern} under branches in {source} is no table.",
            hint="Write it as a table: [tool.neondba.branches.main] in pyproject.toml, [branches.main] in "
            "neondba.toml.",
        )
    values = {_field(key, pattern, source): value for key, value in said.items()}
    try:
        rule = TypeAdapter(BranchRule).validate_python(values)
    except ValidationError as error:
        field = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
        raise _invalid(pattern, source, f"{field.replace('_', '-')} takes {_TAKES[field]}") from None
    if rule.min_cu and rule.max_cu and rule.min_cu > rule.max_cu:
        raise _invalid(pattern, source, "min-cu is above max-cu")
    if rule.expires and (rule.protected or pattern == DEFAULT):
        raise _invalid(pattern, source, "a protected or default branch cannot expire")
    return rule


def _field(key: str, pattern: str, source: str) -> str:
    field = key.replace("-", "_")
    if field in BranchRule.model_fields:
        return field
    known = [name.replace("_", "-") for name in BranchRule.model_fields]
    near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
    raise ArgumentProblem(
        "policy-unknown",
        f"{source} sets {key} for branches {pattern}, which neondba does not know.",
        hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}.",
    )


def _invalid(pattern: str, source: str, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "policy-invalid",
        f"What {source} says about branches {pattern} cannot be done: {why}.",
        hint="Correct it there.",
    )
