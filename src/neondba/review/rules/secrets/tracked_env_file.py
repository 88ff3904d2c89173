"""A file of variables is tracked by git.

Everybody who clones the project gets the values, and the next value that somebody fills in is
published with the next commit. A file that is tracked stays tracked: an ignore rule added later does
nothing to it.

## Instead
```bash bad path=backend/.env case=tracked
DATABASE_URL=postgresql://shop@ep-old-lake-a4k7x2bq.eu.aws.neon.tech/shop  # <- finding
MAIL_FROM=orders@shop-orders.io
```
```bash good path=backend/.env.example case=untracked
DATABASE_URL=
MAIL_FROM=
```
```text good path=.gitignore case=untracked
.env
```
## When it does not matter
Examples, files of tests, files that hold only what every visitor sees anyway, and a development file
of stand-ins that the program refuses to start with elsewhere:
```bash good path=web/.env.production case=public
NEXT_PUBLIC_API_URL=https://api.shop-orders.io
VITE_TITLE=Shop
WIDGET_CSS_URL=./dist/widget.css
WIDGET_SCRIPT_URL=widget.js
CDN_URL=https://cdn.shop-orders.io/widget
```
```bash good path=.env.test case=test
DATABASE_URL=postgresql://postgres:postgres@localhost/test
```
```bash good path=.env case=development
ENVIRONMENT=local
DATABASE_URL=postgresql://postgres:changethis@localhost/app
SECRET_KEY=changethis
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from neondba.project.addresses import in_text
from neondba.project.environment import EnvEntry, EnvFile, Environment
from neondba.project.gitignore import Ignores
from neondba.project.placeholder import is_placeholder
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import is_kept, some

_PUBLIC: Final = re.compile(r"^(?:NEXT_PUBLIC|VITE|REACT_APP|PUBLIC|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC)_")
_BACKEND: Final = re.compile(r"\.supabase\.co\b|\.neon\.tech\b|\.firebaseio\.com\b")
_ADDRESS: Final = re.compile(r"^https?://[^@\s]*$")
"""The address of a page or service, which alone opens nothing."""
_DEMO: Final = "eyJpc3MiOiJzdXBhYmFzZS1kZW1v"
"""The issuer of the keys that every local Supabase has."""
_HARMLESS: Final = re.compile(
    r"^(?:true|false|\d{1,6}|local|localhost|dev\w*|prod\w*|staging|info|debug|none|null|.{0,3}|\.{0,2}/\S*)$",
    re.IGNORECASE,
)
_SERVICE: Final = re.compile(r"(?:^|_)(?:URL|URI|DSN|HOST|KEY|SECRET|TOKEN|PASSWORD|PASS|ID)$")
_LOCAL: Final = re.compile(
    r"localhost|127\.0\.0\.1|0\.0\.0\.0|://[\w-]+(?::\d+)?(?:/|$)|@[\w-]+(?::\d+)?/|example", re.IGNORECASE
)


@rule("NDB110", Category.ENV, Severity.MEDIUM)
def check(environment: Environment, tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report `.env` files in git that hold a real value."""
    for file in environment.files:
        if file.is_example or file.is_test or not is_kept(tree, ignores, file.path):
            continue
        real = [entry for entry in file.entries if is_real(entry)]
        if real:
            yield _finding(file, real)


def is_real(entry: EnvEntry) -> bool:
    """Tell whether a value says something about a real installation."""
    value = entry.value.reveal()
    if _PUBLIC.match(entry.key) and not _BACKEND.search(value):
        return False
    if _HARMLESS.match(value) or not _SERVICE.search(entry.key.upper()):
        return False
    if _ADDRESS.match(value) and not _BACKEND.search(value):
        return False
    if "://" in value:
        if any(not address.is_local and not is_placeholder(address.host) for address in in_text("", value)):
            return any(address.is_live for address in in_text("", value))
        return not _LOCAL.search(value) and not is_placeholder(value.partition("://")[2])
    if _DEMO in value or (entry.key.upper().endswith(("URL", "URI")) and not _BACKEND.search(value)):
        return False
    if entry.key.upper().endswith(("HOST", "ID")):
        return "." in value and not _LOCAL.search(value) and not is_placeholder(value)
    return len(value) >= 8 and not is_placeholder(value)


def _finding(file: EnvFile, real: list[EnvEntry]) -> Finding:
    names = some([entry.key for entry in real])
    folder, _, name = file.path.rpartition("/")
    example = f"{folder}/.env.example" if folder else ".env.example"
    return Finding(
        file.path,
        real[0].line,
        f"git tracks {file.path}, which sets {names}. Everyone who clones the project gets these values, "
        "and the next secret filled in here is published with the next commit.",
        steps=(
            f"git rm --cached {file.path}",
            f"Add {name} to .gitignore.",
            f"Keep the names, without values, in {example}.",
            "Change every secret that the file has ever held.",
        ),
        snippet="\n".join(f"{entry.key}=" for entry in file.entries),
        severity=Severity.LOW if all(_PUBLIC.match(entry.key) for entry in real) else None,
        evidence=f"{real[0].key}=***",
        masked=True,
    )
