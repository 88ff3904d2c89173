"""Results as text: pairs, tables, plans, own forms, and nothing that steers the terminal."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from toys import Report, Shelf, Toy

from neondba import capabilities
from neondba.core.operation import Operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.secret import Secret
from neondba.surfaces import blocks, output, render, render_rich

Toys = dict[str, Operation]
PLAN = Plan(
    operation="toy.break",
    effect=Effect.DESTROY,
    target=Target(project="toys", protected=True),
    steps=("Break it.", "Sweep."),
)


def test_one_model_is_names_and_values() -> None:
    assert render.text(Toy(name="ball", tags=("x", "y")), 80).splitlines() == [
        "name     ball",
        "colour   red",
        "made at  2026-01-02 03:04:05+00:00",
        "tags     x, y",
        "weight   -",
    ]


def test_many_models_are_a_table_without_empty_columns() -> None:
    shown = render.text([Toy(name="ball"), Toy(name="kite", weight=3.5)], 80).splitlines()
    assert shown[0].split() == ["name", "colour", "made", "at", "weight"]
    assert shown[1].split()[-1] == "-"
    assert shown[2].split()[-1] == "3.5"


def test_models_inside_come_below_and_next_steps_last() -> None:
    shown = render.text(Shelf(title="top", toys=[Toy(name="ball")], owner=Toy(name="bear")), 80)
    assert shown.startswith("title  top\n\ntoys:\nname")
    assert "owner:\nname     bear" in shown
    assert "note:\n  one\n  two" in shown
    assert shown.endswith("Next:\n  neondba toy list")


def test_a_plan_shows_target_steps_and_hash() -> None:
    assert render.text(PLAN, 80).splitlines() == [
        "operation  toy.break",
        "effect     destroy",
        "project    toys",
        "protected  yes",
        f"plan       {PLAN.hash}",
        "",
        "Steps:",
        "  1. Break it.",
        "  2. Sweep.",
    ]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, "Done."),
        ([], "None."),
        (["a", 2], "a\n2"),
        ({"a_b": 1}, "a b  1"),
        ("word", "word"),
        (3, "3"),
        (True, "yes"),
        ((), "None."),
    ],
)
def test_plain_results_are_shown_too(result: object, text: str) -> None:
    assert render.text(result, 80) == text


class Kind(Enum):
    ONE = 1


class Inner(BaseModel):
    a_b: int = 1
    none: None = None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (False, "no"),
        (0.1 + 0.2, "0.3"),
        (Kind.ONE, "1"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        (timedelta(hours=3), "3:00:00"),
        (Inner(), "a b 1"),
        ({"x": [1, 2]}, "x 1, 2"),
        ({}, "-"),
        ([], "-"),
        (Secret("abc"), "***"),
        ("\x1b[31mred\x07", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_value_is_one_short_text(value: object, text: str) -> None:
    assert blocks.cell(value) == text


@given(st.text())
def test_no_text_from_elsewhere_steers_the_terminal(text: str) -> None:
    shown = render.text([Toy(name=text), Shelf(title=text, toys=[], note=text)], 80)
    assert [c for c in shown if not c.isprintable() and c not in "\n\t"] == []


def test_own_text_is_cleaned_as_well() -> None:
    assert render.text(Report(faults=["x"]), 72) == "1 faults in 72 columns \N{REPLACEMENT CHARACTER}[31m"


def test_formats_follow_from_the_result_type(toys: Toys) -> None:
    assert render.formats(toys["toy.inspect"]) == ("terminal", "json", "markdown", "sarif")
    assert render.formats(toys["toy.show"]) == ("terminal", "json")


def test_a_plan_is_shown_in_any_format(toys: Toys) -> None:
    assert "1. Break it." in render.render(toys["toy.inspect"], PLAN, "sarif", 80)
    assert '"steps"' in render.render(toys["toy.inspect"], PLAN, "json", 80)


def test_a_person_sees_tables_and_styles() -> None:
    shelf = Shelf(title="top", toys=[Toy(name="ball"), Toy(name="[bold]kite")])
    plain = render_rich.show(shelf, 100, colour=False)
    assert "\x1b" not in plain
    assert "[bold]kite" in plain
    assert "Next:\n  neondba toy list" in plain
    assert "\x1b[1m" in render_rich.show(shelf, 100, colour=True)


def test_styled_pieces_are_used_where_a_result_has_them() -> None:
    assert render_rich.show(Report(faults=["x"]), 80, colour=False) == "1 faults found\n"
    assert "\x1b[1;31m1 faults" in render_rich.show(Report(faults=["x"]), 80, colour=True)


class Screen:
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert output.wants_colour(Screen())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not output.wants_colour(Screen())
    monkeypatch.setenv("NO_COLOR", "")
    assert output.wants_colour(Screen())
    monkeypatch.setenv("TERM", "dumb")
    assert not output.wants_colour(Screen())


def test_a_closed_stream_is_no_terminal(tmp_path) -> None:
    file = (tmp_path / "x").open("w")
    file.close()
    assert not output.is_terminal(file)


@pytest.mark.parametrize(("columns", "width"), [("72", 72), ("10", 40), ("999", 120), ("wide", 100)])
def test_the_width_is_the_terminal_s_within_reason(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "__stdout__", None)
    assert output.width() == width


def test_a_signature_is_spelled_in_plain_types(toys: Toys) -> None:
    from neondba.surfaces.detail import signature

    spelled = [signature(one) for one in {**capabilities.load(), **toys}.values()]
    assert not [text for text in spelled if "<" in text or "Annotated" in text or "Validator" in text]
    assert any("expires: timedelta | None = None" in text for text in spelled)
