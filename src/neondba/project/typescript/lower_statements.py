"""Turn a syntax tree into our nodes: statements, classes, imports and exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neondba.project.typescript.lower import (
    EXPRESSIONS,
    FUNCTIONS,
    UNREAD,
    Lowering,
    key_of,
    line_of,
    text_of,
)
from neondba.project.typescript.nodes import (
    Binary,
    Block,
    Class,
    Declare,
    Export,
    Function,
    If,
    Import,
    Loop,
    Name,
    Node,
    Object,
    Return,
    Several,
    Throw,
    Try,
)

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax


def _block(lowering: Lowering, node: Syntax) -> Node:
    return Block(line_of(node), list(lowering.parts(node)))


def _declaration(lowering: Lowering, node: Syntax) -> Node:
    kind = text_of(node.children[0])
    made: list[Node] = []
    for one in node.named_children:
        if one.type != "variable_declarator":
            continue
        name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
        target = lowering.expression(name)
        given: Node | None = None
        if value is not None and value.type in FUNCTIONS:
            given = lowering.function(value, target.name if isinstance(target, Name) else "")
        elif value is not None:
            given = lowering.expression(value)
        made.append(Declare(line_of(one), target, given, kind))
    return made[0] if len(made) == 1 else Several(line_of(node), made)


def _if(lowering: Lowering, node: Syntax) -> Node:
    otherwise = node.child_by_field_name("alternative")
    return If(
        line_of(node), lowering.expression(node.child_by_field_name("condition")),
        lowering.expression(node.child_by_field_name("consequence")),
        lowering.expression(otherwise) if otherwise else None,
    )  # fmt: skip


def _switch(lowering: Lowering, node: Syntax) -> Node:
    subject = lowering.expression(node.child_by_field_name("value"))
    made = Block(line_of(node), [subject])
    body = node.child_by_field_name("body")
    for case in body.named_children if body is not None else ():
        if case.type == "switch_case":
            value = case.child_by_field_name("value")
            rest = [c for c in case.named_children if c.type not in UNREAD and c != value]
            test = Binary(line_of(case), "===", subject, lowering.expression(value))
            made.body.append(
                If(line_of(case), test, Block(line_of(case), [lowering.expression(c) for c in rest]), None)
            )
        elif case.type == "switch_default":
            made.body.append(Block(line_of(case), list(lowering.parts(case))))
    return made


def _return(lowering: Lowering, node: Syntax) -> Node:
    return Return(line_of(node), next(lowering.parts(node), None))


def _throw(lowering: Lowering, node: Syntax) -> Node:
    return Throw(line_of(node), next(lowering.parts(node), None))


def _for_in(lowering: Lowering, node: Syntax) -> Node:
    left, right, body = (node.child_by_field_name(f) for f in ("left", "right", "body"))
    return Loop(
        line_of(node), lowering.expression(left), lowering.expression(right), lowering.expression(body)
    )


def _loop(lowering: Lowering, node: Syntax) -> Node:
    *before, body = list(lowering.parts(node)) or [Block(line_of(node), [])]
    return Loop(line_of(node), None, Several(line_of(node), before), body)


def _try(lowering: Lowering, node: Syntax) -> Node:
    handler = node.child_by_field_name("handler")
    last = node.child_by_field_name("finalizer")
    caught = handler.child_by_field_name("parameter") if handler else None
    inside = handler.child_by_field_name("body") if handler else None
    return Try(
        line_of(node), lowering.expression(node.child_by_field_name("body")),
        lowering.expression(caught) if caught else None, lowering.expression(inside) if inside else None,
        lowering.expression(last) if last else None,
    )  # fmt: skip


def _class(lowering: Lowering, node: Syntax) -> Node:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    heritage = next((c for c in node.named_children if c.type == "class_heritage"), None)
    around = [c for c in node.named_children if c.type == "decorator"]
    base = lowering.expression(heritage) if heritage else None
    decorators = [lowering.expression(c.named_children[0]) for c in around if c.named_children]
    made = Class(line_of(node), text_of(name) if name else "", base, {}, {}, {}, decorators)
    waiting: list[Node] = []
    for part in body.named_children if body is not None else ():
        if part.type == "decorator":
            waiting += lowering.parts(part)
        elif part.type == "method_definition":
            function = lowering.function(part)
            function.decorators, waiting = waiting, []
            made.methods[function.name] = function
            if function.name == "constructor":
                _properties(made, part)
        elif part.type in ("public_field_definition", "field_definition"):
            _field(lowering, made, part)
            waiting = []
    lowering.classes.append(made)
    return made


def _properties(made: Class, constructor: Syntax) -> None:
    """Note the types of what a constructor's parameters are called and typed as."""
    listed = constructor.child_by_field_name("parameters")
    for one in listed.named_children if listed is not None else ():
        pattern, written = one.child_by_field_name("pattern"), one.child_by_field_name("type")
        if pattern is not None and written is not None:
            made.types[text_of(pattern)] = text_of(written).lstrip(": ")


def _field(lowering: Lowering, made: Class, part: Syntax) -> None:
    named = part.child_by_field_name("name") or part.child_by_field_name("property")
    value, written = part.child_by_field_name("value"), part.child_by_field_name("type")
    if named is None:
        return
    name = key_of(named)
    if value is not None and value.type in FUNCTIONS:
        made.methods[name] = lowering.function(value, name)
        return
    made.fields[name] = lowering.expression(value) if value else None
    if written is not None:
        made.types[name] = text_of(written).lstrip(": ")


def _import(lowering: Lowering, node: Syntax) -> Node:
    source = node.child_by_field_name("source")
    nothing = Several(line_of(node), [])
    if source is None or any(c.type == "type" for c in node.children):
        return nothing
    where, line = text_of(source)[1:-1], line_of(node)
    clause = next((c for c in node.named_children if c.type == "import_clause"), None)
    if clause is None:
        lowering.imports.append(Import(line, "", "", where))
    for part in clause.named_children if clause is not None else ():
        if part.type == "identifier":
            lowering.imports.append(Import(line, text_of(part), "default", where))
        elif part.type == "namespace_import":
            lowering.imports.append(Import(line, text_of(part.named_children[0]), "*", where))
        elif part.type == "named_imports":
            for one in part.named_children:
                name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                if name is not None:
                    lowering.imports.append(Import(line, text_of(alias or name), key_of(name), where))
    return nothing


def _export(lowering: Lowering, node: Syntax) -> Node:
    source, line = node.child_by_field_name("source"), line_of(node)
    where = text_of(source)[1:-1] if source else ""
    declared, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
    default = any(c.type == "default" for c in node.children)
    clause = next((c for c in node.named_children if c.type in ("export_clause", "namespace_export")), None)
    if declared is not None:
        made = _declared(lowering, declared, default)
        if isinstance(made, Class):
            made.decorators += [
                d for c in node.named_children if c.type == "decorator" for d in lowering.parts(c)
            ]
        return made
    if value is not None:
        given = lowering.function(value, "default") if value.type in FUNCTIONS else lowering.expression(value)
        local = given.name if isinstance(given, Name) else "default"
        lowering.exports.append(Export(line, "default", local))
        return given if isinstance(given, Name) else Declare(line, Name(line, "default"), given)
    if clause is not None and clause.type == "export_clause":
        for one in clause.named_children:
            name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
            if name is not None:
                lowering.exports.append(Export(line, key_of(alias or name), key_of(name), where))
    elif clause is not None:
        lowering.exports.append(Export(line, text_of(clause.named_children[0]), "*", where))
    elif where:
        lowering.exports.append(Export(line, "*", "*", where))
    return Several(line, [])


def _declared(lowering: Lowering, declared: Syntax, default: bool) -> Node:
    if declared.type in UNREAD:
        return Several(line_of(declared), [])
    made = lowering.expression(declared)
    if default:
        name = made.name if isinstance(made, Function | Class) and made.name else "default"
        if isinstance(made, Function | Class):
            made.name = name
        lowering.exports.append(Export(made.line, "default", name))
        return made
    for one in made.parts if isinstance(made, Several) else [made]:
        if isinstance(one, Function | Class):
            lowering.exports.append(Export(one.line, one.name, one.name))
        elif isinstance(one, Declare):
            for name in _bound(one.target):
                lowering.exports.append(Export(one.line, name, name))
    return made


def _bound(target: Node) -> list[str]:
    if isinstance(target, Name):
        return [target.name]
    if isinstance(target, Object):
        return [p.value.name for p in target.properties if isinstance(p.value, Name)]
    return []


STATEMENTS: dict[str, Callable[[Lowering, Syntax], Node]] = {
    "program": _block, "statement_block": _block, "class_static_block": _block,
    "lexical_declaration": _declaration, "variable_declaration": _declaration,
    "if_statement": _if, "switch_statement": _switch, "return_statement": _return,
    "throw_statement": _throw, "for_in_statement": _for_in, "for_statement": _loop,
    "while_statement": _loop, "do_statement": _loop, "try_statement": _try,
    "class_declaration": _class, "class": _class, "abstract_class_declaration": _class,
    "import_statement": _import, "export_statement": _export,
}  # fmt: skip

EXPRESSIONS.update(STATEMENTS)  # One table, because functions hold statements and statements functions.


def lowered(root: Syntax, faults: list[int]) -> tuple[Lowering, list[Node]]:
    """Lower a whole file; give what was collected and its statements."""
    lowering = Lowering(faults)
    made = lowering.expression(root)
    return lowering, made.body if isinstance(made, Block) else [made]
