"""How a rule is declared, found and explained.

A rule is one module under `rules/<family>/`; its file name is its name and its docstring its page:

    A sentence that says the fault.

    Why it matters.

    ## Instead
    fences marked `bad` (findings on the lines marked `<- finding`) and `good` (none)
    ## When it does not matter
    the cases it leaves alone
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from sys import modules

from neondba.core.collector import collector_resting
from neondba.core.problem import NotFoundProblem
from neondba.review.finding import Category, Finding, Severity

Check = Callable[..., Iterator[Finding]]

_rules: dict[str, Rule] = {}


@dataclass(frozen=True)
class Rule:
    """A fault that we look for."""

    code: str
    """Stable, `NDB` and three digits; the hundreds are the family."""
    name: str
    """Says the fault: `blocking-index`."""
    category: Category
    severity: Severity
    check: Check
    page: str
    """The module's docstring, Markdown."""
    shows: str = ""
    """Code of the rule that reads the same fault from files; this one sees it in a database."""

    @property
    def title(self) -> str:
        """The page's first sentence."""
        return self.page.partition("\n")[0]


def rule(code: str, category: Category, severity: Severity, *, shows: str = "") -> Callable[[Check], Check]:
    """Register the decorated function as the rule of its module."""

    def register(check: Check) -> Check:
        if code in _rules:
            raise ValueError(f"{code} is taken by {_rules[code].name}")
        module = modules[check.__module__]
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        page = inspect.cleandoc(module.__doc__ or "")
        _rules[code] = Rule(code, name, category, severity, check, page, shows)
        return check

    return register


@cache
def rules() -> dict[str, Rule]:
    """Import every rule module; give the rules by code in order."""
    here = Path(__file__).parent / "rules"
    with collector_resting():
        for file in sorted(here.glob("*/*.py")):
            if not file.stem.startswith("_"):
                import_module(f"neondba.review.rules.{file.parent.name}.{file.stem}")
    return dict(sorted(_rules.items()))


def find_rule(wanted: str) -> Rule:
    """Give a rule by its code or name.

    Raises:
        NotFoundProblem: there is no such rule.
    """
    for known in rules().values():
        if wanted.upper() == known.code or wanted.lower() == known.name:
            return known
    raise NotFoundProblem(
        "rule-not-found", f"There is no rule {wanted}.", hint="neondba rule list shows all of them."
    )
