"""Parameters are glued to an address that may have some already.

An address from Neon's console ends in `?sslmode=require`, often with `&channel_binding=require`. A second
`?` makes `require?sslmode=require` of the value, which no driver accepts; an `&` behind an address without
parameters becomes part of the database's name.

## Instead

```typescript bad path=src/db.ts case=second
import { Pool } from "pg";

const url = `${process.env.DATABASE_URL!}?sslmode=require`;  // <- finding
export const pool = new Pool({ connectionString: url });
```

```typescript good path=src/db.ts case=second
import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL });
```

```typescript bad path=src/auth.ts case=joined
import { Pool } from "pg";

const url = process.env.DATABASE_URL + "&connect_timeout=10";  // <- finding
export const pool = new Pool({ connectionString: url });
```

```python bad path=app/db.py case=python
import os
from sqlalchemy import create_engine

engine = create_engine(f"{os.environ['DATABASE_URL']}?sslmode=require")  # <- finding
```

```python good path=app/db.py case=python
import os
from sqlalchemy import create_engine, make_url

url = make_url(os.environ["DATABASE_URL"]).update_query_dict({"sslmode": "require"})
engine = create_engine(url)
```

## When it does not matter

The code looks first whether there are parameters:

```typescript good path=src/db.ts case=looks
const base = process.env.DATABASE_URL!;
const glue = base.includes("?") ? "&" : "?";
export const url = process.env.DATABASE_URL + `${glue}connect_timeout=10`;
```

```python good path=app/db.py case=looks
import os

DATABASE_URL = os.environ["DATABASE_URL"]
if "?" not in DATABASE_URL:
    DATABASE_URL = DATABASE_URL + "?sslmode=require"
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_FILES = (".ts", ".js", ".mjs", ".cjs", ".mts", ".py")
_NAME = r"(?P<name>(?:\w*_)?(?:DATABASE|POSTGRES|POSTGRESQL|DB|PG|NEON)\w*(?:URL|URI|DSN|STRING))\b"
_KNOWN = (
    r"(?:sslmode|ssl|channel_binding|connect_timeout|statement_timeout|pgbouncer|options|"
    r"connection_limit|pool_timeout|schema)="
)
_MARK = re.compile(rf"[?&]{_KNOWN}", re.IGNORECASE)
BEFORE = 160
"""How many characters before a parameter may name the variable."""
_GLUED = re.compile(
    rf"\{{[^{{}}\n]*?{_NAME}['\"\]\)!]*\}}(?P<mark>[?&]){_KNOWN}|"
    rf"(?<!['\"\w]){_NAME.replace('name', 'other')}['\"\]\)!]*\s*\+\s*[\"'`](?P<sign>[?&]){_KNOWN}",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"(?:includes|indexOf|split|contains|find)\(\s*[\"']\?|[\"']\?[\"']\s+(?:not\s+)?in\b|urlparse|new URL\("
)


@rule("NDB224", Category.CONNECTION, Severity.LOW)
def check(tree: Tree) -> Iterator[Finding]:
    """Report the first place of each file that adds parameters without looking."""
    for path in tree.having(_FILES, ("URL", "URI", "DSN", "url")):
        text = "" if is_test(path) else tree.text(path) or ""
        found = next((g for mark in _MARK.finditer(text) if (g := _glued(text, mark))), None)
        if found is None or _LOOKS.search(text):
            continue
        line = text.count("\n", 0, found.start()) + 1
        start = text.rfind("\n", 0, found.start()) + 1
        if text[start : found.start()].lstrip().startswith(("//", "#", "*")):
            continue
        yield _finding(path, line, found["name"] or found["other"], found["mark"] or found["sign"])


def _glued(text: str, mark: re.Match[str]) -> re.Match[str] | None:
    """Give what stands before a parameter, if it is a variable: only a little of the text is looked at."""
    start = text.rfind("\n", max(0, mark.start() - BEFORE), mark.start()) + 1
    return _GLUED.search(text, max(start, mark.start() - BEFORE), mark.end())


def _finding(path: str, line: int, name: str, mark: str) -> Finding:
    what = (
        f"Neon's addresses have parameters: with a second ? in {name} the last one's value is wrong, and "
        "the connection fails."
        if mark == "?"
        else f"If {name} has no parameters, the text behind & becomes part of the database's name, and the "
        "connection fails."
    )
    return Finding(
        path,
        line,
        what,
        ("Put the parameters into the variable, or set them on a parsed address.",),
        'url.searchParams.set("connect_timeout", "10");'
        if not path.endswith(".py")
        else 'make_url(url).update_query_dict({"sslmode": "require"})',
        masked=True,
        evidence=f"{name} + {mark}…",
    )
