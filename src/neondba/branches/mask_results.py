"""What is said of masking: which column becomes what, and what is still open."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Final

from pydantic import BaseModel

from neondba.postgres.masking.decision import Decision, State

FILE: Final = "[tool.neondba.mask] in pyproject.toml, or [mask] in neondba.toml"
"""Where the project says what becomes of its columns."""
HEADS: Final = {
    State.OPEN: "Open: these look personal, and nobody has said what becomes of them",
    State.MASKED: "Masked",
    State.KEPT: "Kept as they are, because the project file says so",
    State.CLEAN: "Looked into, and nothing personal found",
}


class Covered(Decision):
    """What becomes of one column of one database."""

    database: str


class Coverage(BaseModel):
    """What becomes of every column that rows are copied through."""

    project: str
    branch: str
    """Whose rows they are."""
    columns: tuple[Covered, ...]
    plain: int
    """Further columns whose type holds no text, such as integer."""
    whole: bool
    """True when every row of what stays was read; False when rows were sampled."""
    notes: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def undecided(self) -> list[Covered]:
        """The open columns: while there is one, no branch is handed over."""
        return [each for each in self.columns if each.state is State.OPEN]

    @property
    def lines(self) -> list[str]:
        """Lines for the project file, the first of each open column's."""
        return [each.lines[0] for each in self.undecided if each.lines]

    def as_text(self, width: int) -> str:
        """Write the columns by what becomes of them, the open ones first."""
        count = Counter(each.state for each in self.columns)
        said = ", ".join(f"{count[state]} {state.value}" for state in State)
        said += f", {self.plain} of types that hold no text"
        how = "every row of what stays was read" if self.whole else "rows were sampled"
        parts = [f"Columns of branch {self.branch} of project {self.project}: {said}; {how}."]
        several = len({each.database for each in self.columns}) > 1
        for state, head in HEADS.items():
            rows = [each for each in self.columns if each.state is state]
            if rows:
                parts.append("\n".join([f"{head}:", *(_line(each, several, width) for each in rows)]))
        if self.undecided:
            wanted = [f"  {line}" for each in self.undecided for line in each.lines]
            parts.append("\n".join([f"One line for each settles it, under {FILE}:", *wanted]))
        parts += self.notes
        return "\n\n".join([*parts, *(f"next: {each}" for each in self.next)])


def _line(each: Covered, several: bool, width: int) -> str:
    where = f"{each.database}: {each.column}" if several else each.column
    kind = f" → {each.kind}" if each.kind else ""
    return textwrap.fill(
        f"{where}{kind} ({each.why})", max(width, 40), initial_indent="  ", subsequent_indent="    "
    )
