"""Functions that policies ask: they read tables that policies bind themselves, and so run as their owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from neondba.access.plan_decisions import Group
from neondba.access.policies import Staff, helper
from neondba.access.policies_text import Asker
from neondba.postgres.ddl.names import literal, quote_ident


@dataclass(frozen=True)
class Helper:
    """A function with a fixed search path that the application's role may call."""

    name: str
    arguments: str
    statement: str

    @property
    def signature(self) -> str:
        """The name with the types of its arguments."""
        return f"{self.name}({self.arguments})"


def filled(template: str, **values: str) -> str:
    """Fill a stored text in."""
    text = (files("neondba.access") / "templates" / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.rstrip("\n")


def helpers(groups: Iterable[Group], asker: Asker) -> list[Helper]:
    """Give the functions that the policies of groups need."""
    found: dict[str, Helper] = {}
    for group in groups:
        for made in _of_members(group, asker) if group.member_table else _of_people(group, asker):
            found.setdefault(made.name, made)
    return list(found.values())


def staff_helpers(staff: Staff, asker: Asker) -> list[Helper]:
    """Give the functions that tell who administers the application: who asks, and whom a row was about."""
    key = staff.key
    values = {"STAFF": quote_ident(staff.column.name), "PEOPLE": staff.people, "KEY": quote_ident(key.name)}
    asks = filled("staff.sql.txt", FUNCTION=staff.asks, ME=asker.person(key), **values)
    was = filled("was_staff.sql.txt", FUNCTION=staff.was, TYPE=key.type, **values)
    return [Helper(staff.asks, "", asks), Helper(staff.was, key.type, was)]


def _of_members(group: Group, asker: Asker) -> list[Helper]:
    assert group.member_table
    assert group.member_group
    assert group.member_user
    values = {
        "TYPE": group.member_group.type,
        "GROUP": quote_ident(group.member_group.name),
        "MEMBERS": group.member_table,
        "USER": quote_ident(group.member_user.name),
        "ME": asker.person(group.member_user),
    }
    my, led, empty = (helper(group, which) for which in ("my", "led", "empty"))
    found = [
        Helper(my, "", filled("my_groups.sql.txt", FUNCTION=my, MORE=_owned(group, asker), **values)),
        Helper(led, "", filled("my_groups.sql.txt", FUNCTION=led, MORE=_led(group, asker), **values)),
    ]
    if group.owner is None:
        kind = group.member_group.type
        found.append(Helper(empty, kind, filled("empty_group.sql.txt", FUNCTION=empty, **values)))
    return found


def _owned(group: Group, asker: Asker) -> str:
    if group.owner is None:
        return ""
    key, owner = quote_ident(group.key.name), quote_ident(group.owner.name)
    return filled(
        "owned_groups.sql.txt", KEY=key, TABLE=group.table or "", OWNER=owner, ME=asker.person(group.owner)
    )


def _led(group: Group, asker: Asker) -> str:
    """Members lead by their role; without roles the group's owner does, without an owner everybody."""
    if group.role is None or not group.leaders:
        return "" if group.owner is None else f" and false{_owned(group, asker)}"
    listed = ", ".join(literal(each) for each in group.leaders)
    return f"\n            and member.{quote_ident(group.role.name)} in ({listed}){_owned(group, asker)}"


def _of_people(group: Group, asker: Asker) -> list[Helper]:
    if not (group.people_table and group.people_group and group.people_key):
        return []
    name = helper(group, "my")
    values = {
        "TYPE": group.people_group.type,
        "GROUP": quote_ident(group.people_group.name),
        "MEMBERS": group.people_table,
        "USER": quote_ident(group.people_key.name),
        "ME": asker.person(group.people_key),
    }
    more = f" and member.{quote_ident(group.people_group.name)} is not null"
    of, kind = helper(group, "of"), group.people_key.type
    return [
        Helper(name, "", filled("my_groups.sql.txt", FUNCTION=name, MORE=more, **values)),
        Helper(of, kind, filled("group_of.sql.txt", FUNCTION=of, KEY_TYPE=kind, **values)),
    ]
