"""The statements that alter an object in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from neondba.postgres.ddl import described, make, values
from neondba.postgres.ddl.names import last, listed, literal
from neondba.postgres.ddl.sequences import changed_options
from neondba.postgres.ddl.values import Value

_TEXT: Final = ("text", "character", "character varying", "name", '"char"', "citext")
_NUMBERS: Final = ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money")
_TIMES: Final = (
    "date",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
)
_JSON: Final = ("json", "jsonb")


def altered(before: Value, after: Value) -> Iterator[str]:
    """Turn an object that is no table or column into its other form, rights and comment too."""
    maker = _CHANGERS.get(type(after))
    if maker is not None:
        yield from maker(before, after)
    yield from said(before, after)


def said(before: Value, after: Value) -> Iterator[str]:
    """Alter an object's owner, rights and comment."""
    if after.owner is not None and before.owner != after.owner:
        yield described.owner(after)
    if not isinstance(after, values.DefaultPrivileges):
        yield from described.grants(after, before.grants, after.grants)
    if before.comment != after.comment:
        yield described.comment(after, after.comment)


def base_type(name: str) -> str:
    """Leave out a type's length or precision."""
    return re.sub(r"\([^()]*\)", "", name, count=1)


def using(part: str, before: str, after: str) -> str:
    """Write how a value becomes one of another type; through text where Postgres has no other way."""
    old, new = base_type(before), base_type(after)
    family = next((each for each in (_NUMBERS, _TIMES, _JSON) if old in each), ())
    direct = old == new or new in family or any(last(each) in _TEXT for each in (old, new))
    return f"{part}::{after}" if direct else f"{part}::text::{after}"


def added_labels(before: values.Enum, after: values.Enum) -> Iterator[str]:
    """Add the labels of an enum type that keeps all it has."""
    there = list(before.labels)
    for place, label in enumerate(after.labels):
        if label in there:
            continue
        end = f" BEFORE {literal(there[place])}" if place < len(there) else ""
        there.insert(place, label)
        yield f"ALTER TYPE {after.name} ADD VALUE {literal(label)}{end}"


def keeps_labels(before: values.Enum, after: values.Enum) -> bool:
    """Tell whether only labels are added."""
    return [label for label in after.labels if label in before.labels] == list(before.labels)


def keeps_attributes(before: values.Composite, after: values.Composite) -> bool:
    """Tell whether attributes are only dropped, and added at the end."""
    kept = [each for each in before.attributes if each in after.attributes]
    retyped = {name for name, _ in before.attributes} & {
        name for name, kind in after.attributes if (name, kind) not in before.attributes
    }
    return not retyped and list(after.attributes[: len(kept)]) == kept


def _extension(before: values.Extension, after: values.Extension) -> Iterator[str]:
    if before.version != after.version:
        yield f"ALTER EXTENSION {after.name} UPDATE TO {literal(after.version)}"
    if before.in_schema != after.in_schema:
        yield f"ALTER EXTENSION {after.name} SET SCHEMA {after.in_schema}"


def _domain(before: values.Domain, after: values.Domain) -> Iterator[str]:
    head = f"ALTER DOMAIN {after.name}"
    for name, (text, valid) in sorted(before.checks.items()):
        new = after.checks.get(name)
        if new is None or new[0] != text or (valid and not new[1]):
            yield f"{head} DROP CONSTRAINT {name}"
    if before.default != after.default:
        yield f"{head} {'DROP DEFAULT' if after.default is None else f'SET DEFAULT {after.default}'}"
    if before.not_null != after.not_null:
        yield f"{head} {'SET' if after.not_null else 'DROP'} NOT NULL"
    for name, (text, valid) in sorted(after.checks.items()):
        old = before.checks.get(name)
        if old == (text, False) and valid:
            yield f"{head} VALIDATE CONSTRAINT {name}"
        elif old is None or old != (text, valid):
            yield f"{head} ADD CONSTRAINT {name} {text}{'' if valid else ' NOT VALID'}"


def _composite(before: values.Composite, after: values.Composite) -> Iterator[str]:
    there = {name for name, _ in before.attributes}
    wanted = {name for name, _ in after.attributes}
    for name in [each for each, _ in before.attributes if each not in wanted]:
        yield f"ALTER TYPE {after.name} DROP ATTRIBUTE {name}"
    for name, kind in after.attributes:
        if name not in there:
            yield f"ALTER TYPE {after.name} ADD ATTRIBUTE {name} {kind}"


def _sequence(before: values.Sequence, after: values.Sequence) -> Iterator[str]:
    words = [f"AS {after.type}"] if before.type != after.type else []
    words += changed_options(before, after)
    if words:
        yield f"ALTER SEQUENCE {after.name} {' '.join(words)}"
    if before.unlogged != after.unlogged:
        yield f"ALTER SEQUENCE {after.name} SET {'UNLOGGED' if after.unlogged else 'LOGGED'}"


def table(before: values.Table, after: values.Table) -> Iterator[str]:
    """Alter a table's own settings."""
    head = f"ALTER TABLE {after.name}"
    if before.unlogged != after.unlogged and after.partition_by is None:
        yield f"{head} SET {'UNLOGGED' if after.unlogged else 'LOGGED'}"
    if before.access_method != after.access_method:
        yield f"{head} SET ACCESS METHOD {after.access_method or 'heap'}"
    yield from make.options_changed(head, before.options, after.options)
    if before.row_security != after.row_security:
        yield f"{head} {'ENABLE' if after.row_security else 'DISABLE'} ROW LEVEL SECURITY"
    if before.force_row_security != after.force_row_security:
        yield f"{head} {'FORCE' if after.force_row_security else 'NO FORCE'} ROW LEVEL SECURITY"
    yield from said(before, after)


def _clustering(
    before: values.Constraint | values.Index, after: values.Constraint | values.Index
) -> Iterator[str]:
    if before.clustered != after.clustered:
        how = f"CLUSTER ON {after.part}" if after.clustered else "SET WITHOUT CLUSTER"
        yield f"ALTER TABLE {after.table} {how}"


def _constraint(before: values.Constraint, after: values.Constraint) -> Iterator[str]:
    if after.validated and not before.validated:
        yield f"ALTER TABLE {after.table} VALIDATE CONSTRAINT {after.part}"
    yield from _clustering(before, after)


def _index(before: values.Index, after: values.Index) -> Iterator[str]:
    if after.valid and not before.valid:
        yield f"REINDEX INDEX {after.name}"
    yield from _clustering(before, after)
    for place in sorted(before.statistics.keys() | after.statistics.keys()):
        if before.statistics.get(place) != after.statistics.get(place):
            target = after.statistics.get(place, -1)
            yield f"ALTER INDEX {after.name} ALTER COLUMN {place} SET STATISTICS {target}"


def _view(before: values.View, after: values.View) -> Iterator[str]:
    if before.definition != after.definition:
        yield next(make.made(after))
    else:
        yield from make.options_changed(f"ALTER {after.word} {after.name}", before.options, after.options)
    if before.populated != after.populated:
        yield f"REFRESH MATERIALIZED VIEW {after.name} WITH {'' if after.populated else 'NO '}DATA"
    yield from make.view_comments(before, after)


def _function(before: values.Function, after: values.Function) -> Iterator[str]:
    if before.definition != after.definition:
        yield from make.made(after)


def _event_trigger(before: values.EventTrigger, after: values.EventTrigger) -> Iterator[str]:
    if before.state != after.state:
        yield f"ALTER EVENT TRIGGER {after.name} {after.state}"


def _policy(before: values.Policy, after: values.Policy) -> Iterator[str]:
    words = [f"TO {listed(after.roles)}"] if before.roles != after.roles else []
    words += [f"USING ({after.using})"] if before.using != after.using else []
    words += [f"WITH CHECK ({after.check})"] if before.check != after.check else []
    if words:
        yield f"ALTER POLICY {after.part} ON {after.table} {' '.join(words)}"


def _rule(before: values.Rule, after: values.Rule) -> Iterator[str]:
    if before.state != after.state:
        yield f"ALTER TABLE {after.table} {after.state} RULE {after.part}"


def _statistics(before: values.Statistics, after: values.Statistics) -> Iterator[str]:
    if before.target != after.target:
        target = -1 if after.target is None else after.target
        yield f"ALTER STATISTICS {after.name} SET STATISTICS {target}"


def default_privileges(before: values.DefaultPrivileges, after: values.DefaultPrivileges) -> Iterator[str]:
    """Alter what a role grants on objects that it will make."""
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {after.role}"
    head += f" IN SCHEMA {after.in_schema}" if after.in_schema is not None else ""
    for verb, option, held, grantee in described.steps(before.grants, after.grants):
        about = "GRANT OPTION FOR " if option and verb == "REVOKE" else ""
        end = f"{'TO' if verb == 'GRANT' else 'FROM'} {grantee}"
        end += " WITH GRANT OPTION" if option and verb == "GRANT" else ""
        yield f"{head} {verb} {about}{', '.join(held)} ON {after.objects} {end}"


def no_default_privileges(like: values.DefaultPrivileges) -> values.DefaultPrivileges:
    """Give what holds where a role has said nothing."""
    by_itself = described.EVERYBODY.get(like.objects, {}) if like.in_schema is None else {}
    return like.model_copy(update={"grants": by_itself})


_CHANGERS: Final[dict[type[Value], Callable[[Any, Any], Iterator[str]]]] = {
    values.Extension: _extension,
    values.Domain: _domain,
    values.Composite: _composite,
    values.Sequence: _sequence,
    values.Constraint: _constraint,
    values.Index: _index,
    values.View: _view,
    values.Function: _function,
    values.Trigger: make.trigger_state,
    values.EventTrigger: _event_trigger,
    values.Policy: _policy,
    values.Rule: _rule,
    values.Statistics: _statistics,
    values.DefaultPrivileges: default_privileges,
}
