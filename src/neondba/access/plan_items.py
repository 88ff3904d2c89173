"""Everything that the plan wants to be there: each with how to make it and how to take it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neondba.access.plan_decisions import Decision, Kind
from neondba.access.policies import Policies, Policy, Roles
from neondba.access.policies_functions import Helper, filled
from neondba.postgres.catalog import Attributes, Catalog
from neondba.postgres.ddl.names import literal, namespace, quote_ident
from neondba.postgres.role_profiles import Profile, Wanted
from neondba.postgres.role_statements import mark

KEEPS = "neondba isolation"
"""What the comments begin with by which a later plan knows what was chosen."""


@dataclass(frozen=True)
class Item:
    """One thing that is wanted."""

    title: str
    keys: tuple[tuple[str, str], ...]
    """Kind and name of what the catalog shows of it."""
    up: tuple[str, ...]
    down: tuple[str, ...]
    always: bool = False
    """Whether it is wanted though nothing here shows that it lacks: elsewhere it may."""


class Items:
    """Write the items in the order in which they are made."""

    def __init__(self, roles: Roles, before: Catalog, maker: str, *, is_first: bool) -> None:
        self._roles, self._before, self._maker = roles, before, maker
        self._is_first = is_first
        self._app = quote_ident(roles.app)

    def role(self, name: str, *, exists: bool) -> Item:
        """Give the role without BYPASSRLS; it may log in once somebody gives it a password."""
        wanted = Wanted(name, Profile.APPLICATION)
        role, said = quote_ident(name), literal(mark(wanted))
        settings = "".join(
            f"        alter role {role} set {setting} = {literal(value)};\n"
            for setting, value in wanted.rights.settings.items()
        )
        values = {"NAME": literal(name), "ROLE": role, "MARK": said}
        return Item(
            f"role {name} without BYPASSRLS",
            (),
            (filled("role.sql.txt", SETTINGS=settings, **values),),
            (filled("drop_role.sql.txt", **values),),
            always=self._is_first or not exists,
        )

    def schema(self, schema: str, role: str) -> Iterator[Item]:
        """Let a role use a schema, and what is made in it later."""
        to, rights = quote_ident(role), Wanted(role, Profile.APPLICATION).rights
        key = ("grant on", f"schema {schema} to {role}")
        yield Item(
            f"use of schema {schema}",
            (key,),
            (f"grant usage on schema {schema} to {to}",),
            (f"revoke usage on schema {schema} from {to}",),
            always=self._is_first,
        )
        if role != self._roles.app:
            return
        for kind, said in (("table", "tables"), ("sequence", "sequences"), ("routine", "functions")):
            of = f"default privileges of {quote_ident(self._maker)} for {said} in {schema} to {role}"
            words = ", ".join(rights.of(kind))
            start = f"alter default privileges in schema {schema}"
            yield Item(
                f"later {kind}s in {schema}",
                (("grant on", of),),
                (f"{start} grant {words} on {kind}s to {to}",),
                (f"{start} revoke {words} on {kind}s from {to}",),
                always=self._is_first,
            )

    def sequences(self, schema: str, role: str) -> Item:
        """Let a role draw numbers."""
        to = quote_ident(role)
        names = [n for n in self._before.names("sequence") if namespace(n) == schema]
        keys = tuple(("grant on", f"sequence {name} to {role}") for name in names)
        on = f"on all sequences in schema {schema}"
        return Item(
            f"sequences of {schema}",
            keys,
            (f"grant select, usage {on} to {to}",),
            (f"revoke select, usage {on} from {to}",),
            always=self._is_first,
        )

    def grants(self, decisions: Mapping[str, Decision]) -> Iterator[Item]:
        """Give each role the rights on each table that it needs, and no more."""
        for decision in decisions.values():
            table = decision.table
            if decision.kind in (Kind.TOOL, Kind.SIGN_IN, Kind.CLOSED):
                yield Item(
                    f"no rights on {table}",
                    self._grant(table, self._roles.app),
                    (f"revoke all on {table} from {self._app}",),
                    tuple(self._given_back(table)),
                    always=self._is_first,
                )
            elif decision.kind is not Kind.UNDECIDED:
                yield self._rights(table, self._roles.app, self._needed(decision))
            if self._roles.sign_in and self._is_signed_in_by(decision):
                yield self._rights(table, self._roles.sign_in, "select, insert, update, delete")
            if self._roles.admin and decision.kind not in (Kind.TOOL, Kind.SIGN_IN):
                yield self._rights(table, self._roles.admin, "select, insert, update, delete")

    def _needed(self, decision: Decision) -> str:
        reads_only = decision.kind in (Kind.PUBLIC, Kind.SHARED) and not decision.owners
        if reads_only or (decision.kind is Kind.PEOPLE and self._roles.sign_in):
            return "select"
        return "select, insert, update, delete"

    def _is_signed_in_by(self, decision: Decision) -> bool:
        return decision.kind is Kind.SIGN_IN or (decision.kind is Kind.PEOPLE and bool(self._roles.sign_in))

    def _grant(self, table: str, to: str) -> tuple[tuple[str, str], ...]:
        return (("grant on", f"table {table} to {to}"),)

    def _given_back(self, table: str) -> Iterator[str]:
        held = self._before.objects["grant on"].get(self._grant(table, self._roles.app)[0][1])
        if held and held["privileges"]:
            yield f"grant {held['privileges'].replace(' with grant option', '')} on {table} to {self._app}"

    def _rights(self, table: str, role: str, words: str) -> Item:
        to = quote_ident(role)
        return Item(
            f"rights of {role} on {table}",
            self._grant(table, role),
            (f"grant {words} on {table} to {to}",),
            (f"revoke {words} on {table} from {to}",),
            always=self._is_first,
        )

    def function(self, made: Helper) -> Item:
        """Make a function that only the application's role may call."""
        name = f"{made.name}({'wanted ' if made.arguments else ''}{made.arguments})"
        others = [quote_ident(r) for r in (self._roles.admin, self._roles.sign_in) if r]
        to = ", ".join([self._app, *others])
        return Item(
            f"function {made.name}",
            (
                ("function", name),
                ("grant on", f"function {name} to public"),
                ("grant on", f"function {name} to {self._roles.app}"),
            ),
            (
                made.statement,
                f"revoke all on function {made.signature} from public",
                f"grant execute on function {made.signature} to {to}",
            ),
            (f"drop function {made.signature}",),
        )

    def security(self, decision: Decision, policies: Policies) -> Iterator[Item]:
        """Enable and force it on a table, and give it its policies."""
        if decision.kind.has_policies or decision.kind is Kind.OWN_POLICIES:
            yield from self._flags(decision)
        for policy in policies.of(decision):
            yield self._policy(policy)
        if decision.flag and decision.kind.has_policies:
            yield self._comment(decision)

    def _flags(self, decision: Decision) -> Iterator[Item]:
        table = decision.table
        there = self._before.objects["table"].get(table, {})
        if there.get("row_level_security") != "yes":
            yield Item(
                f"row-level security on {table}",
                (("table", table),),
                (f"alter table {table} enable row level security",),
                (f"alter table {table} disable row level security",),
            )
        # Not forced where a provider signs people in: it may do so as the tables' owner.
        signs_in = decision.kind is Kind.SIGN_IN or (decision.kind is Kind.PEOPLE and self._roles.sign_in)
        if there.get("force_row_level_security") != "yes" and not signs_in:
            yield Item(
                f"forced on {table}",
                (("table", table),),
                (f"alter table {table} force row level security",),
                (f"alter table {table} no force row level security",),
            )

    def _policy(self, policy: Policy) -> Item:
        name = f"{policy.table}.{policy.name}"
        drop = f"drop policy {policy.name} on {policy.table}"
        old = self._before.objects["policy"].get(name)
        if old is None:
            return Item(f"policy {name}", (("policy", name),), (policy.statement,), (drop,))
        back = again(policy.table, policy.name, old)
        return Item(f"policy {name}", (("policy", name),), (drop, policy.statement), (drop, back))

    def _comment(self, decision: Decision) -> Item:
        name = "closed" if decision.kind is Kind.CLOSED else "select"
        on = f"policy isolation_{name} on {decision.table}"
        start = f"comment on {on} is"
        text = literal(f"{KEEPS}: {decision.flag}")
        return Item(
            f"what was chosen for {decision.table}",
            (("comment on", on),),
            (f"{start} {text}",),
            (),
        )

    def replaced(self, table: str, name: str, old: Attributes) -> Item:
        """Drop a policy that ours stand for."""
        return Item(
            f"policy {table}.{name} replaced",
            (("policy", f"{table}.{quote_ident(name)}"),),
            (f"drop policy {quote_ident(name)} on {table}",),
            (again(table, quote_ident(name), old),),
        )


def again(table: str, name: str, old: Attributes) -> str:
    """Give the statement that makes a policy as it was."""
    kind = "" if old["kind"] == "permissive" else " as restrictive"
    roles = ", ".join(r if r == "public" else quote_ident(r) for r in (old["roles"] or "public").split(", "))
    using = f" using ({old['using']})" if old["using"] else ""
    check = f" with check ({old['with_check']})" if old["with_check"] else ""
    return f"create policy {name} on {table}{kind} for {old['command']} to {roles}{using}{check}"
