"""Turn what was decided for a table into policies, one for each command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from neondba.access.plan_decisions import Decision, Group, Kind, Link
from neondba.access.policies_text import Asker, beside, short
from neondba.postgres.ddl.names import quote_ident
from neondba.postgres.shapes import Column

COMMANDS: Final = ("select", "insert", "update", "delete")
PREFIX: Final = "isolation_"


@dataclass(frozen=True)
class Policy:
    """One policy as it should be."""

    table: str
    name: str
    command: str
    to: str
    using: str = ""
    check: str = ""

    @property
    def statement(self) -> str:
        """The statement that makes it."""
        using = f"\n    using ({self.using})" if self.using else ""
        check = f"\n    with check ({self.check})" if self.check else ""
        return f"create policy {self.name} on {self.table} for {self.command} to {self.to}{using}{check}"


@dataclass(frozen=True)
class Roles:
    """The roles that policies are made for."""

    app: str
    admin: str | None = None
    sign_in: str | None = None
    """The role of the authentication provider."""


@dataclass(frozen=True)
class Staff:
    """How the users' own table says who administers the application."""

    people: str
    key: Column
    column: Column

    @property
    def asks(self) -> str:
        """The function that tells it of who asks."""
        return beside(self.people, "isolation_is_staff")

    @property
    def was(self) -> str:
        """The function that tells it of a row as it was before the statement."""
        return beside(self.people, "isolation_was_staff")


class Policies:
    """Write the policies of all tables."""

    def __init__(
        self, decisions: Mapping[str, Decision], roles: Roles, asker: Asker, staff: Staff | None = None
    ) -> None:
        self._decisions, self._roles, self._asker, self._staff = decisions, roles, asker, staff

    def of(self, decision: Decision) -> list[Policy]:
        """Give the policies of a table."""
        if not decision.kind.has_policies:
            return []
        app = quote_ident(self._roles.app)
        if decision.kind is Kind.SIGN_IN:
            return self._of_sign_in(decision)
        if decision.kind is Kind.CLOSED:
            found = [Policy(decision.table, f"{PREFIX}closed", "all", app, "false", "false")]
            return found + self._of_others(decision)
        rules = self._rules(decision)
        found = [self._policy(decision.table, command, app, *rules[command]) for command in rules]
        return found + self._of_others(decision)

    def _of_others(self, decision: Decision) -> list[Policy]:
        found = []
        if self._roles.admin:
            admin = quote_ident(self._roles.admin)
            found.append(Policy(decision.table, f"{PREFIX}admin", "all", admin, "true", "true"))
        if decision.kind is Kind.PEOPLE:
            found += self._of_sign_in(decision)
        if self.is_read_by_helpers(decision.table):
            found.append(Policy(decision.table, f"{PREFIX}helper", "select", "current_user", "true"))
        return found

    def _of_sign_in(self, decision: Decision) -> list[Policy]:
        if self._roles.sign_in is None:
            return []
        to = quote_ident(self._roles.sign_in)
        return [Policy(decision.table, f"{PREFIX}sign_in", "all", to, "true", "true")]

    def is_read_by_helpers(self, table: str) -> bool:
        """Tell whether a function of ours reads the table as its owner, whom FORCE would stop."""
        groups = [d.group for d in self._decisions.values() if d.group is not None]
        of_groups = any(table in (g.member_table, g.people_table, g.owner and g.table) for g in groups)
        return of_groups or (self._staff is not None and self._decisions[table].kind is Kind.PEOPLE)

    def _policy(self, table: str, command: str, to: str, using: str, check: str) -> Policy:
        using = "" if command == "insert" else using
        check = check if command in ("insert", "update") else ""
        return Policy(table, PREFIX + command, command, to, using, check)

    def _rules(self, decision: Decision) -> dict[str, tuple[str, str]]:
        """Give USING and WITH CHECK by command; a command that is not there is refused."""
        match decision.kind:
            case Kind.PEOPLE:
                return self._people(decision)
            case Kind.GROUP:
                return self._group(decision)
            case Kind.MEMBERSHIP:
                return self._membership(decision)
        mine = self.mine(decision)
        reads = self._read(decision, mine)
        if not mine:
            return {"select": (reads, "")}
        mine, reads = self._or_staff(mine), self._or_staff(reads)
        new, changed = self._checked(decision, mine, new=True), self._checked(decision, mine, new=False)
        return {"select": (reads, ""), "insert": ("", new), "update": (mine, changed), "delete": (mine, "")}

    def _read(self, decision: Decision, mine: str) -> str:
        if decision.kind is Kind.PUBLIC:
            return "true"
        if decision.kind is Kind.SHARED:
            return self._asker.somebody
        if decision.kind is Kind.PARENT:
            table = quote_ident(short(decision.table))
            mine = " and ".join(self._reaches(table, link) for link in decision.parents)
        return f"{mine} or {quote_ident(decision.shown_by.name)}" if decision.shown_by else mine

    def mine(self, decision: Decision, alias: str = "") -> str:
        """Give the condition that a row belongs to who asks; inside a subquery its alias tells it apart."""
        dot = f"{alias}." if alias else ""
        if decision.kind is Kind.PARENT:
            table = alias or quote_ident(short(decision.table))
            return " and ".join(self._owns(table, link) for link in decision.parents)
        if decision.group is not None and decision.group_column is not None:
            return self.among(decision.group, f"{dot}{quote_ident(decision.group_column.name)}")
        owned = [f"{dot}{quote_ident(c.name)} = {self._asker.person(c)}" for c in decision.owners]
        return owned[0] if len(owned) == 1 else f"({' or '.join(owned)})" if owned else ""

    def among(self, group: Group, value: str, *, led: bool = False) -> str:
        """Give the condition that a value names a group of who asks."""
        if group.by_token:
            return f"{value} = {self._asker.group(group.key)}"
        return f"{value} = any (array(select {helper(group, 'led' if led else 'my')}()))"

    def _checked(self, decision: Decision, mine: str, *, new: bool) -> str:
        parts = [f"({mine})" if " or " in mine else mine]
        # Whoever changes a colleague's row leaves the name of its maker: so that binds new rows only.
        if new and decision.maker is not None:
            name = quote_ident(decision.maker.name)
            made = f"{name} = {self._asker.person(decision.maker)}"
            parts.append(made if decision.maker.not_null else f"({name} is null or {made})")
        for link in decision.checks:
            reached = self._reaches(quote_ident(short(decision.table)), link)
            empty = f"{quote_ident(link.column.name)} is null"
            parts.append(reached if link.column.not_null else f"({empty} or {reached})")
        return "\n        and ".join(parts)

    def _reaches(self, table: str, link: Link) -> str:
        """Give the condition that the row referred to is within reach: its own policies say so."""
        parent = self._decisions[link.target]
        value = f"{table}.{quote_ident(link.column.name)}"
        if parent.kind is Kind.GROUP and parent.group and link.key == parent.group.key.name:
            return self.among(parent.group, value)
        return f"exists (select from {link.target} as parent where parent.{quote_ident(link.key)} = {value})"

    def _owns(self, table: str, link: Link, depth: int = 0) -> str:
        parent = self._decisions[link.target]
        value = f"{table}.{quote_ident(link.column.name)}"
        if parent.kind is Kind.GROUP and parent.group and link.key == parent.group.key.name:
            return self.among(parent.group, value)
        if parent.kind is Kind.PEOPLE:
            return f"{value} = {self._asker.person(link.column)}"
        alias = f"parent_{depth}" if depth else "parent"
        if parent.kind is Kind.PARENT:
            above = " and ".join(self._owns(alias, one, depth + 1) for one in parent.parents)
        else:
            above = self.mine(parent, alias)
        more = f" and {above}" if above else ""
        key = f"{alias}.{quote_ident(link.key)}"
        return f"exists (select from {link.target} as {alias} where {key} = {value}{more})"

    def _or_staff(self, condition: str) -> str:
        if self._staff is None or condition == "true":
            return condition
        return f"{condition} or (select {self._staff.asks}())"

    def _people(self, decision: Decision) -> dict[str, tuple[str, str]]:
        key = decision.owners[0]
        own = f"{quote_ident(key.name)} = {self._asker.person(key)}"
        if self._roles.sign_in:
            return {"select": (self._or_staff(own), "")}
        first = self._or_staff(f"{own} or {self._asker.nobody}")
        alone = self._or_staff(own)
        return {
            "select": (first, ""),
            "insert": ("", self._unraised(decision, first, new=True)),
            "update": (first, self._unraised(decision, first, new=False)),
            "delete": (alone, ""),
        }

    def _unraised(self, decision: Decision, condition: str, *, new: bool) -> str:
        """Let nobody make themselves an administrator, or a member of another group."""
        parts, key = [f"({condition})"], quote_ident(decision.owners[0].name)
        if self._staff is not None and self._staff.people == decision.table:
            raised = quote_ident(self._staff.column.name)
            parts.append(f"(not {raised} or (select {self._staff.asks}()) or {self._staff.was}({key}))")
        groups = {d.group for d in self._decisions.values() if d.group is not None}
        for group in sorted(groups, key=lambda each: each.name):
            if group.people_table == decision.table and group.people_group is not None and not new:
                column = quote_ident(group.people_group.name)
                staff = f" or (select {self._staff.asks}())" if self._staff else ""
                parts.append(f"({column} is not distinct from {helper(group, 'of')}({key}){staff})")
        return "\n        and ".join(parts) if len(parts) > 1 else condition

    def _group(self, decision: Decision) -> dict[str, tuple[str, str]]:
        group = decision.group
        assert group is not None
        key = quote_ident(group.key.name)
        among, leads = self.among(group, key), self.among(group, key, led=True)
        if group.by_token or group.people_table:
            return {"select": (self._or_staff(among), ""), "update": (among, among)}
        if group.owner is None:
            empty = f"(select {helper(group, 'empty')}({key}))"
            # Whoever makes a group reads it back before becoming its first member.
            seen = self._or_staff(f"{among} or {empty}")
            return {
                "select": (seen, ""), "insert": ("", self._asker.somebody),
                "update": (leads, leads), "delete": (leads, ""),
            }  # fmt: skip
        owned = f"{quote_ident(group.owner.name)} = {self._asker.person(group.owner)}"
        reads = self._or_staff(f"{owned} or {among}")
        change = self._or_staff(owned if not group.leaders else f"{owned} or {leads}")
        return {
            "select": (reads, ""),
            "insert": ("", owned),
            "update": (change, change),
            "delete": (change, ""),
        }

    def _membership(self, decision: Decision) -> dict[str, tuple[str, str]]:
        group, user = decision.group, decision.owners[0]
        assert group is not None
        assert group.member_group is not None
        value = quote_ident(group.member_group.name)
        own = f"{quote_ident(user.name)} = {self._asker.person(user)}"
        leads = self.among(group, value, led=True)
        reads = self._or_staff(f"{own} or {self.among(group, value)}")
        first = f"{own} and (select {helper(group, 'empty')}({value}))"
        joins = leads if group.owner is not None else f"{leads} or ({first})"
        change = self._or_staff(leads)
        return {
            "select": (reads, ""), "insert": ("", self._or_staff(joins)),
            "update": (change, change), "delete": (f"{change} or {own}", ""),
        }  # fmt: skip


def helper(group: Group, which: str) -> str:
    """Give the qualified name of a function of a group: `my`, `led`, `empty` or `of`."""
    table = group.member_table or group.people_table or group.table or "public.x"
    base = f"{group.name}_ids" if which in ("my", "led") else group.name
    return beside(table, f"isolation_{which}_{base}")
