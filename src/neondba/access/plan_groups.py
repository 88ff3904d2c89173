"""Find the groups that people belong to: organisations, teams, shared boards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from neondba.access.plan_decisions import Group, Link
from neondba.access.plan_names import (
    LEADERS,
    MEMBERS,
    PASSWORD,
    PERSONS,
    STAFF,
    TENANTS,
    TRIVIAL,
    USERS,
    snake,
)
from neondba.access.policies_text import short
from neondba.postgres.shapes import Column, Shape

if TYPE_CHECKING:
    from neondba.access.plan_choices import Choices


def is_people(shape: Shape, provider: str | None) -> bool:
    """Tell whether a table's rows are the users themselves."""
    bare = snake(short(shape.name))
    if provider is not None:
        return USERS.fullmatch(bare) is not None
    names = {snake(c.name) for c in shape.columns}
    # A password alone may as well lock a link or a room; with a name to sign in by, it is somebody's.
    signs_in = any(PASSWORD.fullmatch(name) for name in names) and bool(
        names & {"email", "username", "login"}
    )
    return bool(USERS.fullmatch(bare)) or signs_in


def people_key(shape: Shape, shapes: Mapping[str, Shape]) -> Column:
    """Give the column by which a user is known: what others refer to, else `id`, else the key's first."""
    referred = Counter(
        key.target_columns[0]
        for other in shapes.values()
        for key in other.foreign_keys
        if key.target == shape.name and len(key.target_columns) == 1
    )
    names = [*(name for name, _ in referred.most_common(1)), "id", *shape.primary_key]
    return next((c for name in names if (c := shape.column(name))), shape.columns[0])


def staff_column(shape: Shape) -> Column | None:
    """Give the boolean that says who administers the application."""
    return next((c for c in shape.columns if c.base == "bool" and snake(c.name) in STAFF), None)


class Groups:
    """The groups of a database, and the columns that name them."""

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        people: Mapping[str, Shape],
        provided: Collection[str],
        choices: Choices,
    ) -> None:
        self._shapes, self._people, self._provided = shapes, people, provided
        self._set = choices.tables
        self.found = [*self._by_members()]
        self._by_name: dict[str, Group] = {}

    @property
    def tables(self) -> set[str]:
        """Tables of groups and of members."""
        return {t for g in self.found for t in (g.table, g.member_table) if t}

    def by_membership(self, table: str) -> Group | None:
        """Give the group whose members a table lists."""
        return next((g for g in self.found if g.member_table == table), None)

    def by_table(self, table: str) -> Group | None:
        """Give the group that the rows of a table are."""
        return next((g for g in [*self.found, *self._by_name.values()] if g.table == table), None)

    def of_column(self, shape: Shape, column: Column) -> Group | None:
        """Give the group that a column of a table names."""
        if shape.name in self._people or any(shape.name == g.member_table for g in self.found):
            return None
        target = next((k.target for k in shape.foreign_keys if k.columns == (column.name,)), None)
        if target is not None:
            known = self.by_table(target)
            if known is not None:
                return known
        if not TENANTS.fullmatch(snake(column.name)):
            return None
        named = snake(column.name).rpartition("_")[0]
        loose = next((g for g in self.found if g.name == named or snake(short(g.table or "")) == named), None)
        return loose or self._named(named, column, target)

    def sentence(self, group: Group) -> str:
        """Say who sees the rows of a group's table."""
        if group.member_table:
            leads = f", led by {' and '.join(group.leaders)}" if group.leaders else ""
            return f"seen by its members in {short(group.member_table)}{leads}"
        if group.people_table and group.people_group:
            return f"seen by the users whose {group.people_group.name} names it"
        return "seen by whom the token names it for"

    def _named(self, name: str, column: Column, target: str | None) -> Group:
        """Take a column as naming a group: by a column of the users, else by the token."""
        if name not in self._by_name:
            group = Group(name, column, table=target)
            for people in self._people.values():
                same = next((c for c in people.columns if snake(c.name) == snake(column.name)), None)
                key = people_key(people, self._shapes)
                if same is not None:
                    group = Group(
                        name, column, target, people_table=people.name, people_key=key, people_group=same
                    )
            self._by_name[name] = group
        return self._by_name[name]

    def _by_members(self) -> Iterator[Group]:
        for shape in self._shapes.values():
            bare = snake(short(shape.name))
            if shape.name in self._set or shape.name in self._people:
                continue
            if TRIVIAL.search(bare):
                continue
            user = next((c for c in shape.columns if self._is_person(shape, c)), None)
            links = [
                x for k in shape.foreign_keys if (x := Link.of(shape, k)) and x.target not in self._people
            ]
            links = [x for x in links if x.column.not_null and x.target != shape.name]
            if user is None or len(links) != 1 or not _joins(bare, snake(short(links[0].target))):
                continue
            yield self._group(shape, user, links[0])

    def _is_person(self, shape: Shape, column: Column) -> bool:
        target = next((k.target for k in shape.foreign_keys if k.columns == (column.name,)), None)
        return target in self._people if target else snake(column.name) in PERSONS | {"member_id"}

    def _group(self, shape: Shape, user: Column, link: Link) -> Group:
        table = self._shapes[link.target]
        key = table.column(link.key) or link.column
        role = next(
            (c for c in shape.columns if snake(c.name) in ("role", "member_role", "access_level")), None
        )
        owner = next((c for c in table.columns if self._is_owner(table, c)), None)
        return Group(
            re.sub(r"\W", "_", snake(short(table.name))),
            key,
            table.name,
            member_table=shape.name,
            member_group=link.column,
            member_user=user,
            role=role,
            leaders=_leaders(role),
            owner=owner,
        )

    def _is_owner(self, shape: Shape, column: Column) -> bool:
        named = snake(column.name) in PERSONS | {"created_by", "created_by_id", "creator_id"}
        targets = [k.target for k in shape.foreign_keys if k.columns == (column.name,)]
        return named and all(t in self._people for t in targets)


def _joins(table: str, target: str) -> bool:
    """Tell whether a table's name says that it lists members: `member`, `user_team`, `project_users`."""
    return bool(MEMBERS.search(table)) or ("user" in table and target.rstrip("s") in table)


def _leaders(role: Column | None) -> tuple[str, ...]:
    """Give the values of a role column that may change the group and its members."""
    if role is None:
        return ()
    if role.labels:
        return tuple(each for each in role.labels if each.lower() in LEADERS)
    return ("owner", "admin") if role.category == "S" else ()
