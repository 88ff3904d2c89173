"""Write docs/reference and the README's excerpts from the program itself.

docs.py            write everything; runs the demo for the README's excerpt
docs.py --check    fail when a written file differs from what the program says (the demo apart)
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from shown import shown

from neondba.capabilities import load
from neondba.core import settings
from neondba.core.operation import Operation
from neondba.review.operations import RulePage
from neondba.review.rule import Rule, rules

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
README = ROOT / "README.md"


def operations_page() -> str:
    rows = [
        "# Operations\n",
        "One definition each; `neondba operation show NAME` prints what derives from it.\n",
    ]
    rows += [part for operation in load().values() for part in _operation(operation)]
    return "\n".join(rows) + "\n"


def _operation(operation: Operation) -> Iterator[str]:
    yield f"## {operation.name}\n"
    yield f"{operation.summary}\n"
    forms = [f"`neondba {' '.join(operation.words)}`", f"tool `{operation.tool}`", f"`POST {operation.path}`"]
    yield " · ".join([*forms, operation.effect]) + "\n"
    for parameter in operation.parameters:
        kind = "" if parameter.positional else "--"
        need = "required" if parameter.required else f"default `{parameter.default}`"
        yield f"- `{kind}{parameter.name.replace('_', '-')}`: {parameter.description} ({need})"
    yield ""


def settings_page() -> str:
    rows = [
        "# Settings\n",
        "Order: flag, environment, project file (`[tool.neondba]` in `pyproject.toml`, or `neondba.toml`),",
        "`.neon` (Neon's own context file: the project), user file (`config.toml` in the platform's",
        "configuration folder), default.\n",
        "| flag | environment | in a file | meaning |\n| --- | --- | --- | --- |",
    ]
    for name, description in settings.described():
        variables = ", ".join(f"`{v}`" for v in settings.environment_names(name))
        own = " (your own only)" if name in settings.OWN_FIELDS else ""
        key = "never" if name in settings.SECRET_FIELDS else f"`{name.replace('_', '-')}`{own}"
        rows.append(f"| `{settings.flag_of(name)}` | {variables} | {key} | {description} |")
    return "\n".join(rows) + "\n"


def rule_page(rule: Rule) -> str:
    page = RulePage(
        code=rule.code, name=rule.name, category=rule.category, severity=rule.severity,
        title=rule.title, page=rule.page,
    )  # fmt: skip
    return re.sub(
        r"[ \t]*(?:#|--|//)[ \t]*<- finding",
        lambda m: m[0].replace("<- finding", "found"),
        page.as_markdown(),
    )


def rules_index() -> str:
    rows = ["# Rules\n", "| code | name | category | severity | fault |\n| --- | --- | --- | --- | --- |"]
    rows += [
        f"| [{r.code}]({r.code}.md) | {r.name} | {r.category} | {r.severity} | {r.title} |"
        for r in rules().values()
    ]
    return "\n".join(rows) + "\n"


def operations_excerpt() -> str:
    rows = ["| command | what it does |", "| --- | --- |"]
    rows += [f"| `neondba {' '.join(o.words)}` | {o.summary} |" for o in load().values()]
    return "\n".join(rows)


def local_page() -> str:
    tables = import_module("neondba.local.requirements")
    text = with_excerpt((REFERENCE / "local-neon.md").read_text(), "sizes", tables.sizes())
    text = with_excerpt(text, "limits", tables.limits())
    found = shown({row.id for row in tables.rows()})
    return with_excerpt(text, "rows", tables.document(found))


def demo_excerpt() -> str:
    command = [sys.executable, "-m", "neondba", "review", "examples/taskboard", "--prove"]
    report = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=_plain()
    ).stdout
    findings = report.index("\nFindings (")
    third = re.search(r"\n  3  ", report)
    shown = report.index("\nShown on a branch")
    end = report.find("\nNot checked", shown)
    end = end if end > 0 else report.index("\nNext", shown)
    assert third is not None
    parts = [report[:findings], report[findings : third.start()], "\n  …\n", report[shown:end]]
    return "    " + "".join(parts).strip().replace("\n", "\n    ").replace("    \n", "\n")


def _plain() -> dict[str, str]:
    import os

    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "104"}


def with_excerpt(text: str, name: str, body: str) -> str:
    start, end = f"<!-- excerpt: {name} -->\n", "<!-- end -->"
    head, _, rest = text.partition(start)
    return head + start + "\n" + body.strip("\n") + "\n\n" + end + rest.partition(end)[2]


def pages() -> dict[Path, str]:
    made = {
        REFERENCE / "operations.md": operations_page(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "rules" / "README.md": rules_index(),
        REFERENCE / "local-neon.md": local_page(),
        README: with_excerpt(README.read_text(), "operations", operations_excerpt()),
    }
    made |= {REFERENCE / "rules" / f"{code}.md": rule_page(rule) for code, rule in rules().items()}
    return made


def main() -> int:
    made = pages()
    known = set(made) | {README}
    if "--check" not in sys.argv:
        made[README] = with_excerpt(made[README], "demo", demo_excerpt())
        for path, text in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for stale in set(REFERENCE.rglob("*.md")) - known:
            stale.unlink()
        return 0
    stale = [str(p.relative_to(ROOT)) for p, text in made.items() if not p.exists() or p.read_text() != text]
    stale += [str(p.relative_to(ROOT)) for p in set(REFERENCE.rglob("*.md")) - known]
    if stale:
        print("Out of date; run `make docs`:", *stale, sep="\n  ")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
