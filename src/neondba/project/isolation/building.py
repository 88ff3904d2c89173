"""Statements as the ORM builds them, call by call."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from neondba.project.isolation.raw import sent
from neondba.project.isolation.substitution import alter, narrow
from neondba.project.isolation.values import (
    NOTHING,
    Built,
    Column,
    Cond,
    Param,
    Query,
    Row,
    Table,
    Thing,
    Value,
    Write,
    joined,
)  # fmt: skip

if TYPE_CHECKING:
    from neondba.project.isolation.reader import Reader

STARTING = {
    "select": "select",
    "update": "update",
    "delete": "delete",
    "insert": "insert",
    "exists": "select",
}
NARROWING = frozenset(
    {"where", "filter", "filter_by", "having", "join", "outerjoin", "with_parent", "join_from"}
)
PASSING = frozenset(
    {"order_by", "limit", "offset", "options", "distinct", "group_by", "with_for_update", "execution_options",
     "select_from", "returning", "subquery", "alias", "cte", "scalar_subquery", "correlate", "add_columns",
     "with_only_columns", "union", "union_all", "on_conflict_do_nothing", "prefix_with", "populate_existing",
     "where_in", "unique", "slice", "set", "label", "yield_per", "enable_eagerloads", "reverse",
     "with_entities", "load_only", "having_", "autoflush", "tuples", "mappings", "scalars"}
)  # fmt: skip
RUNNING = frozenset(
    {"exec", "execute", "scalars", "scalar", "stream", "stream_scalars", "fetch_all", "fetch_one",
     "fetch_val", "paginate", "scalar_one", "scalar_one_or_none"}
)  # fmt: skip
COUNTING = frozenset({"count", "sum", "avg", "max", "min", "exists"})
CHAINED = NARROWING | PASSING | COUNTING | {"values", "delete", "update"}
SINGLE = frozenset(
    {"first", "one", "one_or_none", "scalar_one", "scalar_one_or_none", "scalar", "fetchone", "first_or_404"}
)
LOADING = frozenset({"get", "get_one", "get_or_404", "aget", "get_or_none"})
HOLDING = frozenset({"in_", "is_", "any", "any_", "has", "contains", "op", "overlap", "__eq__", "bool_op"})
SESSION_WORDS = ("session", "db", "conn", "transaction", "uow", "sess", "tx")


def built(reader: Reader, node: ast.Call, name: str, receiver: Value) -> Value | None:
    """Give what a call of the ORM makes; `None` for other calls."""
    if name in STARTING and (node.args or name == "exists") and _is_start(reader, node, name, receiver):
        return _started(reader, node, name)
    told = sent(reader, node, name)
    if told is not None:
        return told
    if isinstance(node.func, ast.Attribute):
        found = _method(reader, node, name, receiver)
        if found is not None or name in CHAINED:
            return found
    if name in SINGLE and not node.args:
        alter(reader.summary, receiver, "single")
    if name == "setattr" and len(node.args) == 3:
        return _set(reader, node)
    return _inserted(reader, node, name)


def _method(reader: Reader, node: ast.Call, name: str, receiver: Value) -> Value | None:
    """Give what a method of the ORM makes."""
    if name in HOLDING and any(isinstance(a, Column) for a in receiver):
        return _held(reader, node, receiver)
    if name == "query" and node.args:
        made = _started(reader, node, "select")
        return made if any(isinstance(a, Built) and a.query.tables for a in made) else None
    if name in CHAINED:
        return _continued(reader, node, name, receiver)
    if name in LOADING and node.args:
        return _loaded(reader, node, receiver)
    if name in RUNNING and node.args:
        return _run(reader, node)
    if name == "sqlmodel_update" and node.args:
        return _updated(reader, node, receiver)
    return None


def _held(reader: Reader, node: ast.Call, receiver: Value) -> Value:
    """Read `Model.column.in_(values)` and its kin."""
    column = next(a for a in receiver if isinstance(a, Column))
    given = joined(reader.value(a) for a in node.args)
    inner = Value(a for a in given if isinstance(a, Cond))
    if inner:
        return inner
    value = Value(a for a in given if not isinstance(a, Column | Table))
    constant = bool(node.args) and isinstance(node.args[0], ast.Constant)
    return Value({Cond(column.name, value, constant, node.lineno, column.model)})


def _is_start(reader: Reader, node: ast.Call, name: str, receiver: Value) -> bool:
    if isinstance(node.func, ast.Name):
        return (reader.file.resolve(node.func) or "").startswith(
            ("sqlalchemy", "sqlmodel")
        ) or name == "select"
    if name == "select":
        return not receiver
    return (
        not receiver
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id in ("sa", "sqlalchemy", "sqlmodel", "sql", "postgresql", "pg"))
    )


def started(reader: Reader, node: ast.expr, asked: Value, kind: str) -> Value:
    """Begin a statement over the tables that a value names."""
    return _noted(reader, Query(kind, tables_of(asked), reader.file.path, node.lineno, reader.function))


def _started(reader: Reader, node: ast.Call, name: str) -> Value:
    asked = joined(reader.value(a) for a in node.args)
    inner = Value(a for a in asked if isinstance(a, Built))
    if inner and not any(isinstance(a, Table | Column) for a in asked):
        return inner
    query = Query(STARTING.get(name, name), tables_of(asked), reader.file.path, node.lineno, reader.function)
    query.counts = all(_aggregates(a) for a in node.args) and bool(node.args) and name != "exists"
    query.conditions += _conditions(reader, node, asked) if name == "exists" else []
    return _noted(reader, query)


def _noted(reader: Reader, query: Query) -> Value:
    query.staff = reader.staff
    reader.summary.queries.append(query)
    return Value({Built(query)})


def tables_of(value: Value) -> Value:
    """Give the tables that a value names, itself or by a column."""
    found: list[Table | Param] = []
    for atom in value:
        if isinstance(atom, Table | Param):
            found.append(atom)
        elif isinstance(atom, Column) and atom.model is not None:
            found.append(Table(atom.model))
        elif isinstance(atom, Built):
            found += [a for a in atom.query.tables if isinstance(a, Table | Param)]
    return Value(found)


def _aggregates(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "label":
        node = node.func.value
    while isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
        node = node.args[0]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    base = node.func.value
    return (isinstance(base, ast.Name) and base.id == "func") or (
        isinstance(base, ast.Attribute) and base.attr == "func"
    )


def _continued(reader: Reader, node: ast.Call, name: str, receiver: Value) -> Value | None:
    """Add one call of a chain to the statements at its root."""
    if name == "delete" and (len(node.args) == 1) and _removed(reader, node, name) is not None:
        return NOTHING
    if not any(isinstance(a, Built | Param) or (isinstance(a, Row) and name in NARROWING) for a in receiver):
        return _removed(reader, node, name)
    if name in NARROWING:
        asked = joined(reader.value(a) for a in node.args)
        for condition in _conditions(reader, node, asked):
            narrow(reader.summary, receiver, condition)
            for atom in receiver if condition.model is not None else ():
                if isinstance(atom, Built) and not atom.query.tables:
                    atom.query.tables = tables_of(Value({Column(condition.column, condition.model)}))
        return receiver
    if name in COUNTING:
        alter(reader.summary, receiver, "counts")
        return receiver
    if not any(isinstance(a, Built) for a in receiver):
        return None if name in ("delete", "update", "values", "set", "union", "scalars") else receiver
    if name in ("delete", "update"):
        alter(reader.summary, receiver, name)
        joined(reader.value(a) for a in node.args)
        return receiver
    _kept(reader, node, name, receiver)
    return receiver


def _kept(reader: Reader, node: ast.Call, name: str, receiver: Value) -> None:
    """Read the arguments of a call that narrows nothing."""
    asked = joined(reader.value(a) for a in node.args)
    for atom in receiver:
        if isinstance(atom, Built) and name == "select_from":
            atom.query.tables |= tables_of(asked)
            inner = Value(a for a in asked if isinstance(a, Built))
            if inner:
                atom.query.conditions.append(Cond("?", inner, False, node.lineno))
        elif isinstance(atom, Built) and name == "values":
            atom.query.conditions += _assigned(reader, node)


def _assigned(reader: Reader, node: ast.Call) -> list[Cond]:
    found = [
        Cond(f"={k.arg}", reader.value(k.value), isinstance(k.value, ast.Constant), k.value.lineno)
        for k in node.keywords
        if k.arg
    ]
    for value in [
        *(reader.value(a) for a in node.args),
        *(reader.value(k.value) for k in node.keywords if k.arg is None),
    ]:
        for atom in value:
            if isinstance(atom, Thing):
                found += [Cond(f"={k}", v, False, node.lineno) for k, v in atom.fields.values.items()]
            else:
                found.append(Cond("=*", Value({atom}), False, node.lineno))
    return found


def _conditions(reader: Reader, node: ast.Call, asked: Value) -> list[Cond]:
    """Give the conditions in the arguments of `where`, `filter_by` or `join`."""
    found = [a for a in asked if isinstance(a, Cond)]
    rest = Value(a for a in asked if not isinstance(a, Cond | Table | Column | Thing))
    if rest:
        found.append(Cond("?", rest, False, node.lineno))
    for keyword in node.keywords:
        value = reader.value(keyword.value)
        if keyword.arg is None:
            found.append(Cond("**", value, False, node.lineno))
        elif keyword.arg not in ("isouter", "full", "onclause"):
            found.append(Cond(keyword.arg, value, isinstance(keyword.value, ast.Constant), node.lineno))
        elif keyword.arg == "onclause":
            found += [a for a in value if isinstance(a, Cond)]
    return found


def _removed(reader: Reader, node: ast.Call, name: str) -> Value | None:
    """Note `session.delete(row)`; conditions on columns such as `Task.tags.any(...)`."""
    if name == "delete" and len(node.args) == 1 and not node.keywords:
        rows = reader.value(node.args[0])
        if any(isinstance(a, Row | Built | Param) for a in rows) and _is_session(node.func):
            alter(reader.summary, rows, "deleted")
            return NOTHING
    return None


def _is_session(func: ast.expr) -> bool:
    said = ast.unparse(func.value).lower() if isinstance(func, ast.Attribute) else ""
    return any(word in said for word in SESSION_WORDS)


def _loaded(reader: Reader, node: ast.Call, receiver: Value) -> Value | None:
    """Read `session.get(Model, id)` and `Model.query.get(id)`."""
    first = reader.value(node.args[0])
    tables: Value = Value(a for a in first if isinstance(a, Table))
    if not tables and len(node.args) > 1 and _is_session(node.func):
        tables = Value(a for a in first if isinstance(a, Param))
    wanted = reader.value(node.args[1]) if len(node.args) > 1 else NOTHING
    if not tables:
        ours = Value(Table(a.model) for a in receiver if isinstance(a, Table))
        asked = [a.query for a in receiver if isinstance(a, Built)]
        if asked:
            narrow(reader.summary, receiver, Cond("id", first, False, node.lineno))
            for query in asked:
                query.kind = "get"
            return receiver
        if not ours or isinstance(node.args[0], ast.Constant):
            return None
        tables, wanted = ours, first
    if len(node.args) == 1 and node.keywords:
        wanted = joined(reader.value(k.value) for k in node.keywords)
    query = Query("get", tables, reader.file.path, node.lineno, reader.function)
    query.conditions.append(Cond("id", _flat(wanted), False, node.lineno))
    _noted(reader, query)
    return Value({Row(query)})


def _flat(value: Value) -> Value:
    return joined(joined(a.fields.values.values()) if isinstance(a, Thing) else Value({a}) for a in value)


def _run(reader: Reader, node: ast.Call) -> Value | None:
    """Run a statement: what comes out are its rows."""
    given = joined(reader.value(a) for a in node.args)
    found = Value(Row(a.query) for a in given if isinstance(a, Built))
    for atom in given if len(node.args) > 1 else ():
        if isinstance(atom, Built) and atom.query.kind in ("update", "delete") and not atom.query.conditions:
            atom.query.conditions.append(Cond("?", reader.value(node.args[1]), False, node.lineno))
    passed = Value(a for a in given if isinstance(a, Param))
    return found | passed if found or passed else None


def _updated(reader: Reader, node: ast.Call, receiver: Value) -> Value:
    given = reader.value(node.args[0])
    update = next((k.value for k in node.keywords if k.arg == "update"), None)
    settled = reader.value(update) if update is not None else NOTHING
    for atom in settled:
        if isinstance(atom, Thing):
            for key, value in atom.fields.values.items():
                reader.summary.writes.append(
                    Write(receiver, key, value, reader.file.path, node.lineno, reader.function)
                )
    reader.summary.writes.append(Write(receiver, "*", given, reader.file.path, node.lineno, reader.function))
    alter(reader.summary, receiver, "changed")
    return receiver


def _set(reader: Reader, node: ast.Call) -> Value:
    """Note `setattr(row, name, value)`."""
    target, key = reader.value(node.args[0]), node.args[1]
    value = reader.value(node.args[2]) | reader.value(key)
    field = str(key.value) if isinstance(key, ast.Constant) else "*"
    named = key.id if isinstance(key, ast.Name) else ""
    reader.summary.writes.append(
        Write(target, field, value, reader.file.path, node.lineno, reader.function, named)
    )
    alter(reader.summary, target, "changed")
    return NOTHING


def _inserted(reader: Reader, node: ast.Call, name: str) -> Value | None:
    """Note a model that is made: `Task(...)`, `Task.model_validate(data)`, `self.model(**data)`."""
    func = node.func
    made = (
        func.value
        if isinstance(func, ast.Attribute) and name in ("model_validate", "from_orm", "parse_obj")
        else func
    )
    if (
        isinstance(made, ast.Name)
        and made.id[:1].islower()
        and made.id not in ("model", "cls", "model_class")
    ):
        return None
    tables: Value = Value(a for a in reader.value(made) if isinstance(a, Table))
    if not tables and isinstance(made, ast.Attribute) and made.attr in ("model", "_model", "model_class"):
        tables = Value(a for a in reader.value(made) if isinstance(a, Param))
    if not tables:
        return None
    query = Query("insert", tables, reader.file.path, node.lineno, reader.function)
    query.conditions += _assigned(reader, node)
    if made is not func:
        query.conditions = [c for c in query.conditions if c.column != "=update"]
        update = next((k.value for k in node.keywords if k.arg == "update"), None)
        for atom in reader.value(update) if update is not None else ():
            if isinstance(atom, Thing):
                query.conditions += [
                    Cond(f"={k}", v, False, node.lineno) for k, v in atom.fields.values.items()
                ]
    _noted(reader, query)
    return Value({Row(query)})
