"""Sabotage rules and show that their pages notice.

    scripts/mutate.py [--count 10] [--seed N] [--rule NDB405] [--pytest]
    scripts/mutate.py --all [--each 12]

A mutant is a rule's module with one change: the check returns nothing, a condition or comparison is
turned round, an operand of `and`/`or` or an entry of a list of words is dropped, a number is one more, a
truth is a lie. What only words a message is left alone. The rule's page and its cases in
tests/review/cases then run as in tests/review/test_rule_pages.py; with --pytest that very file runs, on a
copy of the sources that holds the mutant. A mutant that no case notices is a survivor.

Rules that look at a database are shown by tests/review/catalog, and not mutated here.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from neondba.project.tree import MemoryTree
from neondba.review import rule as registry
from neondba.review.engine import run
from neondba.review.page import Case, cases
from neondba.review.rule import Rule, rules

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "review" / "cases"
PAGES = "tests/review/test_rule_pages.py"
SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change to one rule."""

    rule: str
    file: Path
    line: int
    what: str
    source: str

    def __str__(self) -> str:
        """Say where it is and what it does."""
        return f"{self.rule} {self.file.relative_to(ROOT)}:{self.line} {self.what}"


def mutants(rule: Rule) -> list[Mutant]:
    """Give every mutant of a rule's module."""
    module = sys.modules[rule.check.__module__]
    file = Path(str(module.__file__))
    text = file.read_text()
    found = []
    for number, (node, way) in enumerate(_sites(ast.parse(text))):
        tree = ast.parse(text)
        same, _ = next(site for place, site in enumerate(_sites(tree)) if place == number)
        what = _changed(same, way)
        source = ast.unparse(ast.fix_missing_locations(tree))
        found.append(Mutant(rule.code, file, getattr(node, "lineno", 1), what, source))
    return found


def _sites(tree: ast.Module) -> Iterator[tuple[ast.AST, int]]:
    """Give the places that can be changed, each with the number of one of its changes."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Tuple | ast.Set | ast.List) and len(node.elts) > 1:
                    yield from ((node, i) for i in range(len(node.elts)))
        elif isinstance(statement, ast.FunctionDef) and not _words_only(statement):
            if statement.decorator_list:
                yield statement, 0
            for node in _nodes(statement):
                yield from ((node, way) for way in range(_ways(node)))


def _words_only(function: ast.FunctionDef) -> bool:
    """Tell whether a function makes a text or steps for the report."""
    return function.returns is not None and ast.unparse(function.returns) in (
        "str",
        "list[str]",
        "tuple[str, ...]",
        "Finding",
        "Severity",
        "Change | None",
        "tuple[Edit, ...]",
    )


def _nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Go through a function, but not into the making of a finding, texts and types."""
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.JoinedStr | ast.AnnAssign):
            continue
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("Finding", "Edit")
        ):
            continue
        stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _ways(node: ast.AST) -> int:
    if isinstance(node, ast.If | ast.IfExp | ast.Assert):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values)
    if isinstance(node, ast.comprehension):
        return len(node.ifs)
    if isinstance(node, ast.Compare):
        return 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return 1
    if isinstance(node, ast.Constant) and (type(node.value) in (bool, int)):
        return 1
    return 0


def _changed(node: ast.AST, way: int) -> str:
    """Change a node in place; say what was done."""
    before = ast.unparse(node)[:60].split("\n")[0]
    match node:
        case ast.FunctionDef():
            node.body = [ast.parse("return").body[0], ast.Expr(ast.Yield(None))]
            return "the check returns nothing"
        case ast.Tuple() | ast.Set() | ast.List():
            return f"dropped {ast.unparse(node.elts.pop(way))[:60]}"
        case ast.If() | ast.IfExp() | ast.Assert():
            before = ast.unparse(node.test)[:60]
            node.test = ast.UnaryOp(ast.Not(), node.test)
            return f"turned round: if {before}"
        case ast.BoolOp():
            return f"dropped {ast.unparse(node.values.pop(way))[:60]}"
        case ast.comprehension():
            return f"dropped if {ast.unparse(node.ifs.pop(way))[:60]}"
        case ast.Compare():
            node.ops[0] = SWAPPED[type(node.ops[0])]()
        case ast.UnaryOp():
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant():
            node.value = (not node.value) if type(node.value) is bool else int(str(node.value)) + 1
    return f"{before} became {ast.unparse(node)[:60]}"


def own_cases(rule: Rule) -> list[Case]:
    """Give the cases that speak of a rule: its page's, and those beside it."""
    return [*cases(rule.page), *(case for case in _beside() if case.rule == rule.code)]


@cache
def _beside() -> list[Case]:
    return [case for file in sorted(CASES.glob("*.md")) for case in cases(file.read_text())]


def passes(rule: Rule, examples: list[Case]) -> bool:
    """Tell whether every case says what it shall."""
    for case in examples:
        outcome = run(MemoryTree(case.files), [rule])
        if outcome.not_checked or {(f.path, f.line) for f in outcome.findings} != case.expected:
            return False
    return True


def loaded(mutant: Mutant) -> Rule | None:
    """Make the mutant's rule without touching the real one; none where it cannot even be loaded."""
    known = rules()[mutant.rule]
    name = known.check.__module__
    real = sys.modules[name]
    module = ModuleType(name, real.__doc__)
    module.__file__ = real.__file__
    registered = registry._rules.pop(mutant.rule)
    sys.modules[name] = module
    try:
        exec(compile(mutant.source, str(mutant.file), "exec"), module.__dict__)
        return registry._rules[mutant.rule]
    except Exception:  # noqa: BLE001 - whatever stops it, everybody will notice
        return None
    finally:
        registry._rules[mutant.rule] = registered
        sys.modules[name] = real


def is_noticed(mutant: Mutant) -> bool:
    """Run the rule's cases on the mutant."""
    rule = loaded(mutant)
    return rule is None or not passes(rule, own_cases(rules()[mutant.rule]))


def is_noticed_by_pytest(mutant: Mutant) -> bool:
    """Run the real tests on a copy of the sources that holds the mutant."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "src")
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        (copy / mutant.file.relative_to(ROOT / "src")).write_text(mutant.source)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-k", mutant.rule, PAGES],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            check=False,
            text=True,
        )
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    print(f"    {failed[0] if failed else 'no test failed'}")
    return bool(failed)


def mutable() -> list[Rule]:
    """Give the rules whose cases are files."""
    return [rule for rule in rules().values() if own_cases(rule)]


def chosen(count: int, chance: random.Random, only: str | None = None) -> list[Mutant]:
    """Pick rules at random, and one mutant of each."""
    known = [rule for rule in mutable() if only in (None, rule.code)]
    picked = chance.sample(known, count) if count <= len(known) else chance.choices(known, k=count)
    return [chance.choice(mutants(rule)) for rule in picked]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rule")
    parser.add_argument("--pytest", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--each", type=int, default=0, help="with --all: this many of each rule; 0 for all")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    chance = random.Random(seed)
    if asked.all:
        every = [(rule, mutants(rule)) for rule in mutable() if asked.rule in (None, rule.code)]
        tried = [
            m for _, ms in every for m in (chance.sample(ms, min(asked.each, len(ms))) if asked.each else ms)
        ]
    else:
        tried = chosen(asked.count, chance, asked.rule)
    notice = is_noticed_by_pytest if asked.pytest else is_noticed
    survivors = []
    for mutant in tried:
        noticed = notice(mutant)
        if not noticed:
            survivors.append(mutant)
        if not asked.all or not noticed:
            print(f"{'noticed ' if noticed else 'SURVIVED'} {mutant}", flush=True)
    print(
        f"seed {seed}: {len(tried)} mutants of {len({m.rule for m in tried})} rules, "
        f"{len(survivors)} survived"
    )
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
