"""Decide whose the rows of each table are, from the catalog, the code and what the user says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from neondba.access.plan_choices import Choices
from neondba.access.plan_decisions import Decision, Group, Kind, Link
from neondba.access.plan_groups import Groups, is_people, people_key
from neondba.access.plan_names import MAKERS, PERSONS, SHOWN, snake
from neondba.access.policies_text import short
from neondba.postgres.shapes import Column, Shape
from neondba.project.version_tables import VERSION_TABLES

_DEEPEST: Final = 12


@dataclass(frozen=True)
class Evidence:
    """What is known beside the shapes of the tables."""

    providers: Mapping[str, str] = field(default_factory=dict)
    """Tables of an authentication provider, with its name."""
    bound: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many statements of the code bind a table's column to the caller."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Tables with policies of the project's own, and what to say of them."""
    anonymous: Mapping[str, int] = field(default_factory=dict)
    """How many statements of the code reach a table with nobody signed in."""


class Deciding:
    """One look at all tables."""

    def __init__(self, shapes: Mapping[str, Shape], choices: Choices, evidence: Evidence) -> None:
        self._shapes, self._choices, self._evidence = shapes, choices, evidence
        self.people = {
            name: shape for name, shape in shapes.items() if is_people(shape, evidence.providers.get(name))
        }
        self.groups = Groups(shapes, self.people, frozenset(evidence.providers), choices)
        self.decisions: dict[str, Decision] = {}

    def all(self) -> dict[str, Decision]:
        """Decide for each table; what cannot be decided is `UNDECIDED`."""
        for name, shape in self._shapes.items():
            decided = self._fixed(shape) or self._chosen(shape) or self._found(shape)
            if decided is not None:
                self.decisions[name] = decided
        self._hang_on_others()
        for name, shape in self._shapes.items():
            self.decisions.setdefault(name, self._undecided(shape))
        return {name: self._told(self._with_checks(self.decisions[name])) for name in sorted(self.decisions)}

    def _told(self, decision: Decision) -> Decision:
        """Say where the code reaches private rows with nobody signed in: that needs another role."""
        count = self._evidence.anonymous.get(snake(short(decision.table)), 0)
        if not count or not decision.kind.is_private:
            return decision
        several = "statements of the code reach" if count > 1 else "statement of the code reaches"
        return decision.but(why=f"{decision.why}; {count} {several} it with nobody signed in")

    def _fixed(self, shape: Shape) -> Decision | None:
        name, bare = shape.name, short(shape.name)
        if bare in VERSION_TABLES or name.startswith("drizzle."):
            return Decision(shape, Kind.TOOL, "a migration tool's own table: out of the application's reach")
        if name in self._evidence.policies:
            return Decision(shape, Kind.OWN_POLICIES, self._evidence.policies[name])
        provider = self._evidence.providers.get(name)
        if provider is not None and name not in self.people and name not in self.groups.tables:
            return Decision(
                shape, Kind.SIGN_IN, f"{provider} looks it up before anybody is known, with a role of its own"
            )
        return None

    def _chosen(self, shape: Shape) -> Decision | None:
        name = shape.name
        if name in self._choices.public or name in self._choices.shared:
            kind = Kind.PUBLIC if name in self._choices.public else Kind.SHARED
            owners, said = self._writers(shape), "everybody" if kind is Kind.PUBLIC else "everybody signed in"
            changes = (
                f"changed by {', '.join(c.name for c in owners)} alone" if owners else "changed by nobody"
            )
            flag = f"--{kind} {short(name)}"
            return Decision(shape, kind, f"chosen: read by {said}, {changes}", owners=owners, flag=flag)
        if name in self._choices.closed:
            why = "chosen: out of the application's reach"
            return Decision(shape, Kind.CLOSED, why, flag=f"--closed {short(name)}")
        columns = self._choices.owners.get(name, ())
        return self._by_columns(shape, columns) if columns else None

    def _by_columns(self, shape: Shape, columns: tuple[Column, ...]) -> Decision:
        flag = f"--owner {short(shape.name)}={','.join(c.name for c in columns)}"
        group = self.groups.of_column(shape, columns[0])
        if group is not None:
            return self._of_group(shape, columns[0], group, "chosen").but(flag=flag)
        links = [link for key in shape.foreign_keys if (link := Link.of(shape, key))]
        above = tuple(x for x in links if x.column in columns and x.target not in self.people)
        if above:
            return Decision(shape, Kind.PARENT, "chosen: hangs on its parent", parents=above, flag=flag)
        return Decision(shape, Kind.OWNER, "chosen", owners=columns, flag=flag, shown_by=_shown_by(shape))

    def _found(self, shape: Shape) -> Decision | None:
        name = shape.name
        if name in self.people:
            return self._of_people(shape)
        if group := self.groups.by_membership(name):
            assert group.member_user is not None
            said = f"{group.member_user.name} belongs to {group.name}"
            return Decision(shape, Kind.MEMBERSHIP, said, owners=(group.member_user,), group=group)
        if group := self.groups.by_table(name):
            return Decision(shape, Kind.GROUP, self.groups.sentence(group), group=group)
        return self._by_names(shape)

    def _of_people(self, shape: Shape) -> Decision:
        key = people_key(shape, self._shapes)
        provider = self._evidence.providers.get(shape.name)
        if provider is not None:
            why = f"{provider}'s users: its own role reads all, the application the row of who asks"
        else:
            why = (
                "users that the application looks up itself: open until somebody is known, then one's own row"
            )
        return Decision(shape, Kind.PEOPLE, why, owners=(key,))

    def _by_names(self, shape: Shape) -> Decision | None:
        persons = [c for c in shape.columns if snake(c.name) in PERSONS and self._names_people(shape, c)]
        groups = [(c, g) for c in shape.columns if (g := self.groups.of_column(shape, c))]
        # A group that a row must name is surer than one that it may.
        groups = [(c, g) for c, g in groups if c.not_null] or groups
        if len(persons) > 1 or len(groups) > 1 or (persons and groups):
            names = tuple(c.name for c in [*(c for c, _ in groups), *persons])
            why = f"{' and '.join(names)} may each name the owner"
            return Decision(shape, Kind.UNDECIDED, why, candidates=names)
        if persons:
            return self._owned(shape, persons[0], self._said(shape, persons[0]))
        if groups and (groups[0][0].not_null or not self._has_parent(shape)):
            return self._of_group(shape, *groups[0], why=f"{groups[0][0].name} names the {groups[0][1].name}")
        weaker = [c for c in shape.columns if self._is_maker(shape, c)]
        if len(weaker) == 1:
            return self._owned(shape, weaker[0], self._said(shape, weaker[0]))
        if not weaker:
            return None
        names = tuple(c.name for c in weaker)
        why = f"{' and '.join(names)} may each name the owner"
        return Decision(shape, Kind.UNDECIDED, why, candidates=names)

    def _has_parent(self, shape: Shape) -> bool:
        """Tell whether a row must refer to something that is not a user."""
        mandatory = {c.name for c in shape.columns if c.not_null}
        return any(
            k.target not in self.people and k.target != shape.name and set(k.columns) <= mandatory
            for k in shape.foreign_keys
        )

    def _owned(self, shape: Shape, column: Column, why: str) -> Decision:
        shown = _shown_by(shape)
        why += f"; rows with {shown.name} are read by everybody" if shown else ""
        why += "; rows without one are seen by nobody" if not column.not_null else ""
        return Decision(shape, Kind.OWNER, why, owners=(column,), shown_by=shown)

    def _of_group(self, shape: Shape, column: Column, group: Group, why: str) -> Decision:
        maker = next((c for c in shape.columns if c != column and self._is_maker(shape, c)), None)
        return Decision(
            shape, Kind.TENANT, why, group=group, group_column=column, maker=maker, shown_by=_shown_by(shape)
        )

    def _said(self, shape: Shape, column: Column) -> str:
        count = self._evidence.bound.get((snake(short(shape.name)), snake(column.name)), 0)
        refers = any(k.columns == (column.name,) and k.target in self.people for k in shape.foreign_keys)
        why = f"{column.name} refers to the users" if refers else f"{column.name} names the user"
        several = f"{count} statements of the code bind" if count > 1 else "one statement of the code binds"
        return why + (f", and {several} it to the caller" if count else "")

    def _names_people(self, shape: Shape, column: Column) -> bool:
        """Tell whether no foreign key of a column points elsewhere than at people."""
        targets = [k.target for k in shape.foreign_keys if k.columns == (column.name,)]
        return all(t in self.people for t in targets)

    def _is_maker(self, shape: Shape, column: Column) -> bool:
        refers = any(k.columns == (column.name,) and k.target in self.people for k in shape.foreign_keys)
        return refers or (snake(column.name) in MAKERS and self._names_people(shape, column))

    def _writers(self, shape: Shape) -> tuple[Column, ...]:
        named = self._choices.owners.get(shape.name)
        found = named or tuple(
            c
            for c in shape.columns
            if (snake(c.name) in PERSONS or self._is_maker(shape, c)) and self._names_people(shape, c)
        )
        return found if named or len(found) == 1 else ()

    def _hang_on_others(self) -> None:
        for _ in range(_DEEPEST):
            waiting = [s for n, s in self._shapes.items() if n not in self.decisions]
            found = {s.name: d for s in waiting if (d := self._hanging(s)) is not None}
            if not found:
                return
            self.decisions |= found

    def _hanging(self, shape: Shape) -> Decision | None:
        """Let a table hang on every row with an owner that it must refer to."""
        links = [link for key in shape.foreign_keys if (link := Link.of(shape, key)) and link.column.not_null]
        above = [x for x in links if x.target != shape.name]
        # One that is still open may yet turn out to be private.
        if any(x.target in self._shapes and x.target not in self.decisions for x in above):
            return None
        private = tuple(x for x in above if self.decisions[x.target].kind.is_private)
        if not private:
            return None
        names = ", ".join(f"{short(x.target)} ({x.column.name})" for x in private)
        return Decision(shape, Kind.PARENT, f"hangs on {names}", parents=private, shown_by=_shown_by(shape))

    def _with_checks(self, decision: Decision) -> Decision:
        """Bind the other references of private rows: no row may name what its owner cannot reach."""
        if decision.kind not in (Kind.OWNER, Kind.TENANT, Kind.PARENT):
            return decision
        done = {link.column.name for link in decision.parents} | {c.name for c in decision.owners}
        done |= {decision.group_column.name} if decision.group_column else set()
        links = [link for key in decision.shape.foreign_keys if (link := Link.of(decision.shape, key))]
        return decision.but(
            checks=tuple(
                x
                for x in links
                if x.column.name not in done
                and x.target != decision.table
                and self.decisions[x.target].kind.is_private
            )
        )

    def _undecided(self, shape: Shape) -> Decision:
        above = [k.target for k in shape.foreign_keys if k.target and k.target in self.decisions]
        open_ = [short(t) for t in above if self.decisions[t].kind is Kind.UNDECIDED]
        if open_:
            return Decision(shape, Kind.UNDECIDED, f"hangs on {', '.join(open_)}", waits=True)
        optional = [
            link.column.name
            for key in shape.foreign_keys
            if (link := Link.of(shape, key)) and self.decisions.get(link.target, _NOBODYS).kind.is_private
        ]
        if optional:
            names = tuple(optional)
            return Decision(shape, Kind.UNDECIDED, f"{', '.join(names)} may be empty", candidates=names)
        return Decision(shape, Kind.UNDECIDED, "no column names an owner")


_NOBODYS: Final = Decision(Shape(name="", oid=0), Kind.UNDECIDED, "")


def _shown_by(shape: Shape) -> Column | None:
    """Give the boolean by which a row is open to all."""
    return next((c for c in shape.columns if c.base == "bool" and SHOWN.fullmatch(snake(c.name))), None)
