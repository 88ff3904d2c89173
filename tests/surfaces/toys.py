"""Small operations that exercise what real ones may do; registered only while a test asks for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from neondba.core import operation as core
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem

Name = Annotated[str, Field(description="Name of the toy.", min_length=1)]
STARTED = threading.Event()
STOPPED = threading.Event()


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Toy(BaseModel):
    name: str
    colour: Colour = Colour.RED
    made_at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    tags: tuple[str, ...] = ()
    weight: float | None = None
    next: tuple[str, ...] = ()


class Shelf(BaseModel):
    title: str
    toys: list[Toy]
    owner: Toy | None = None
    note: str = "one\ntwo"
    next: tuple[str, ...] = ("neondba toy list",)


class Report(BaseModel):
    faults: list[str]

    def as_text(self, width: int) -> str:
        return f"{len(self.faults)} faults in {width} columns \x1b[31m"

    def as_spans(self, width: int) -> list[list[tuple[str, str]]]:
        return [[("bold red", f"{len(self.faults)} faults"), ("", " found")]]

    def as_markdown(self) -> str:
        return "# Faults"

    def as_sarif(self) -> dict[str, Any]:
        return {"version": "2.1.0"}


def toy_show(
    ctx: Context,
    name: Name,
    *,
    colour: Annotated[Colour, Field(description="Its colour.")] = Colour.RED,
    tags: Annotated[list[str] | None, Field(description="Words about it.")] = None,
    weight: Annotated[float | None, Field(description="Grams.", gt=0)] = None,
    shiny: Annotated[bool, Field(description="True for one that shines.")] = False,
    boxed: Annotated[bool, Field(description="In its box.")] = True,
    extra: Annotated[dict[str, int] | None, Field(description="Counts by name.")] = None,
    grade: Annotated[Literal["a", "b"], Field(description="How good it is.")] = "a",
    lent: Annotated[Duration | None, Field(description="For how long it is lent.")] = None,
) -> Toy:
    """Show a toy.

    With all that is known of it.
    """
    told = [*(tags or []), *(f"{key}={value}" for key, value in (extra or {}).items())]
    told += ["shiny"] * shiny + ["boxed"] * boxed + [grade] + ([str(lent)] if lent else [])
    if name == "lost":
        raise NotFoundProblem("toy-not-found", f"No toy is called {name}.", hint="neondba toy list", toy=name)
    return Toy(name=name, colour=colour, tags=tuple(told), weight=weight)


def toy_list(
    ctx: Context, names: Annotated[tuple[str, ...], Field(description="Which ones.")] = ()
) -> list[Toy]:
    """List toys."""
    return [Toy(name=name) for name in names or ("ball", "kite")]


def toy_shelf(ctx: Context) -> Shelf:
    """Show the shelf."""
    return Shelf(title="top", toys=[Toy(name="ball"), Toy(name="kite", weight=3.5)], owner=Toy(name="bear"))


def toy_inspect(ctx: Context, faults: Annotated[int, Field(description="How many to find.")] = 0) -> Report:
    """Inspect all toys."""
    return Report(faults=["cracked"] * faults)


def toy_wind(ctx: Context) -> Toy:
    """Wind up a toy beside everything else."""
    with ThreadPoolExecutor(1) as beside:
        for turn in range(100):
            beside.submit(ctx.progress, f"Winding {turn}", turn / 100).result(10)
    return Toy(name="clockwork")


def toy_make(
    ctx: Context,
    name: Name,
    *,
    protected: Annotated[bool, Field(description="Make it on a protected shelf.")] = False,
) -> Toy:
    """Make a toy."""
    target = Target(project="toys", branch="shelf", protected=protected)
    with ctx.carry_out(
        Plan(operation="toy.make", effect=Effect.WRITE, target=target, steps=(f"Make {name}.",))
    ):
        ctx.progress("Carving", 0.5)
        ctx.progress("Painting")
        return Toy(name=name)


def toy_letter(
    ctx: Context,
    text: Annotated[str, Field(description="What somebody wrote.")],
    *,
    fails: Annotated[bool, Field(description="Quote it in a problem.")] = False,
) -> Toy:
    """Give what somebody wrote into a database."""
    if fails:
        raise NotFoundProblem("letter-refused", f"Not a number: {text}.", hint="Send another.")
    return Toy(name=text)


def toy_break(ctx: Context, name: Name) -> Toy:
    """Break a toy for good."""
    target = Target(project="toys", branch="shelf")
    steps = (f"Break {name}.", "Sweep the floor.")
    with ctx.carry_out(Plan(operation="toy.break", effect=Effect.DESTROY, target=target, steps=steps)):
        return Toy(name=name)


def toy_crash(ctx: Context, secret: Annotated[str, Field(description="Text in the error.")] = "boom") -> None:
    """Fail in an unforeseen way."""
    raise RuntimeError(secret)


def toy_interrupt(ctx: Context) -> None:
    """End as if the user had pressed Ctrl-C."""
    raise KeyboardInterrupt


def toy_endless(ctx: Context) -> None:
    """Work until cancelled."""
    STARTED.set()
    try:
        while True:
            ctx.progress("still working")
            ctx.clock.sleep(0.005)
    finally:
        STOPPED.set()


def toy_heap(ctx: Context, count: Annotated[int, Field(description="How many.", ge=0)] = 2000) -> Shelf:
    """Show a heap of toys."""
    return Shelf(title="é" * 3000, toys=[Toy(name=f"toy {n}", tags=("long" * 50,)) for n in range(count)])


def toy_echo(ctx: Context) -> dict[str, str]:
    """Tell what is set, the way a careless operation might."""
    return {
        "settings": str(ctx.settings),
        "dump": ctx.settings.model_dump_json(),
        "key": f"{ctx.settings.api_key}",
    }


TOYS: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "toy.show",
        toy_show,
        {
            "featured": True,
            "examples": (
                Example({"name": "ball"}),
                Example(
                    {"name": "ball", "colour": "blue", "tags": ["x", "y z"], "weight": 2.5, "shiny": True}
                ),
                Example(
                    {"name": "-dash", "boxed": False, "extra": {"wheels": 4}, "grade": "b", "lent": "3h"}
                ),
                Example({"name": "lost"}, problem="toy-not-found"),
                Example({}, problem="argument-invalid"),
                Example({"name": "ball", "weight": "heavy"}, problem="argument-invalid"),
                Example({"name": "ball", "colour": "green"}, problem="argument-invalid"),
                Example({"name": "ball", "lid": "x"}, problem="argument-invalid"),
                Example({"name": "ball", "lent": "soon"}, problem="argument-invalid"),
            ),
        },
    ),
    ("toy.list", toy_list, {"examples": (Example(), Example({"names": ["a", "b"]}))}),
    ("toy.shelf", toy_shelf, {"examples": (Example(),)}),
    ("toy.wind", toy_wind, {"examples": (Example(),)}),
    (
        "toy.inspect",
        toy_inspect,
        {
            "turns": {"--heap": "toy.heap"},
            "examples": (Example(), Example({"faults": 3})),
            "findings": lambda r: len(r.faults),
        },
    ),
    (
        "toy.make",
        toy_make,
        {
            "effect": Effect.WRITE,
            "featured": True,
            "examples": (
                Example({"name": "top"}),
                Example({"name": "top", "protected": True}, problem="confirmation-needed"),
                Example({"name": "top", "protected": True}, confirmed=True),
            ),
        },
    ),
    (
        "toy.break",
        toy_break,
        {
            "effect": Effect.DESTROY,
            "examples": (
                Example({"name": "top"}, problem="confirmation-needed"),
                Example({"name": "top"}, confirmed=True, before=(("toy.make", {"name": "top"}),)),
            ),
        },
    ),
    ("toy.crash", toy_crash, {"examples": (Example(problem="unexpected"),)}),
    ("toy.interrupt", toy_interrupt, {"examples": (Example(problem="interrupted"),)}),
    ("toy.endless", toy_endless, {}),
    ("toy.heap", toy_heap, {"featured": True, "examples": (Example(), Example({"count": 3}))}),
    ("toy.letter", toy_letter, {"from_database": True, "examples": (Example({"text": "x"}),)}),
    ("toy.echo", toy_echo, {"examples": (Example(),)}),
]


@contextmanager
def registered() -> Iterator[dict[str, core.Operation]]:
    """Register the toys beside the real operations, and take them away again."""
    before = dict(core._registry)
    for name, function, given in TOYS:
        operation(name, **{"effect": Effect.READ, **given})(function)
    try:
        yield {name: core._registry[name] for name, _, _ in TOYS}
    finally:
        core._registry.clear()
        core._registry.update(before)
