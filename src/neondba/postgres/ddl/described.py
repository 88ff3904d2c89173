"""Name objects in statements; comments, grants and owners, which many kinds have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from neondba.postgres.ddl.names import literal, namespace
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import (
    Column,
    Composite,
    Constraint,
    DefaultPrivileges,
    Domain,
    Enum,
    EventTrigger,
    Extension,
    Function,
    Grants,
    Index,
    Namespace,
    Part,
    Policy,
    Range,
    Rule,
    Sequence,
    Statistics,
    Table,
    Trigger,
    Value,
    View,
)

OWNER: Final = "@owner"
_WORDS: Final[dict[type[Value], str]] = {
    Namespace: "SCHEMA",
    Extension: "EXTENSION",
    Enum: "TYPE",
    Domain: "DOMAIN",
    Composite: "TYPE",
    Range: "TYPE",
    Sequence: "SEQUENCE",
    Table: "TABLE",
    Column: "COLUMN",
    Index: "INDEX",
    EventTrigger: "EVENT TRIGGER",
    Statistics: "STATISTICS",
    Constraint: "CONSTRAINT",
    Trigger: "TRIGGER",
    Policy: "POLICY",
    Rule: "RULE",
}
_GRANTED_ON: Final[dict[type[Value], tuple[str, str]]] = {
    Namespace: ("SCHEMA", "SCHEMAS"),
    Table: ("TABLE", "TABLES"),
    View: ("TABLE", "TABLES"),
    Sequence: ("SEQUENCE", "SEQUENCES"),
    Enum: ("TYPE", "TYPES"),
    Domain: ("DOMAIN", "TYPES"),
    Composite: ("TYPE", "TYPES"),
    Range: ("TYPE", "TYPES"),
    Function: ("ROUTINE", "FUNCTIONS"),
}
"""Word in a GRANT, word in default privileges."""
EVERYBODY: Final[dict[str, Grants]] = {
    "FUNCTIONS": {"PUBLIC": ("EXECUTE",)},
    "TYPES": {"PUBLIC": ("USAGE",)},
}
"""What PostgreSQL grants on new objects by itself."""


def called(value: Value) -> str:
    """Name an object as COMMENT ON, DROP and ALTER do."""
    if isinstance(value, View):
        return f"{value.word} {value.name}"
    if isinstance(value, Function):
        arguments = value.signature if value.type != "AGGREGATE" else value.name
        return f"{value.word} {arguments}"
    if isinstance(value, Constraint | Trigger | Policy | Rule):
        return f"{_WORDS[type(value)]} {value.part} ON {value.table}"
    return f"{_WORDS[type(value)]} {value.name}"


def comment(value: Value, text: str | None) -> str:
    """Write or remove a comment."""
    return f"COMMENT ON {called(value)} IS {'NULL' if text is None else literal(text)}"


def owner(value: Value) -> str:
    """Give an object to its owner."""
    return f"ALTER {called(value)} OWNER TO {value.owner}"


def grants(value: Value, before: Grants, after: Grants) -> Iterator[str]:
    """Take and give rights until they are as they should be."""
    if before == after:
        return
    if isinstance(value, Column):
        on, columns = f"TABLE {value.table}", f" ({value.part})"
    else:
        name = value.name
        on, columns = f"{_GRANTED_ON[type(value)][0]} {name}", ""
    for verb, option, held, grantee in steps(before, after):
        privileges = ", ".join(each + columns for each in held)
        direction = "TO" if verb == "GRANT" else "FROM"
        head = "REVOKE GRANT OPTION FOR" if option and verb == "REVOKE" else verb
        tail = " WITH GRANT OPTION" if option and verb == "GRANT" else ""
        yield f"{head} {privileges} ON {on} {direction} {grantee}{tail}"


def steps(before: Grants, after: Grants) -> Iterator[tuple[str, bool, list[str], str]]:
    """Give each REVOKE and GRANT: verb, whether it is about the grant option, privileges, grantee."""
    for grantee in sorted(before.keys() | after.keys()):
        who = "CURRENT_USER" if grantee == OWNER else grantee
        missing = ("ALL",) if grantee == OWNER else ()
        old, new = _rights(before.get(grantee, missing)), _rights(after.get(grantee, missing))
        if old == new:
            continue
        if "ALL" in old or "ALL" in new:
            yield "REVOKE" if "ALL" in old else "GRANT", False, ["ALL"], who
            old = {} if "ALL" in old else new
        yield from _each("REVOKE", False, [p for p in old if p not in new], who)
        yield from _each("REVOKE", True, [p for p in old if old[p] and p in new and not new[p]], who)
        yield from _each("GRANT", False, [p for p in new if p not in old and not new[p]], who)
        yield from _each("GRANT", True, [p for p in new if new[p] and not old.get(p)], who)


def _rights(held: tuple[str, ...]) -> dict[str, bool]:
    return {each.removesuffix("*"): each.endswith("*") for each in held}


def _each(verb: str, option: bool, held: list[str], who: str) -> Iterator[tuple[str, bool, list[str], str]]:
    if held:
        yield verb, option, sorted(held), who


def at_first(value: Value, there: Schema) -> Grants:
    """Give the grants that a new object has by itself, from the default privileges in force."""
    if type(value) not in _GRANTED_ON:
        return {}
    objects = _GRANTED_ON[type(value)][1]
    found = dict(EVERYBODY.get(objects, {}))
    of_role = [
        each for each in there.of(DefaultPrivileges) if (each.role, each.objects) == (there.role, objects)
    ]
    for each in of_role:
        if each.in_schema is None:
            found = dict(each.grants)
    for each in of_role:
        if each.in_schema is not None and each.in_schema == namespace(value.name):
            for grantee, held in each.grants.items():
                # What is held twice is held with the grant option if either has it.
                rights = _rights(found.get(grantee, ()))
                rights |= {p: o or rights.get(p, False) for p, o in _rights(held).items()}
                found[grantee] = tuple(sorted(p + "*" * o for p, o in rights.items()))
    return found


def described(value: Value, there: Schema) -> Iterator[str]:
    """Give a new object its owner, rights and comment."""
    if value.owner is not None and not isinstance(value, Part):
        yield owner(value)
    if not isinstance(value, DefaultPrivileges):
        yield from grants(value, at_first(value, there), value.grants)
    if value.comment is not None:
        yield comment(value, value.comment)
