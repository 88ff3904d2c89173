from __future__ import annotations

import ast
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neondba.project.python_tolerant import parse


def plain(text: str) -> str:
    tree = parse(text).tree
    assert tree is not None
    return ast.unparse(tree)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("type Id = int\n", "Id = int"),
        ("type Pair[T: (int, str), *Ts = *tuple[int]] = dict[T]\n", "Pair = dict[T]"),
        ("def f[T](x: T) -> T: return x\n", "def f(x: T) -> T:\n    return x"),
        ("def f[\n  T,\n  U,\n](x): return 1\n", "def f(x):\n    return 1"),
        ("class A[T: int = str](Base[T]):\n    x = 1\n", "class A(Base[T]):\n    x = 1"),
        ('x = f"{d["a"]}"\n', "x = f\"{d['a']}\""),
        ("x = f'{d['a']!r:>{w['z']}}'\n", "x = f\"{d['a']!r:>{w['z']}}\""),
        ('x = f"{", ".join(a)}"\n', "x = f\"{', '.join(a)}\""),
        ('x = f"{\n  a  # why\n}"\n', "x = f'{a}'"),
        ('x = t"select {a["b"]}"\n', "x = f\"select {a['b']}\""),
        ("lazy import json\n", "import json"),
        (
            "try:\n    pass\nexcept A, b.C:\n    pass\n",
            "try:\n    pass\nexcept (A, b.C):\n    pass",
        ),
    ],
)
def test_what_newer_pythons_allow_is_read_as_what_it_means(newer: str, older: str) -> None:
    assert parse(newer).faults == []
    assert plain(newer) == older


def test_names_stay_on_their_lines_after_rewriting() -> None:
    text = '"""A page\nof words: def f[T]"""\ntype X = int\ndef f[\n  T\n](x): return x\nlast = 1\n'
    tree = parse(text).tree
    assert tree is not None
    assert [node.lineno for node in tree.body] == [1, 3, 4, 7]


def test_words_that_are_new_keywords_elsewhere_stay_names() -> None:
    assert plain("type = 3\ntype(x) == 3\nlazy = type[1]\n") == "type = 3\ntype(x) == 3\nlazy = type[1]"


def test_one_broken_statement_does_not_hide_the_others() -> None:
    parsed = parse("import os\ndef broken(:\n    pass\n\nclass Kept:\n    x = 1\n\nlater = os\n")
    assert parsed.tree is not None
    assert [type(n).__name__ for n in parsed.tree.body] == ["Import", "ClassDef", "Assign"]
    assert parsed.tree.body[-1].lineno == 8
    assert parsed.faults[0][0] == 2


@pytest.mark.parametrize("text", ['print "x"\n', "raise E, 'x'\n", "x = 0777\n", "exec 'x'\n"])
def test_python_2_is_named_and_not_guessed_at(text: str) -> None:
    parsed = parse(text)
    assert parsed.tree is None
    assert "Python 2" in parsed.faults[0][1]


@pytest.mark.parametrize("text", ["(" * 3000 + ")" * 3000, "-" * 100_000 + "1", "x = '\\ud800'\0"])
def test_absurd_files_are_reported_and_never_raise(text: str) -> None:
    assert parse(text).faults


def test_no_warning_of_a_parsed_file_gets_out(tmp_path) -> None:
    from neondba.project.python import PythonFiles
    from neondba.project.tree import MemoryTree

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = PythonFiles.gather(MemoryTree({"a.py": "x = '\\d' is 1\nassert (1, 'x')\n"}))
    assert files.unparsed == []


@given(st.text(alphabet="abfrt'\"{}[]()#:\\\n =,def class type except"))
def test_any_text_is_either_parsed_or_reported(text: str) -> None:
    parsed = parse(text)
    assert parsed.tree is not None or parsed.faults
