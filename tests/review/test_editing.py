"""Edits keep the meaning of everything that they do not mean to change."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neondba.review.editing import appended, below, inserted, replaced, with_keywords, without_keyword
from neondba.review.finding import Edit
from neondba.review.repair.edits import Differs, apply

ARGUMENTS = st.lists(
    st.sampled_from(
        [
            "url",
            "'größe'",
            "f(1, 2)",
            "echo=True",
            "pool_size=5",
            'options={"a": (1, 2)}',
            "(1,)",
            "x  if y else z",
        ]
    ),
    max_size=4,
    unique_by=lambda text: text.partition("=")[0],
).map(lambda texts: sorted(texts, key=lambda text: "=" in text.partition("(")[0]))
SHAPES = st.sampled_from(["one", "comma", "many", "many comma", "remarks", "hugged", "first"])
ENDS = st.sampled_from(["\n", "\r\n"])


def written(arguments: list[str], shape: str) -> str:
    """Write a call in one of the shapes that people write."""
    if not arguments or shape == "one":
        return f"made = größe(1); engine = make({', '.join(arguments)})  # ä"
    if shape == "comma":
        return f"    engine = make({', '.join(arguments)},)".strip()
    if shape == "hugged":
        return "engine = make(" + ",\n              ".join(arguments) + ")"
    if shape == "first":
        return "engine = make(" + ",\n    ".join(arguments) + "\n)"
    end = "," if "comma" in shape else ""
    mark = "  # why, ( not" if shape == "remarks" else ""
    rows = [f"    {one}," for one in arguments[:-1]] + [f"    {arguments[-1]}{end}{mark}"]
    return "\n".join(["engine = make(", *rows, ")"])


def call_of(text: str, name: str = "make") -> ast.Call:
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return next(call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name)


@given(ARGUMENTS, SHAPES, ENDS)
def test_a_keyword_is_added_and_nothing_else_changes(arguments: list[str], shape: str, end: str) -> None:
    text = f"import a\n{written(arguments, shape)}\nb = 1\n".replace("\n", end)
    call = call_of(text)
    edits = with_keywords("a.py", text, call, pool_pre_ping="True", timeout='{"a": 1}')
    if not edits:
        assert shape in ("hugged", "first", "many", "many comma", "remarks")
        return
    after = apply(text, edits)
    expected = ast.parse(text)
    given_call = call_of(text)
    given_call.keywords += [
        ast.keyword("pool_pre_ping", ast.Constant(True)),
        ast.keyword("timeout", ast.parse('{"a": 1}', mode="eval").body),
    ]
    for node in ast.walk(expected):
        if isinstance(node, ast.Call) and ast.dump(node.func) == ast.dump(given_call.func):
            node.keywords = given_call.keywords
    assert ast.dump(ast.parse(after)) == ast.dump(expected)
    assert after.count(end) == after.count("\n")


@pytest.mark.parametrize("shape", ["one", "comma", "many", "many comma", "remarks"])
def test_the_usual_shapes_are_edited(shape: str) -> None:
    text = written(["url", "pool_size=5"], shape) + "\n"
    assert with_keywords("a.py", text, call_of(text), timeout="1")


@given(ARGUMENTS, SHAPES)
def test_a_keyword_is_taken_out_and_nothing_else_changes(arguments: list[str], shape: str) -> None:
    text = written([*arguments, "echo=True"] if "echo=True" not in arguments else arguments, shape) + "\n"
    edits = without_keyword("a.py", text, call_of(text), "echo")
    if not edits:
        return
    after = call_of(apply(text, edits))
    before = call_of(text)
    before.keywords = [k for k in before.keywords if k.arg != "echo"]
    assert ast.dump(after) == ast.dump(before)


def test_a_call_with_unknown_arguments_is_left_alone() -> None:
    for text in ("make(url, **more)\n", "make(*every)\n", "make(timeout=1)\n"):
        assert with_keywords("a.py", text, call_of(text), timeout="2") == ()


def test_columns_count_characters_not_bytes() -> None:
    text = "größe = 'ä'; save(x)\n"
    call = call_of(text, "save")
    assert (
        apply(text, inserted("a.py", text, call.lineno, call.col_offset, "await "))
        == "größe = 'ä'; await save(x)\n"
    )
    assert apply(text, replaced("a.py", text, call.args[0], "y")) == "größe = 'ä'; save(y)\n"


def test_lines_are_added_below_and_at_the_end() -> None:
    assert apply("a\nb\n", below("f", "a\nb\n", 1, "x")) == "a\nx\nb\n"
    assert apply("a\nb", appended("f", "a\nb", "x")) == "a\nb\nx"
    assert apply("a\n", appended("f", "a\n", "x", "y")) == "a\nx\ny\n"
    assert apply(None, appended("f", None, "x")) == "x\n"


def test_edits_of_one_file_are_applied_together_or_refused() -> None:
    text = "a\nb\nc\n"
    assert apply(text, [Edit("f", 1, "a", "A\nA"), Edit("f", 3, "c", "")]) == "A\nA\nb\n"
    for wrong in (
        [Edit("f", 1, "b", "x")],
        [Edit("f", 9, "a", "x")],
        [Edit("f", 1, "a\nb", "x"), Edit("f", 2, "b", "y")],
        [Edit("f", 1, "", "x")],
    ):
        with pytest.raises(Differs):
            apply(text, wrong)
