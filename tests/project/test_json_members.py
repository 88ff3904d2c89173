"""A member goes into a JSON file of people's own and out again, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neondba.project.json_members import NotAnObject, added, holds, removed, value_of

VALUE = {"command": "neondba", "args": ["mcp"]}
FILES = [
    "{}",
    "{ }",
    "{\n}\n",
    '{"a": 1}',
    '{\n  "servers": {\n  }\n}',
    '{\n  // mine\n  "servers": {\n    "x": {"command": "y"}, // its end\n  },\n}\n',
    '{\n\t"servers": {\n\t\t"x": {"command": "y"},\n\t\t"é": {}\n\t}\n}\n',
    '// at the top\n{"b": 2}',
    '{\n  "servers": {\n    // first\n    "x": {}\n  }\n}',
    "{ /* nothing yet */ }",
    '{"servers":{"x":{}}}\r\n',
]
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name not in ("servers", "neondba"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("text", FILES)
def test_what_was_put_in_comes_out_byte_for_byte(text: str) -> None:
    changed = added(text, "servers", "neondba", VALUE)
    assert value_of(changed, "servers", "neondba") == VALUE
    assert removed(changed, "servers", "neondba") == text


@given(
    rest=st.dictionaries(NAMES, PLAIN, max_size=3),
    servers=st.none() | st.dictionaries(NAMES, PLAIN, max_size=3),
    indent=st.sampled_from([None, 0, 2, 4, "\t"]),
)
def test_any_json_file_keeps_every_other_member(
    rest: dict[str, Any], servers: dict[str, Any] | None, indent: Any
) -> None:
    whole = rest | ({"servers": servers} if servers is not None else {})
    text = json.dumps(whole, indent=indent, ensure_ascii=False)
    changed = added(text, "servers", "neondba", VALUE)
    assert json.loads(changed) == whole | {"servers": {**(servers or {}), "neondba": VALUE}}
    assert removed(changed, "servers", "neondba") == text


def test_a_member_that_was_moved_is_taken_out_where_it_is() -> None:
    text = '{"servers": {"x": {}, "neondba": {"args": []}, "y": {}}}'
    assert json.loads(removed(text, "servers", "neondba")) == {"servers": {"x": {}, "y": {}}}
    last = '{"servers": {"x": {}, "neondba": {}}}'
    assert json.loads(removed(last, "servers", "neondba")) == {"servers": {"x": {}}}


def test_what_is_not_there_is_neither_held_nor_removed() -> None:
    for text in ('{"a": 1}', '{"servers": {"x": {}}}'):
        assert not holds(text, "servers", "neondba")
        assert value_of(text, "servers", "neondba") is None
        assert removed(text, "servers", "neondba") == text


@pytest.mark.parametrize("text", ["", "[]", "1", "{", '{"a": }', '{"servers": []}', "{}{}", "hello"])
def test_what_is_no_object_is_said(text: str) -> None:
    with pytest.raises(NotAnObject):
        added(text, "servers", "neondba", VALUE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "a": 1,\n  b: : 2\n}', "it is no JSON, see line 3"),
        ('{\n  "servers": {', "it is no JSON"),
        ("[]", "it is no object"),
        ('{"servers": null}', "servers is no object"),
    ],
)
def test_a_refusal_says_where_the_fault_is(text: str, said: str) -> None:
    with pytest.raises(NotAnObject, match=f"^{said}$"):
        added(text, "servers", "neondba", VALUE)
