"""Turn nodes of PostgreSQL's syntax tree into plain facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from neondba.postgres.sql_text import commas
from neondba.postgres.sql_types import type_name
from neondba.postgres.statement import (
    Action,
    AlterEnum,
    AlterTable,
    Call,
    Change,
    ColumnDef,
    ConstraintDef,
    CreateEnum,
    CreateExtension,
    CreateFunction,
    CreateIndex,
    CreatePolicy,
    CreateTable,
    CreateTrigger,
    DropObjects,
    Grant,
    Maintain,
    Name,
    References,
    Rename,
    RowChange,
    SetParameter,
    Transaction,
    Truncate,
)  # fmt: skip

ON_DELETE = {"c": "cascade", "n": "set null", "r": "restrict", "d": "set default"}
CONSTRAINTS = {
    "PRIMARY": "primary key", "UNIQUE": "unique", "FOREIGN": "foreign key", "CHECK": "check",
    "EXCLUSION": "exclude", "NOTNULL": "not null",
}  # fmt: skip
CHANGES = {
    "AddColumn": "add column", "DropColumn": "drop column", "SetNotNull": "set not null",
    "DropNotNull": "drop not null", "AlterColumnType": "alter type", "ColumnDefault": "set default",
    "AddConstraint": "add constraint", "ValidateConstraint": "validate constraint",
    "DropConstraint": "drop constraint", "EnableRowSecurity": "enable rls", "ForceRowSecurity": "force rls",
    "DisableRowSecurity": "disable rls", "AddIdentity": "add identity",
    "AttachPartition": "attach partition", "DetachPartition": "detach partition",
    "SetLogged": "set logged", "SetUnLogged": "set unlogged", "SetTableSpace": "set tablespace",
    "SetAccessMethod": "set access method",
}  # fmt: skip
FIRST_CHANGE = re.compile(r"\b(?:ADD|DROP|ALTER|VALIDATE|ENABLE|FORCE|DISABLE)\b", re.IGNORECASE)
WORD = re.compile(r"\S")
BEFORE, ON_UPDATE = 2, 16
"""Bits of a trigger's timing and events, from PostgreSQL's catalog/pg_trigger.h."""


class Reader:
    """Reads the nodes of one statement."""

    def __init__(self, text: str, line: int, deparse: Callable[[Any], str]) -> None:
        self._bytes = text.encode()
        self._text = text
        self._line = line
        self._deparse = deparse

    def action(self, node: Any) -> Action | None:
        """Say what a statement does; `None` for kinds nobody asks about."""
        kind = node.WhichOneof("node")
        read = getattr(self, f"_{kind}", None) if kind else None
        return read(getattr(node, kind)) if read else None

    def nested(self, node: Any) -> list[RowChange]:
        """Give the UPDATEs and DELETEs in the WITH of a statement."""
        inner = getattr(node, node.WhichOneof("node") or "", None)
        if inner is None or not hasattr(inner, "with_clause"):
            return []
        queries = (cte.common_table_expr.ctequery for cte in inner.with_clause.ctes)
        return [action for query in queries if isinstance(action := self.action(query), RowChange)]

    def line(self, location: int) -> int:
        """Give the line of a byte offset in the statement."""
        return self._line + self._bytes[: max(location, 0)].count(b"\n")

    def _create_stmt(self, node: Any) -> CreateTable:
        columns, constraints, copied = [], [], bool(node.inh_relations)
        for element in node.table_elts:
            which = element.WhichOneof("node")
            if which == "column_def":
                columns.append(self._column(element.column_def))
            elif which == "constraint":
                constraints.append(self._constraint(element.constraint))
            else:
                copied = True
        return CreateTable(
            _relation(node.relation), tuple(columns), tuple(constraints), node.if_not_exists,
            node.relation.relpersistence == "t", copied or node.HasField("of_typename"),
            node.HasField("partspec"),
        )  # fmt: skip

    def _create_table_as_stmt(self, node: Any) -> CreateTable | None:
        if _enum(node, "objtype") != "OBJECT_TABLE":
            return None
        target = node.into.rel
        return CreateTable(
            _relation(target), if_not_exists=node.if_not_exists,
            temporary=target.relpersistence == "t", copied=True,
        )  # fmt: skip

    def _column(self, node: Any) -> ColumnDef:
        parts: dict[str, Any] = {"nullable": True}
        checks = []
        for wrapped in node.constraints:
            constraint = wrapped.constraint
            kind = _enum(constraint, "contype").removeprefix("CONSTR_")
            if kind == "NOTNULL":
                parts["nullable"] = False
            elif kind == "DEFAULT":
                parts["default"] = self._deparse(constraint.raw_expr)
            elif kind in ("IDENTITY", "GENERATED"):
                parts |= {
                    "generated": True,
                    "computed": kind == "IDENTITY" or constraint.generated_kind != "v",
                }
            elif kind == "PRIMARY":
                parts |= {"primary_key": True, "nullable": False}
            elif kind == "UNIQUE":
                parts["unique"] = True
            elif kind == "FOREIGN":
                parts |= {"references": _references(constraint), "not_valid": constraint.skip_validation}
            elif kind == "CHECK":
                checks.append(self._deparse(constraint.raw_expr))
        type_ = type_name(node.type_name)
        if type_.endswith("serial"):
            parts |= {"generated": True, "computed": True, "nullable": False}
        return ColumnDef(node.colname, type_, self.line(node.location), checks=tuple(checks), **parts)

    def _constraint(self, node: Any) -> ConstraintDef:
        kind = CONSTRAINTS.get(_enum(node, "contype").removeprefix("CONSTR_"), "other")
        columns = _strings(node.fk_attrs if kind == "foreign key" else node.keys)
        if kind == "exclude":
            columns = tuple(e.list.items[0].index_elem.name for e in node.exclusions)
        return ConstraintDef(
            kind, columns, self.line(node.location), node.conname or None,
            _references(node) if kind == "foreign key" else None,
            node.skip_validation, node.indexname or None,
            self._deparse(node.raw_expr) if kind == "check" and node.HasField("raw_expr") else None,
        )  # fmt: skip

    def _alter_table_stmt(self, node: Any) -> AlterTable | None:
        if _enum(node, "objtype") not in ("OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"):
            return None
        lines = self._lines_of_changes(len(node.cmds))
        changes = (self._change(c.alter_table_cmd, line) for c, line in zip(node.cmds, lines, strict=True))
        return AlterTable(_relation(node.relation), tuple(changes))

    def _lines_of_changes(self, wanted: int) -> list[int]:
        """Find where each command starts; the syntax tree does not keep it."""
        starts = [
            FIRST_CHANGE.search(self._text, 5),
            *(WORD.search(self._text, c + 1) for c in commas(self._text)),
        ]
        if len(starts) != wanted:
            return [self._line] * wanted
        return [self._line + self._text.count("\n", 0, start.start() if start else 0) for start in starts]

    def _change(self, node: Any, line: int) -> Change:
        kind = CHANGES.get(_enum(node, "subtype").removeprefix("AT_"), "other")
        definition = node.HasField("def") and getattr(node, "def")
        name, options = node.name or None, {"if_exists": node.missing_ok}
        if kind == "add column":
            column = self._column(definition.column_def)
            return Change(kind, line, column.name, column=column, **options)
        if kind == "add constraint":
            constraint = self._constraint(definition.constraint)
            return Change(kind, line, constraint.name, constraint=constraint)
        if kind == "alter type":
            wanted = definition.column_def
            using = self._deparse(wanted.raw_default) if wanted.HasField("raw_default") else None
            return Change(kind, line, name, type=type_name(wanted.type_name), using=using)
        if kind in ("attach partition", "detach partition"):
            return Change(kind, line, str(_relation(definition.partition_cmd.name)), **options)
        if kind == "set default" and not definition:
            kind = "drop default"
        return Change(kind, line, name, **options)

    def _index_stmt(self, node: Any) -> CreateIndex:
        keys = [p.index_elem for p in node.index_params]
        plain = not node.index_including_params and not any(
            k.opclass or k.collation or _enum(k, "ordering") == "SORTBY_DESC" for k in keys
        )
        return CreateIndex(
            _relation(node.relation), tuple(k.name or None for k in keys), node.idxname or None, node.unique,
            node.concurrent, node.access_method or "btree",
            self._deparse(node.where_clause) if node.HasField("where_clause") else None,
            plain, node.if_not_exists,
        )  # fmt: skip

    def _drop_stmt(self, node: Any) -> DropObjects:
        names = []
        for thing in node.objects:
            which = thing.WhichOneof("node")
            parts = (
                _strings(thing.list.items) if which == "list"
                else _strings(thing.type_name.names) if which == "type_name"
                else (thing.string.sval,) if which == "string" else ()
            )  # fmt: skip
            names += [_name(parts)] if parts else []
        kind = _enum(node, "remove_type").removeprefix("OBJECT_").lower()
        cascade = _enum(node, "behavior") == "DROP_CASCADE"
        return DropObjects(kind, tuple(names), node.missing_ok, cascade, node.concurrent)

    def _rename_stmt(self, node: Any) -> Rename:
        kind = (
            _enum(node, "rename_type").removeprefix("OBJECT_").lower().replace("tabconstraint", "constraint")
        )
        table = _relation(node.relation)
        return Rename(kind, table, node.subname or table.name, node.newname)

    def _truncate_stmt(self, node: Any) -> Truncate:
        return Truncate(tuple(_relation(r.range_var) for r in node.relations))

    def _delete_stmt(self, node: Any) -> RowChange:
        return RowChange(
            "delete", _relation(node.relation), node.HasField("where_clause") or bool(node.using_clause)
        )

    def _update_stmt(self, node: Any) -> RowChange:
        filtered = node.HasField("where_clause") or bool(node.from_clause)
        columns = tuple(t.res_target.name for t in node.target_list)
        return RowChange("update", _relation(node.relation), filtered, columns)

    def _create_trig_stmt(self, node: Any) -> CreateTrigger:
        function = _strings(node.funcname)[-1]
        before, on_update = bool(node.timing & BEFORE), bool(node.events & ON_UPDATE)
        return CreateTrigger(node.trigname, _relation(node.relation), function, before, on_update)

    def _create_function_stmt(self, node: Any) -> CreateFunction:
        options: dict[str, Any] = {}
        body = ""
        for wrapped in node.options:
            option = wrapped.def_elem
            if option.defname == "as":
                body = "\n".join(_strings(option.arg.list.items))
            elif option.defname == "language":
                options["language"] = option.arg.string.sval.lower()
            elif option.defname == "security":
                options["security_definer"] = option.arg.boolean.boolval
            elif option.defname == "set" and option.arg.variable_set_stmt.name == "search_path":
                options["search_path"] = True
        return CreateFunction(_name(_strings(node.funcname)), body, **options)

    def _create_policy_stmt(self, node: Any) -> CreatePolicy:
        using = node.qual if node.HasField("qual") else None
        check = node.with_check if node.HasField("with_check") else None
        calls = [
            call for part in (using, check) if part is not None for call in self._calls(part, wrapped=False)
        ]
        return CreatePolicy(
            node.policy_name, _relation(node.table), node.cmd_name.lower(), _roles(node.roles),
            node.permissive,
            None if using is None else self._deparse(using), None if check is None else self._deparse(check),
            tuple(calls),
        )  # fmt: skip

    def _calls(self, message: Any, *, wrapped: bool) -> Iterable[Call]:
        name = message.DESCRIPTOR.name
        if name == "FuncCall":
            function = ".".join(_strings(message.funcname)).lower()
            columns = any("column_ref" in str(argument) for argument in message.args)
            yield Call(function, self.line(message.location), wrapped, columns)
        for field, value in message.ListFields():
            if field.message_type is not None:
                for part in value if field.is_repeated else (value,):
                    yield from self._calls(part, wrapped=wrapped or name == "SubLink")

    def _grant_stmt(self, node: Any) -> Grant:
        names = []
        for thing in node.objects:
            which = thing.WhichOneof("node")
            if which == "range_var":
                names.append(_relation(thing.range_var))
            elif which == "object_with_args":
                names.append(_name(_strings(thing.object_with_args.objname)))
            elif which == "string":
                names.append(Name(thing.string.sval))
        kind = _enum(node, "objtype").removeprefix("OBJECT_").lower()
        privileges = tuple(p.access_priv.priv_name.lower() for p in node.privileges)
        return Grant(node.is_grant, privileges, kind, tuple(names), _roles(node.grantees))

    def _create_extension_stmt(self, node: Any) -> CreateExtension:
        return CreateExtension(node.extname.lower())

    def _create_enum_stmt(self, node: Any) -> CreateEnum:
        return CreateEnum(_name(_strings(node.type_name)), _strings(node.vals))

    def _alter_enum_stmt(self, node: Any) -> AlterEnum:
        name = _name(_strings(node.type_name))
        return AlterEnum(name, node.new_val, node.old_val or None, node.skip_if_new_val_exists)

    def _vacuum_stmt(self, node: Any) -> Maintain | None:
        if not node.is_vacuumcmd:
            return None
        full = any(option.def_elem.defname == "full" for option in node.options)
        names = tuple(_relation(relation.vacuum_relation.relation) for relation in node.rels)
        return Maintain("vacuum full" if full else "vacuum", "table", names)

    def _cluster_stmt(self, node: Any) -> Maintain:
        return Maintain("cluster", "table", (_relation(node.relation),) if node.HasField("relation") else ())

    def _reindex_stmt(self, node: Any) -> Maintain:
        of = _enum(node, "kind").removeprefix("REINDEX_OBJECT_").lower()
        names = (_relation(node.relation),) if node.HasField("relation") else ()
        online = any(option.def_elem.defname == "concurrently" for option in node.params)
        return Maintain("reindex", of if of in ("table", "index") else "database", names, online)

    def _refresh_mat_view_stmt(self, node: Any) -> Maintain:
        return Maintain("refresh", "view", (_relation(node.relation),), node.concurrent)

    def _lock_stmt(self, node: Any) -> Maintain:
        return Maintain("lock", "table", tuple(_relation(r.range_var) for r in node.relations))

    def _variable_set_stmt(self, node: Any) -> SetParameter:
        return SetParameter(node.name.lower(), node.is_local)

    def _transaction_stmt(self, node: Any) -> Transaction:
        kind = _enum(node, "kind").removeprefix("TRANS_STMT_").lower()
        kind = "begin" if kind == "start" else kind
        return Transaction(kind if kind in ("begin", "commit", "rollback") else "other")


def _enum(node: Any, field: str) -> str:
    return str(node.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(node, field)].name)


def _relation(node: Any) -> Name:
    return Name(node.relname, node.schemaname or None)


def _name(parts: tuple[str, ...]) -> Name:
    return Name(parts[-1], parts[-2] if len(parts) > 1 else None)


def _strings(nodes: Iterable[Any]) -> tuple[str, ...]:
    return tuple(node.string.sval for node in nodes)


def _references(node: Any) -> References:
    return References(
        _relation(node.pktable), _strings(node.pk_attrs), ON_DELETE.get(node.fk_del_action, "no action")
    )


def _roles(nodes: Iterable[Any]) -> tuple[str, ...]:
    names = []
    for node in nodes:
        kind = _enum(node.role_spec, "roletype").removeprefix("ROLESPEC_").lower()
        names.append(node.role_spec.rolename.lower() if kind == "cstring" else kind)
    return tuple(names)
