"""The package as a library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import neondba
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.problem import ArgumentProblem, Problem


def test_the_public_names_are_sorted_and_there() -> None:
    assert neondba.__all__ == sorted(neondba.__all__)
    assert {name: getattr(neondba, name).__name__ for name in neondba.__all__} == {
        name: name for name in neondba.__all__
    }
    assert set(neondba.__all__) <= set(dir(neondba))
    assert neondba.Context is Context
    assert neondba.Problem is Problem


def test_another_name_is_missing_as_usual() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = neondba.nothing


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, neondba; print([m for m in ('pydantic', 'cyclopts') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_an_operation_is_called_by_name(toys: dict[str, Operation], ctx: Context) -> None:
    assert neondba.call("toy.show", ctx, name="ball").name == "ball"
    assert neondba.call("toy.show", ctx=ctx, name="kite").name == "kite"


def test_without_a_context_the_settings_are_read(toys: dict[str, Operation], tmp_path: Path) -> None:
    assert str(tmp_path / "state") in neondba.call("toy.echo")["settings"]


def test_arguments_are_checked(toys: dict[str, Operation], ctx: Context) -> None:
    with pytest.raises(ArgumentProblem):
        neondba.call("toy.show", ctx, nick="ball")
