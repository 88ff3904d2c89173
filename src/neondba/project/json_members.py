"""Put a member into a JSON file that people write by hand, and take it out again, byte for byte.

The file may hold comments and trailing commas, as editors' own files do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from neondba.project.typescript.grammar import parsed

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax


class NotAnObject(ValueError):
    """The text is no JSON object, or what should hold the member is none."""


def added(text: str, holder: str, name: str, value: Any) -> str:
    """Put `name` first into the object that the root's member `holder` holds; make that if need be.

    Raises:
        NotAnObject: the text or the holder is no object.
    """
    raw = text.encode()
    root = _root(raw)
    inner = _member(root, holder)
    if inner is None:
        # No blank before the name: so `removed` knows that the holder is ours too.
        made = f"{json.dumps(holder)}: {{{json.dumps(name)}: {json.dumps(value)}}}"
        return _after_brace(raw, root, made)
    return _after_brace(raw, _object(inner, holder), f"{json.dumps(name)}: {json.dumps(value)}")


def value_of(text: str, holder: str, name: str) -> Any | None:
    """Give a member's value; `None` if it is not there, or is no plain JSON.

    Raises:
        NotAnObject: the text or the holder is no object.
    """
    inner = _member(_root(text.encode()), holder)
    found = _member(_object(inner, holder), name) if inner is not None else None
    try:
        return None if found is None else json.loads((found.text or b"").decode())
    except ValueError:
        return None


def holds(text: str, holder: str, name: str) -> bool:
    """Tell whether the member is there, whatever it holds.

    Raises:
        NotAnObject: the text or the holder is no object.
    """
    inner = _member(_root(text.encode()), holder)
    return inner is not None and _member(_object(inner, holder), name) is not None


def removed(text: str, holder: str, name: str) -> str:
    """Take the member out; the holder goes too if `added` made it and nothing else is in it.

    Raises:
        NotAnObject: the text or the holder is no object.
    """
    raw = text.encode()
    root = _root(raw)
    inner = _member(root, holder)
    if inner is None:
        return text
    pairs = _pairs(_object(inner, holder))
    mine = next((pair for pair in pairs if _name(pair) == name), None)
    if mine is None:
        return text
    alone = len(pairs) == 1 and mine.start_byte == inner.start_byte + 1
    if alone:
        outer = next(pair for pair in _pairs(root) if _name(pair) == holder)
        return _without(raw, root, outer)
    return _without(raw, inner, mine)


def _root(raw: bytes) -> Syntax:
    tree = parsed("x.js", "(" + raw.decode() + "\n)")
    whole = tree.named_children[0] if tree.named_children else None
    inside = whole.named_children[0] if whole is not None and whole.named_children else None
    found = [each for each in inside.named_children if each.type != "comment"] if inside else []
    if tree.has_error or len(found) != 1:
        raise NotAnObject(f"it is no JSON{_where(tree)}")
    return _object(found[0], "it")


def _where(tree: Syntax) -> str:
    """Name the line of the first fault, where the grammar knows one."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        # Where the whole is the fault, as with a bracket that is never closed, no line is.
        if (node.type == "ERROR" and node.start_byte > 0) or node.is_missing:
            return f", see line {node.start_point[0] + 1}"
        waiting += [each for each in reversed(node.children) if each.has_error]
    return ""


def _object(node: Syntax, named: str) -> Syntax:
    if node.type != "object":
        raise NotAnObject(f"{named} is no object")
    return node


def _pairs(node: Syntax) -> list[Syntax]:
    return [each for each in node.named_children if each.type == "pair"]


def _name(pair: Syntax) -> str:
    key = pair.child_by_field_name("key")
    return (key.text or b"").decode().strip("\"'") if key is not None else ""


def _member(node: Syntax, name: str) -> Syntax | None:
    found = next((pair for pair in _pairs(node) if _name(pair) == name), None)
    return found.child_by_field_name("value") if found is not None else None


def _after_brace(raw: bytes, holder: Syntax, member: str) -> str:
    # The syntax tree starts one byte early, at the bracket that was put before the text.
    at = holder.start_byte
    pairs = _pairs(holder)
    between = raw[at : pairs[0].start_byte - 1] if pairs else b""
    # The blanks before the first member, without what a comment there says.
    lead = between[: len(between) - len(between.lstrip())] if pairs else b"\n  "
    comma = b"," if pairs else b""
    return (raw[:at] + lead + member.encode() + comma + raw[at:]).decode()


def _without(raw: bytes, holder: Syntax, pair: Syntax) -> str:
    first, last = holder.start_byte, pair.end_byte - 1
    pairs = _pairs(holder)
    after = raw[last:].lstrip()
    has_comma = after[:1] == b","
    comma_end = last + raw[last:].index(b",") + 1 if has_comma else last
    if pairs[0].start_byte == pair.start_byte:
        return (raw[:first] + raw[comma_end:]).decode()
    before = pairs[[each.start_byte for each in pairs].index(pair.start_byte) - 1].end_byte - 1
    return (raw[:before] + raw[last:]).decode()
