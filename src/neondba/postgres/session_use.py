"""Which statements keep state in a session, or need state that an earlier one has kept there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from neondba.postgres.sql_text import pieces, without_placeholders

Kind = Literal[
    "setting", "role", "advisory lock", "listen", "temporary table", "held cursor", "prepared statement",
    "library", "sequence value", "reset",
]  # fmt: skip
Does = Literal["keeps", "needs"]
HOLD: Final = 0x0020
"""CURSOR_OPT_HOLD, from PostgreSQL's nodes/parsenodes.h."""
_LOCKS: Final = frozenset(
    {"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"}
)
_UNLOCKS: Final = frozenset({"pg_advisory_unlock", "pg_advisory_unlock_shared"})
"""That of all locks is what drivers send to clean up, as are CLOSE ALL and UNLISTEN *."""
_SEQUENCES: Final = frozenset({"currval", "lastval"})
_ROLES: Final = frozenset({"role", "session_authorization"})


@dataclass(frozen=True)
class SessionUse:
    """What a statement has to do with its session."""

    kind: Kind
    does: Does
    name: str = ""
    """Of the setting, table, cursor, channel or prepared statement."""
    unless: int | None = None
    """Number of the parameter that, being true, makes it end with the transaction."""


@lru_cache(maxsize=4096)
def uses(text: str) -> tuple[SessionUse, ...]:
    """Give what the statements of a text keep in their session or need from it; nothing if unreadable."""
    found: list[SessionUse] = []
    for piece in pieces(text):
        tree = _tree(piece.text)
        if tree is not None:
            found += _of(tree)
    return tuple(dict.fromkeys(found))


def _tree(text: str) -> Any | None:
    import postgast

    for attempt in (text, without_placeholders(text)):
        try:
            statements = postgast.parse(attempt).stmts
        except (postgast.PgQueryError, ValueError, RecursionError):
            continue
        return statements[0].stmt if statements else None
    return None


def _of(tree: Any) -> Iterator[SessionUse]:
    kind = tree.WhichOneof("node")
    if kind is None:
        return
    node = getattr(tree, kind)
    read = _READERS.get(kind)
    if read is not None:
        yield from read(node)
    if kind not in ("create_function_stmt", "do_stmt", "prepare_stmt"):
        yield from _calls(tree)


def _variable(node: Any) -> Iterator[SessionUse]:
    what = _enum(node, "kind")
    name = node.name.lower()
    if node.is_local or name in ("transaction", "transaction snapshot"):
        return
    if what == "VAR_RESET_ALL":
        yield SessionUse("reset", "keeps", "RESET ALL")
    elif name in _ROLES:
        yield SessionUse("role", "keeps", name)
    elif name:
        yield SessionUse("setting", "keeps", name)


def _shown(node: Any) -> Iterator[SessionUse]:
    if "." in node.name:
        yield SessionUse("setting", "needs", node.name.lower())


def _created(node: Any) -> Iterator[SessionUse]:
    if node.relation.relpersistence == "t" and _enum(node, "oncommit") != "ONCOMMIT_DROP":
        yield SessionUse("temporary table", "keeps", node.relation.relname)


def _created_as(node: Any) -> Iterator[SessionUse]:
    yield from _into(node.into)


def _selected(node: Any) -> Iterator[SessionUse]:
    if node.HasField("into_clause"):
        yield from _into(node.into_clause)


def _into(into: Any) -> Iterator[SessionUse]:
    if into.rel.relpersistence == "t" and _enum(into, "on_commit") != "ONCOMMIT_DROP":
        yield SessionUse("temporary table", "keeps", into.rel.relname)


def _viewed(node: Any) -> Iterator[SessionUse]:
    if node.view.relpersistence == "t":
        yield SessionUse("temporary table", "keeps", node.view.relname)


def _sequence(node: Any) -> Iterator[SessionUse]:
    if node.sequence.relpersistence == "t":
        yield SessionUse("temporary table", "keeps", node.sequence.relname)


def _discard(node: Any) -> Iterator[SessionUse]:
    yield SessionUse("reset", "keeps", _enum(node, "target").replace("_", " "))


_READERS: Final[dict[str, Callable[[Any], Iterable[SessionUse]]]] = {
    "variable_set_stmt": _variable,
    "variable_show_stmt": _shown,
    "create_stmt": _created,
    "create_table_as_stmt": _created_as,
    "select_stmt": _selected,
    "view_stmt": _viewed,
    "create_seq_stmt": _sequence,
    "discard_stmt": _discard,
    "listen_stmt": lambda node: [SessionUse("listen", "keeps", node.conditionname)],
    "unlisten_stmt": lambda node: (
        [SessionUse("listen", "needs", node.conditionname)] if node.conditionname else []
    ),
    "declare_cursor_stmt": lambda node: (
        [SessionUse("held cursor", "keeps", node.portalname)] if node.options & HOLD else []
    ),
    "fetch_stmt": lambda node: [SessionUse("held cursor", "needs", node.portalname)],
    "close_portal_stmt": lambda node: (
        [SessionUse("held cursor", "needs", node.portalname)] if node.portalname else []
    ),
    "prepare_stmt": lambda node: [SessionUse("prepared statement", "keeps", node.name)],
    "execute_stmt": lambda node: [SessionUse("prepared statement", "needs", node.name)],
    # Of all at once the pooler takes care itself.
    "deallocate_stmt": lambda node: (
        [SessionUse("prepared statement", "needs", node.name)] if node.name else []
    ),
    "load_stmt": lambda node: [SessionUse("library", "keeps", node.filename)],
}


def _calls(message: Any) -> Iterator[SessionUse]:
    if message.DESCRIPTOR.name == "FuncCall":
        yield from _call([part.string.sval.lower() for part in message.funcname][-1], list(message.args))
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                yield from _calls(part)


def _call(name: str, arguments: list[Any]) -> Iterator[SessionUse]:
    if name == "set_config" and len(arguments) == 3:
        local = _constant(arguments[2])
        if local is not True:
            parameter = _parameter(arguments[2]) if local is None else None
            setting = str(_constant(arguments[0]) or "").lower()
            yield SessionUse("role" if setting in _ROLES else "setting", "keeps", setting, parameter)
    elif name == "current_setting" and arguments:
        setting = str(_constant(arguments[0]) or "").lower()
        if "." in setting:
            yield SessionUse("setting", "needs", setting)
    elif name in _LOCKS:
        yield SessionUse("advisory lock", "keeps", name)
    elif name in _UNLOCKS:
        yield SessionUse("advisory lock", "needs", name)
    elif name in _SEQUENCES:
        yield SessionUse("sequence value", "needs", name)


def _constant(node: Any) -> str | bool | None:
    """Give a constant's value, through casts; `None` for anything else."""
    kind = node.WhichOneof("node")
    if kind == "type_cast":
        value = _constant(node.type_cast.arg)
        return _truth(value) if _last(node.type_cast.type_name.names) == "bool" else value
    if kind != "a_const":
        return None
    const = node.a_const
    which = const.WhichOneof("val")
    if which == "boolval":
        return bool(const.boolval.boolval)
    return str(const.sval.sval) if which == "sval" else None


def _truth(value: str | bool | None) -> str | bool | None:
    if isinstance(value, str) and value.lower() in (
        "t",
        "true",
        "on",
        "yes",
        "1",
        "f",
        "false",
        "off",
        "no",
        "0",
    ):
        return value.lower() in ("t", "true", "on", "yes", "1")
    return value


def _parameter(node: Any) -> int | None:
    kind = node.WhichOneof("node")
    if kind == "type_cast":
        return _parameter(node.type_cast.arg)
    return int(node.param_ref.number) if kind == "param_ref" else None


def _last(names: Iterable[Any]) -> str:
    parts = [part.string.sval for part in names]
    return parts[-1] if parts else ""


def _enum(node: Any, field: str) -> str:
    return str(node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(node, field)].name)
