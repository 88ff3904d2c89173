"""What `pool.advise` and `pool.write` answer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from neondba.connections.check_results import Verdict
from neondba.connections.pool_figures import Figure


class FitLine(BaseModel):
    """One thing that fits, or does not, with its arithmetic."""

    name: str
    verdict: Verdict
    said: str
    formula: str = ""
    do: str = ""


class Simulated(BaseModel):
    """What became of requests in a simulation."""

    name: str
    """`as it is`, `advised`, or the rate."""
    requests: int
    answered: int
    median_ms: float | None
    p95_ms: float | None
    longest_ms: float | None
    failed: dict[str, int]
    clients: int
    """Most connections of the application at once."""
    busy: int
    """Most that worked for a request at once."""
    queued: int
    """Most that waited for a connection in one process at once."""
    waiting: int
    """Most that waited at the pooler at once."""


class Setting(BaseModel):
    """Settings in the names of a library, as code or as lines of a file."""

    library: str
    where: str
    """The file and line that it replaces; empty where none was found."""
    snippet: str


class PoolAdvice(BaseModel):
    """What fits the compute, what happens at wake-up and under load, and what to set."""

    verdict: str
    """Whether it fits, and what is advised."""
    subject: str
    """What was looked at: library, address, compute."""
    figures: tuple[Figure, ...]
    fits: tuple[FitLine, ...]
    wake: tuple[Simulated, ...]
    wake_said: str
    load: tuple[Simulated, ...]
    load_said: str
    settings: tuple[Setting, ...]
    writes: tuple[str, ...] = ()
    """What `--write` would change, if anything."""
    written: tuple[str, ...] = ()
    """What was changed."""
    next: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """Count what does not fit."""
        return sum(line.verdict == "fault" for line in self.fits)

    def as_text(self, width: int) -> str:
        """Show it in a terminal: the verdict, what to do, the numbers, and how they were computed."""
        width = max(60, width)
        parts = [*_wrapped(self.verdict, width), *_wrapped(self.subject, width), ""]
        to_do = [line for line in self.fits if line.verdict != "ok" or line.do]
        for line in to_do:
            parts += _fit(line, width)
        parts += [""] if to_do else []
        parts += [*self._settings(), *self._numbers(width, [line for line in self.fits if line not in to_do])]
        parts += ["", "Figures", *_figures(self.figures, width), "", "Formulas"]
        parts += [text for line in self.fits if line.formula for text in _formula(line, width)]
        return "\n".join(parts).rstrip()

    def _settings(self) -> list[str]:
        parts = ["Settings"]
        for setting in self.settings:
            parts += [f"  {setting.library}{', ' + setting.where if setting.where else ''}"]
            parts += ["    " + line for line in setting.snippet.splitlines()] + [""]
        if self.written:
            parts += ["Written", *(f"  {each}" for each in self.written), ""]
        elif self.writes:
            changed = (f"  {each}" for each in self.writes)
            parts += ["neondba pool advise --write would change", *changed, ""]
        return parts

    def _numbers(self, width: int, fitting: Sequence[FitLine]) -> list[str]:
        parts = ["What fits", *(text for line in fitting for text in _fit(line, width))] if fitting else []
        parts += ["", "At wake-up", *_wrapped(self.wake_said, width, "  "), *_table(self.wake)]
        return [*parts, "", "Under load", *_wrapped(self.load_said, width, "  "), *_table(self.load)]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)


def _figures(figures: Iterable[Figure], width: int) -> list[str]:
    rows = [(each.name, each.shown(), f"{each.origin}: {each.where}") for each in figures]
    first, second = (max(len(row[part]) for row in rows) for part in (0, 1))
    lines = []
    for name, value, where in rows:
        head = f"  {name:<{first}}  {value:>{second}}  "
        lines += textwrap.wrap(where, width, initial_indent=head, subsequent_indent=" " * len(head))
    return lines


def _fit(line: FitLine, width: int) -> list[str]:
    parts = textwrap.wrap(f"{line.verdict:11} {line.name}: {line.said}", width, subsequent_indent=" " * 12)
    if line.do:
        parts += textwrap.wrap(f"do: {line.do}", width, initial_indent=" " * 12, subsequent_indent=" " * 16)
    return parts


def _formula(line: FitLine, width: int) -> list[str]:
    return textwrap.wrap(
        f"{line.name} = {line.formula}", width, initial_indent="  ", subsequent_indent="    "
    )


_HEAD = ("", "answered", "median", "95th", "longest", "fail", "open", "busy", "in a pool", "at the pooler")


def _table(rows: tuple[Simulated, ...]) -> list[str]:
    cells = [_HEAD, *(_row(each) for each in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(_HEAD))]
    lines = []
    for row in cells:
        first, *rest = (
            text.ljust(w) if at == 0 else text.rjust(w)
            for at, (text, w) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  " + "  ".join([first, *rest]).rstrip())
    lines += [f"  {each.name}: {_reasons(each.failed)}" for each in rows if each.failed]
    return lines


def _row(each: Simulated) -> tuple[str, ...]:
    times = (each.median_ms, each.p95_ms, each.longest_ms)
    counts = (sum(each.failed.values()), each.clients, each.busy, each.queued, each.waiting)
    return (each.name, str(each.answered), *map(_time, times), *map(str, counts))


def _time(ms: float | None) -> str:
    if ms is None:
        return "-"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s"


def _reasons(failed: dict[str, int]) -> str:
    return ", ".join(f"{count} fail with {why}" for why, count in failed.items())
