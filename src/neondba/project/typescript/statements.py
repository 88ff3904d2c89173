"""A statement that code sends to the database, with the values that narrow and fill it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from neondba.project.isolation.judged import Step
from neondba.project.typescript.owned import OwnedTable, folded
from neondba.project.typescript.values import Origin, Value

TOKEN = re.compile(
    r"token|secret|hash|apikey|api_key|keyhash|hashedkey|^key$|slug|sharecode|share|invitecode|^code$|nonce|state|otp"
    r"|sessionid|stripe|customerid$|subscriptionid|externalid|messageid|paymentid|orderref|reference|shortid|shortcode"
    r"|publicid|handle|username|subdomain|domain|checkout|webhook|deviceid|identifier",
)  # fmt: skip
"""Columns that are known to whom they were told, or that name what everybody may see."""
SHOWN = re.compile(r"^(is_?)?(published|public|visible|visibility|listed|featured|approved|active"
                   r"|status|shared|draft"
                   r"|archived|deleted|deletedat|publishedat|available|isshared|enabled)$")  # fmt: skip
PUBLIC = re.compile(r"^(published|public|is_?public|is_?published|visibility|publishedat|listed"
                    r"|featured|approved|shared"
                    r"|is_?shared|share)$")  # fmt: skip
OPERATORS = frozenset(
    {"equals", "in", "is", "some", "every", "contains", "gte", "lte", "gt", "lt", "has", "hasSome", "connect",
     "AND", "OR", "mode", "startsWith", "set", "isNot", "none", "create", "connectOrCreate", "where", "data"}
)  # fmt: skip


@dataclass(eq=False)
class Statement:
    """One statement, as far as it was read."""

    number: int
    kind: str
    table: OwnedTable | None
    path: str
    line: int
    seen: int
    """When it was sent: writes count only the checks before it."""
    where: list[tuple[str, Value]] = field(default_factory=list)
    data: list[tuple[str, Value]] = field(default_factory=list)
    inside: list[Value] = field(default_factory=list)
    """Values in what is fetched beside the row."""
    people: str = ""
    """The list of people whose addresses are fetched beside the row: `applicants`."""
    narrowed: bool = False
    """Only some columns are fetched."""
    returned: bool = False
    """The entrance gives its row back, whole."""
    used: str = ""
    """What its row serves for, where that is little: `tested` for being there, or `keys` to other rows."""
    spread: str = ""
    """The client's value that is written whole, whatever it holds."""
    amount: bool = False
    """Only a number comes back."""
    many: bool = True
    function: str = ""
    way: tuple[Step, ...] = ()
    compared: tuple[int, str] | None = None
    """When, and how, its row was compared with the caller."""
    checks: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What had been vouched for when it was sent."""
    quiet: bool = False
    """It belongs to what happens before the entrance."""
    staff: str = ""
    """What said that only staff get there."""
    by_policy: str = ""
    """How the caller's own token reaches the database."""
    by_client: str = ""
    """The client of a provider whose policies decide: `supabase`."""

    @property
    def table_name(self) -> str:
        """What the project calls the table."""
        return self.table.name if self.table else "the table"

    @property
    def is_write(self) -> bool:
        """Whether it changes or removes rows."""
        return self.kind in ("update", "delete")

    def narrow(self, value: Value) -> None:
        """Add conditions."""
        for path, leaf in value.leaves():
            if "NOT" in path or "not" in path or "notIn" in path:
                continue
            self.where.append((column_of(path), leaf))

    def fill(self, value: Value) -> None:
        """Add what it writes."""
        for path, leaf in value.leaves():
            # What came out of a function nobody followed is no longer what the client sent.
            whole = leaf.written and (not path or path[-1] == "...")
            if whole and any(kind == "client" for kind, _ in leaf.origins):
                self.spread = self.spread or next(
                    key for kind, key in sorted(leaf.origins) if kind == "client"
                )
            self.data.append((owner_path(path), leaf))

    def origins_of_where(self) -> frozenset[Origin]:
        """Give the origins of all conditions."""
        return frozenset().union(*(v.origins for _, v in self.where)) if self.where else frozenset()


def column_of(path: tuple[str, ...]) -> str:
    """Give the column that a condition is about."""
    names = [p for p in path if p not in OPERATORS and not p.isdigit()]
    return names[-1] if names else ""


def owner_path(path: tuple[str, ...]) -> str:
    """Give the column that a value is written to; `user: {connect: {id}}` writes `user`'s key."""
    if "connect" in path:
        place = path.index("connect")
        return f"{path[place - 1]}Id" if place else column_of(path)
    return column_of(path)


def is_token(column: str) -> bool:
    """Tell whether only who was told the value can name such a row, or the value is a public name."""
    return bool(TOKEN.search(folded(column)))
