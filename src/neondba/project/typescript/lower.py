"""Turn a syntax tree into our nodes: expressions and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from neondba.project.typescript.nodes import (
    Array,
    Assign,
    Binary,
    Block,
    Call,
    Class,
    Conditional,
    Constant,
    Export,
    Function,
    Import,
    Index,
    Member,
    Name,
    Node,
    Object,
    Parameter,
    Property,
    Several,
    Spread,
    Template,
    Text,
    Unary,
)  # fmt: skip

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

UNREAD = frozenset(
    {"comment", "type_annotation", "type_arguments", "type_parameters", "interface_declaration",
     "hash_bang_line", "type_alias_declaration", "function_signature", "ambient_declaration",
     "empty_statement",
     "ERROR", "abstract_method_signature", "method_signature", "index_signature", "jsx_text", "html_comment",
     "accessibility_modifier", "override_modifier", "import_alias", "debugger_statement", "type_identifier",
     "implements_clause", "internal_module_signature", "html_character_reference"}
)  # fmt: skip
"""Syntax that says nothing about what the program does."""
INNER = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression",
     "expression_statement", "type_assertion", "jsx_expression", "else_clause", "finally_clause",
     "instantiation_expression", "extends_clause", "class_heritage"}
)  # fmt: skip
"""Syntax for which its first part stands."""


def text_of(node: Syntax) -> str:
    """Give the source text of a node."""
    return (node.text or b"").decode(errors="replace")


def line_of(node: Syntax) -> int:
    """Give the line a node begins in."""
    return int(node.start_point[0]) + 1


class Lowering:
    """One file on its way; imports and exports are collected beside the statements."""

    def __init__(self, faults: list[int]) -> None:
        self.faults = faults
        self.imports: list[Import] = []
        self.exports: list[Export] = []
        self.calls: list[Call] = []
        self.strings: list[Text | Template] = []
        self.objects: list[Object] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []

    def expression(self, node: Syntax | None) -> Node:
        """Lower whatever stands where an expression may stand."""
        if node is None:
            return Constant(0, "undefined")
        kind = node.type
        while kind in INNER:
            inner = _first(node)
            if inner is None:
                return Constant(line_of(node), "undefined")
            node, kind = inner, inner.type
        made = EXPRESSIONS.get(kind)
        if made is not None:
            return made(self, node)
        return Several(line_of(node), list(self.parts(node)))

    def parts(self, node: Syntax) -> Iterator[Node]:
        """Lower the children that matter."""
        for child in node.named_children:
            if child.type not in UNREAD:
                yield self.expression(child)

    def function(self, node: Syntax, name: str = "") -> Function:
        """Lower a function in any form."""
        named = node.child_by_field_name("name")
        listed = node.child_by_field_name("parameters")
        single = node.child_by_field_name("parameter")
        body = node.child_by_field_name("body")
        parameters = (
            [self._parameter(p) for p in listed.named_children if p.type != "comment"] if listed else []
        )
        if single is not None:
            parameters = [Parameter(line_of(single), self.expression(single))]
        made = Function(
            line_of(node), key_of(named) if named else name, parameters,
            self.expression(body) if body else Block(line_of(node), []), node.end_point[0] + 1,
            any(c.type == "async" for c in node.children[:3]),
            any(node.start_point[0] < line <= node.end_point[0] + 1 for line in self.faults),
        )  # fmt: skip
        made.static = any(c.type == "static" for c in node.children[:3])
        self.functions.append(made)
        return made

    def _parameter(self, node: Syntax) -> Parameter:
        if node.type not in ("required_parameter", "optional_parameter"):
            lowered = self.expression(node)
            if isinstance(lowered, Assign):
                return Parameter(lowered.line, lowered.target, "", [], lowered.value)
            return Parameter(line_of(node), lowered)
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        written = node.child_by_field_name("type")
        decorators = [self.expression(c) for c in node.named_children if c.type == "decorator"]
        return Parameter(
            line_of(node), self.expression(pattern), text_of(written).lstrip(": ") if written else "",
            decorators, self.expression(value) if value else None,
        )  # fmt: skip

    def _call(self, node: Syntax) -> Node:
        callee, listed = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        made = Call(line_of(node), self.expression(callee), [], end=node.end_point[0] + 1)
        if listed is not None and listed.type == "template_string":
            made.form = "tag"
            made.arguments = [self.expression(listed)]
        elif listed is not None:
            made.arguments = list(self.parts(listed))
        self._place(made, callee)
        self.calls.append(made)
        return made

    def _place(self, made: Call, callee: Syntax | None) -> None:
        """Let a call in a chain stand at its own link, where its fault would be read."""
        last = callee.child_by_field_name("property") if callee is not None else None
        if last is not None:
            made.line = line_of(last)

    def _new(self, node: Syntax) -> Node:
        listed = node.child_by_field_name("arguments")
        made = Call(
            line_of(node), self.expression(node.child_by_field_name("constructor")),
            list(self.parts(listed)) if listed else [], "new", end=node.end_point[0] + 1,
        )  # fmt: skip
        self.calls.append(made)
        return made

    def _await(self, node: Syntax) -> Node:
        inner = self.expression(_first(node))
        if isinstance(inner, Call):
            inner.awaited = True
        return inner

    def _name(self, node: Syntax) -> Node:
        return Name(line_of(node), text_of(node))

    def _shorthand(self, node: Syntax) -> Node:
        name = text_of(node)
        return Property(line_of(node), name, Name(line_of(node), name))

    def _constant(self, node: Syntax) -> Node:
        return Constant(line_of(node), text_of(node)[:200])

    def _string(self, node: Syntax) -> Node:
        made = Text(line_of(node), text_of(node)[1:-1])
        self.strings.append(made)
        return made

    def _template(self, node: Syntax) -> Node:
        source, start = node.text or b"", node.start_byte
        texts, holes, position = [], [], 1
        for child in node.named_children:
            if child.type == "template_substitution":
                texts.append(source[position : child.start_byte - start].decode(errors="replace"))
                holes.append(self.expression(_first(child)))
                position = child.end_byte - start
        texts.append(source[position:-1].decode(errors="replace"))
        made = Template(line_of(node), texts, holes) if holes else Text(line_of(node), texts[0])
        self.strings.append(made)
        return made

    def _member(self, node: Syntax) -> Node:
        last = node.child_by_field_name("property")
        return Member(
            line_of(node), self.expression(node.child_by_field_name("object")), text_of(last) if last else ""
        )

    def _index(self, node: Syntax) -> Node:
        return Index(
            line_of(node), self.expression(node.child_by_field_name("object")),
            self.expression(node.child_by_field_name("index")),
        )  # fmt: skip

    def _object(self, node: Syntax) -> Node:
        found = Object(line_of(node), [])
        for child in node.named_children:
            if child.type in UNREAD:
                continue
            one = self.expression(child)
            if isinstance(one, Spread):
                one = Property(one.line, "", one.value, spread=True)
            elif isinstance(one, Function):
                one = Property(one.line, one.name, one)
            elif isinstance(one, Assign) and isinstance(one.target, Property):
                one = Property(one.line, one.target.key, Assign(one.line, one.target.value, one.value))
            if isinstance(one, Property):
                found.properties.append(one)
        self.objects.append(found)
        return found

    def _pair(self, node: Syntax) -> Node:
        key = node.child_by_field_name("key")
        value = node.child_by_field_name("value")
        name = key_of(key) if key is not None else ""
        if value is not None and value.type in FUNCTIONS:
            return Property(line_of(node), name, self.function(value, name))
        return Property(line_of(node), name, self.expression(value))

    def _array(self, node: Syntax) -> Node:
        items: list[Node] = []
        comma = True
        for child in node.children[1:-1]:
            if child.type == ",":
                if comma:
                    items.append(Constant(line_of(child), "undefined"))
                comma = True
            elif child.type not in UNREAD:
                items.append(self.expression(child))
                comma = False
        return Array(line_of(node), items)

    def _spread(self, node: Syntax) -> Node:
        return Spread(line_of(node), self.expression(_first(node)))

    def _binary(self, node: Syntax) -> Node:
        operator = node.child_by_field_name("operator")
        left = self.expression(node.child_by_field_name("left"))
        right = self.expression(node.child_by_field_name("right"))
        return Binary(line_of(node), text_of(operator) if operator else "", left, right)

    def _unary(self, node: Syntax) -> Node:
        operator = node.children[0].type
        return Unary(line_of(node), operator, self.expression(_first(node)))

    def _conditional(self, node: Syntax) -> Node:
        test, then, otherwise = (
            self.expression(node.child_by_field_name(f)) for f in ("condition", "consequence", "alternative")
        )
        return Conditional(line_of(node), test, then, otherwise)

    def _assign(self, node: Syntax) -> Node:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        target = self.expression(left)
        if right is not None and right.type in FUNCTIONS:
            value: Node = self.function(right, target.name if isinstance(target, Name | Member) else "")
        else:
            value = self.expression(right)
        return Assign(line_of(node), target, value)

    def _jsx(self, node: Syntax) -> Node:
        opening = node.child_by_field_name("open_tag") or node
        name = opening.child_by_field_name("name")
        props = Object(line_of(node), [])
        for child in opening.named_children:
            if child.type == "jsx_attribute":
                props.properties.append(self._attribute(child))
            elif child.type == "jsx_expression":
                props.properties += [
                    Property(s.line, "", s.value, spread=True)
                    for s in self.parts(child)
                    if isinstance(s, Spread)
                ]
        if opening is not node:
            inside = [self.expression(c) for c in node.named_children[1:-1] if c.type not in UNREAD]
            props.properties.append(Property(props.line, "children", Several(props.line, inside)))
        callee = self.expression(name) if name is not None else Name(props.line, "Fragment")
        made = Call(line_of(node), callee, [props], "jsx", end=node.end_point[0] + 1)
        self.calls.append(made)
        return made

    def _attribute(self, node: Syntax) -> Property:
        named = node.named_children
        value = self.expression(named[1]) if len(named) > 1 else Constant(line_of(node), "true")
        return Property(line_of(node), text_of(named[0]), value)


def _first(node: Syntax) -> Syntax | None:
    return next((c for c in node.named_children if c.type not in UNREAD), None)


def key_of(node: Syntax) -> str:
    """Give the name of a property or method; empty for a computed one."""
    if node.type == "string":
        return text_of(node)[1:-1]
    if node.type == "computed_property_name":
        inner = _first(node)
        return text_of(inner)[1:-1] if inner is not None and inner.type == "string" else ""
    return text_of(node)


FUNCTIONS = frozenset(
    {"arrow_function", "function_expression", "function", "generator_function", "function_declaration",
     "generator_function_declaration", "method_definition"}
)  # fmt: skip

Lowered = Callable[[Lowering, "Syntax"], Node]

EXPRESSIONS: dict[str, Lowered] = {
    "call_expression": Lowering._call, "new_expression": Lowering._new, "await_expression": Lowering._await,
    "member_expression": Lowering._member, "subscript_expression": Lowering._index,
    "object": Lowering._object, "object_pattern": Lowering._object, "pair": Lowering._pair,
    "pair_pattern": Lowering._pair, "array": Lowering._array, "array_pattern": Lowering._array,
    "spread_element": Lowering._spread, "rest_pattern": Lowering._spread,
    "binary_expression": Lowering._binary, "unary_expression": Lowering._unary,
    "yield_expression": Lowering._unary, "ternary_expression": Lowering._conditional,
    "assignment_expression": Lowering._assign, "augmented_assignment_expression": Lowering._assign,
    "assignment_pattern": Lowering._assign, "object_assignment_pattern": Lowering._assign,
    "string": Lowering._string, "template_string": Lowering._template,
    "jsx_element": Lowering._jsx, "jsx_self_closing_element": Lowering._jsx,
    "shorthand_property_identifier": Lowering._shorthand,
    "shorthand_property_identifier_pattern": Lowering._shorthand,
    **dict.fromkeys(("identifier", "this", "super", "private_property_identifier", "property_identifier",
                     "statement_identifier", "import", "nested_identifier"), Lowering._name),
    **dict.fromkeys(("number", "true", "false", "null", "undefined", "regex"), Lowering._constant),
    **dict.fromkeys(FUNCTIONS, Lowering.function),
}  # fmt: skip
