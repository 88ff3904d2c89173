"""An ignore rule hides `.env.example` too.

The pattern that keeps `.env` out of git is so wide that the file with the names of the variables can
not be added either. A newcomer, and every new environment, has to guess what must be set.

## Instead
```text bad path=.gitignore case=wide
node_modules
.env*  # <- finding
```
```javascript bad path=src/db.js case=wide
export const url = process.env.DATABASE_URL;
```
```text fixed path=.gitignore case=wide
node_modules
.env*
!.env.example
```
```bash fixed path=.env.example case=wide
DATABASE_URL=
```
```text good path=.gitignore case=excepted
node_modules
.env*
!.env.example
```
```javascript good path=src/db.js case=excepted
export const url = process.env.DATABASE_URL;
```
Another part's example does not tell what this part needs:
```text bad path=web/.gitignore case=part
node_modules
.env*  # <- finding
```
```json bad path=web/package.json case=part
{"name": "web"}
```
```typescript bad path=web/src/auth.ts case=part
export const url = process.env.DATABASE_URL;
export const secret = process.env.BETTER_AUTH_SECRET;
```
```bash bad path=api/.env.example case=part
MAIL_KEY=
```
## When it does not matter
An example is there under another name, or was added in spite of the rule:
```text good path=.gitignore case=sample
.env*
```
```bash good path=env.sample case=sample
DATABASE_URL=
```
```javascript good path=src/db.js case=sample
export const url = process.env.DATABASE_URL;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.environment import Environment
from neondba.project.gitignore import Ignores
from neondba.project.places import is_test
from neondba.project.services import Services
from neondba.project.tree import Tree
from neondba.review.editing import appended, below
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import has_example, some, unnamed


@rule("NDB112", Category.ENV, Severity.MEDIUM)
def check(ignores: Ignores, environment: Environment, tree: Tree, services: Services) -> Iterator[Finding]:
    """Report the pattern that hides the example."""
    names = sorted({r.name for r in environment.reads if not is_test(r.path)})
    shows = has_example(tree)
    parts = unnamed(environment, tree, services, least=1) if shows else {}
    if not names or (shows and not parts):
        return
    reported: list[str] = []
    for folder in sorted(parts if shows else ignores.rules):
        names = [r.name for r in parts[folder]] if shows else names
        if any(not place or folder.startswith(f"{place}/") for place in reported):
            continue
        above = f"{folder}/" if folder else ""
        decided = ignores.deciding(f"{above}.env.example")
        if (
            decided is None
            or decided.negated
            or decided.path != f"{above}.gitignore"
            or decided.text in ("*", "/*")
        ):
            continue
        reported.append(folder)
        yield Finding(
            decided.path,
            decided.line,
            f"The pattern {decided.text} also keeps {above}.env.example out of git, so nobody who "
            f"clones the project learns that it needs {some(names)}.",
            steps=(
                f"Add this line below {decided.text}.",
                f"Write {above}.env.example with the names and no values, and commit it.",
            ),
            snippet="!.env.example",
            edits=(
                *below(decided.path, tree.text(decided.path) or "", decided.line, "!.env.example"),
                *appended(f"{above}.env.example", None, *(f"{name}=" for name in names)),
            ),
        )
