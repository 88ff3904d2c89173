"""A Neon password or API key stands in a file that git keeps.

`npg_` begins the password of a Neon role, `napi_` an API key that can create, read and delete every
project of its account. Such values reach repositories without a URL around them: in dumps of the
environment, in notes, and in the lists of allowed commands that coding agents write for themselves.

## Instead
```json bad path=.claude/settings.local.json case=agent
{"permissions": {"allow": [
  "Bash(PGPASSWORD=npg\x5fWq7rTz2KpX9v psql -c 'select 1')"  // <- finding
]}}
```
```json good path=.claude/settings.local.json case=agent
{"permissions": {"allow": [
  "Bash(psql -c 'select 1')"
]}}
```
## When it does not matter
A value that only shows the form, or that was cut short:
```markdown good path=docs/keys.md
Keys look like `napi_xxxxxxxx` or `npg_abc123`; ours begins with `npg_W...`.
Create one and export it: `NEON_API_KEY=napi_your_key_here`.
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.addresses import Addresses
from neondba.project.gitignore import Ignores
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._reading import tokens
from neondba.review.rules.secrets._shared import is_read_by_people


@rule("NDB102", Category.SECRET, Severity.CRITICAL)
def check(tree: Tree, addresses: Addresses, ignores: Ignores) -> Iterator[Finding]:
    """Report each bare token once a file, unless the address around it is reported."""
    reported = {(a.path, a.password.reveal()) for a in addresses.live()}
    for path in tree.paths:
        text = tree.text(path)
        if not text or ("npg_" not in text and "napi_" not in text):
            continue
        if not is_read_by_people(tree, ignores, path):
            continue
        for start, kind, token in tokens(text):
            if (path, token) not in reported:
                reported.add((path, token))
                yield _finding(path, text.count("\n", 0, start) + 1, kind)


def _finding(path: str, line: int, kind: str) -> Finding:
    what = "a Neon API key" if kind == "napi" else "the password of a Neon role"
    reach = "every project of the account" if kind == "napi" else "that role's database"
    step = (
        "Revoke the key in the Neon console under Account settings, API keys."
        if kind == "napi"
        else "Reset the password of the role on its Neon branch, under Roles in the console."
    )
    return Finding(
        path,
        line,
        f"{path} holds {what}. Everyone who can read the repository or its history can reach {reach}.",
        steps=(step, "Take the value out of the file, and read it from the environment."),
        snippet="NEON_API_KEY=" if kind == "napi" else "PGPASSWORD=",
        evidence=f"{kind}_***",
        masked=True,
    )
