"""Rooms register what they can prove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neondba.core import proof
from neondba.core.context import Context
from neondba.core.proof import Line, Proof, Shown, prover, provers
from neondba.core.settings import Settings


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    before = dict(proof._provers)
    proof._provers.clear()
    yield
    proof._provers.clear()
    proof._provers.update(before)


def test_provers_are_given_by_claim(tmp_path: Path) -> None:
    @prover("zebra")
    def zebra(ctx: Context, folder: Path) -> Proof:
        line = Line(subject="stripes", shown=Shown.HOLDS, text="Twelve seen.")
        return Proof(claim="zebra", shown=Shown.HOLDS, summary=folder.name, lines=(line,))

    @prover("apple")
    def apple(ctx: Context, folder: Path) -> Proof:
        return Proof(claim="apple", shown=Shown.NOT_CHECKED, summary="", missing="a tree")

    assert [claim for claim in provers() if claim in ("apple", "zebra")] == ["apple", "zebra"]
    ctx = Context(settings=Settings(state_dir=tmp_path))
    assert provers()["zebra"](ctx, tmp_path).lines[0].text == "Twelve seen."
    assert provers()["apple"] is apple
