"""Which tables that TypeScript code queries belong to somebody, and by which column or parent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

from neondba.project.owners import MAKER, OWNER, SHARED
from neondba.project.schema import Schema
from neondba.project.schema_provider import plain
from neondba.project.schema_table import Table


@cache
def folded(name: str) -> str:
    """Bring spellings of one column together: `user_id`, `userId`."""
    return name.replace("_", "").lower()


OWNERS = frozenset(folded(n) for n in OWNER) | {
    "teamid", "clerkid", "clerkuserid", "userclerkid", "kindeid", "ownerclerkid", "companyid", "householdid",
}  # fmt: skip
MAKERS = frozenset(folded(n) for n in MAKER)
GROUPS = frozenset({"tenantid", "organizationid", "organisationid", "orgid", "workspaceid", "teamid",
                    "companyid", "householdid"})  # fmt: skip
"""Owner columns that name a group of people."""
PEOPLE = frozenset({"user", "session", "verification", "verificationtoken", "profile", "member",
                    "membership", "authenticator", "passwordresettoken", "twofactortoken", "refreshtoken",
                    "jwk", "twofactorconfirmation", "userprofile", "passkey", "invitation",
                    "invite"})  # fmt: skip
READ_BY_ALL = re.compile(
    r"^(post|blog|article|comment|repl(y|ie)|review|rating|like|vote|follow(er|ing)?|product|item|categor(y|ie)|tag"
    r"|listing|recipe|propert(y|ie)|store|shop|course|chapter|lesson|event|gig|job|question|answer|thread|topic"
    r"|tweet|stor(y|ie)|photo|video|song|track|album|podcast|episode|channel|communit(y|ie)|subreddit|communit"
    r"|badge|deal|billboard|size|color|service|restaurant|menu|author|creator|bookmarkcount|poll|quiz|leaderboard"
    r"|auction|bid|coupon|discount|room|server|game|movie|news|page|site|link|shorturl|url)s?$"
)
"""Names of things that people make to be read by others."""
DEPTH = 3
"""Foreign keys from a row to the one that has an owner."""


@dataclass(eq=False)
class OwnedTable:
    """A table with its owner, if it has one."""

    name: str
    """As the project's code calls it."""
    table: Table
    owner: str = ""
    """`user_id`, or the way to it: `project.user_id`."""
    columns: frozenset[str] = frozenset()
    """Folded names of columns that name the owner, a group or the parent that is owned."""
    private: bool = False
    """The owner column says that rows are for one person or group alone."""
    parent: str = ""
    """The folded column that leads to an owned parent, where the row has no owner of its own."""
    parent_name: str = ""
    relatives: dict[str, str] = field(default_factory=dict)
    """Folded columns, beside the owner's, that lead to rows of one owner; what those are called."""
    people: bool = False
    """The rows are users, sessions or memberships themselves."""

    @property
    def is_owned(self) -> bool:
        """Whether rows belong to somebody."""
        return bool(self.owner)

    @cached_property
    def read_by_all(self) -> bool:
        """Whether rows may well be meant to be shown to others."""
        if any(SHARED.match(c) or SHARED.match(_snake(c)) for c in self.table.columns):
            return True
        names = (plain(self.name), plain(_snake(self.name).rpartition("_")[2]))
        return any(READ_BY_ALL.match(name) for name in names)


@dataclass
class OwnedTables:
    """The tables by what code calls them: Prisma's accessor, Drizzle's variable, the table's own name."""

    by_accessor: dict[str, OwnedTable] = field(default_factory=dict)
    by_variable: dict[str, OwnedTable] = field(default_factory=dict)
    by_name: dict[str, OwnedTable] = field(default_factory=dict)

    @classmethod
    def gather(cls, schema: Schema) -> OwnedTables:
        """Find the owners of the tables that the project defines."""
        found = cls()
        tables = [t for t in schema.definitions if t.columns]
        parents = {t.name.key: t for t in reversed(tables)}
        for table in tables:
            made = _owned(table, parents)
            found.by_name.setdefault(table.name.name.lower(), made)
            if table.source == "prisma":
                found.by_accessor[table.label[:1].lower() + table.label[1:]] = made
            elif table.source == "drizzle":
                found.by_variable[table.label] = made
        return found

    @cached_property
    def is_empty(self) -> bool:
        """Whether no table is known at all."""
        return not self.by_name


def _owned(table: Table, parents: dict[str, Table]) -> OwnedTable:
    name = table.label or table.name.name
    made = OwnedTable(name, table)
    if is_people(table):
        made.people = True
        made.owner, made.columns = "id", frozenset({"id"})
        if (own := _own(table, parents)) and plain(table.name.name) not in ("user", "profile"):
            made.owner, made.columns = own[0], frozenset(folded(c) for c in own)
        return made
    if own := _own(table, parents):
        made.owner = own[0]
        made.private = folded(own[0]) in OWNERS
        made.columns = frozenset(folded(c) for c in own)
        made.relatives = dict(_relatives(table, parents, own))
    else:
        chain = _chain(table, parents, frozenset({table.name.key}), DEPTH)
        if chain:
            made.owner, made.private = ".".join(chain[0]), chain[1]
            made.parent = folded(chain[0][0])
            made.columns = frozenset({made.parent})
            made.parent_name = next(
                (p.label or p.name.name for k in table.references if k.columns == (chain[0][0],)
                 if (p := parents.get(k.table.key))), ""
            )  # fmt: skip
    return made


def _relatives(table: Table, parents: dict[str, Table], own: list[str]) -> Iterator[tuple[str, str]]:
    """Give the columns that lead to rows of one person or group alone."""
    for key in table.references:
        parent = parents.get(key.table.key)
        if parent is None or parent is table or len(key.columns) != 1 or key.columns[0] in own:
            continue
        owners = [] if is_people(parent) else _own(parent, parents)
        name = parent.label or parent.name.name
        if owners and folded(owners[0]) in OWNERS and not OwnedTable(name, parent).read_by_all:
            yield folded(key.columns[0]), name


def is_people(table: Table) -> bool:
    """Tell whether rows are users, sessions or memberships themselves."""
    name = plain(table.label or table.name.name)
    return (
        name in PEOPLE
        or plain(table.name.name) in PEOPLE
        or bool(table.provider)
        or name.startswith("userto")
    )


def _own(table: Table, parents: dict[str, Table]) -> list[str]:
    """Give the columns that name an owner or maker; the surest first."""
    sure = [c for c in table.columns if folded(c) in OWNERS and not table.columns[c].primary_key]
    users = [
        key.columns[0]
        for key in table.references
        if len(key.columns) == 1 and key.columns[0] not in sure and _is_users(key.table.key, parents)
    ]
    elsewhere = {key.columns[0] for key in table.references if not _is_users(key.table.key, parents)}
    made = [c for c in table.columns if folded(c) in MAKERS and c not in users and c not in elsewhere]
    sure.sort(key=lambda c: folded(c) in GROUPS)
    return [*sure, *users, *made]


def _is_users(key: str, parents: dict[str, Table]) -> bool:
    name = plain(key.rpartition(".")[2])
    target = parents.get(key)
    return name in ("user", "profile") or (target is not None and plain(target.label) == "user")


def _chain(
    table: Table, parents: dict[str, Table], seen: frozenset[str], depth: int
) -> tuple[list[str], bool] | None:
    best: tuple[list[str], bool] | None = None
    rank = (False, False, 0)
    for key in table.references:
        parent = parents.get(key.table.key)
        if parent is None or key.table.key in seen or len(key.columns) != 1 or is_people(parent):
            continue
        if own := _own(parent, parents):
            found: tuple[list[str], bool] | None = ([key.columns[0], own[0]], folded(own[0]) in OWNERS)
        elif depth > 1:
            deeper = _chain(parent, parents, seen | {key.table.key}, depth - 1)
            found = ([key.columns[0], *deeper[0]], deeper[1]) if deeper else None
        else:
            found = None
        if found is None:
            continue
        shown = OwnedTable(parent.label or parent.name.name, parent).read_by_all
        if best is None or (found[1], not shown, -len(found[0])) > rank:
            best, rank = found, (found[1], not shown, -len(found[0]))
    return best


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
