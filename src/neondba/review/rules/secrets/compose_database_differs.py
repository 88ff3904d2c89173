"""Compose starts one database, and the program asks for another.

The image makes the database that `POSTGRES_DB` names, once, when its volume is empty. A program whose
address names another one starts and fails at its first query: `database "…" does not exist`.

## Instead
```yaml bad path=docker-compose.yml case=default
services:
  db:
    image: postgres:18
    environment:
      POSTGRES_DB: ${POSTGRES_DB:-shop}
  api:
    environment:
      DATABASE_URL: postgresql://shop:${POSTGRES_PASSWORD}@db:5432/${POSTGRES_DB:-orders}  # <- finding
```
```yaml good path=docker-compose.yml case=default
services:
  db:
    image: postgres:18
    environment:
      POSTGRES_DB: ${POSTGRES_DB:-shop}
  api:
    environment:
      DATABASE_URL: postgresql://shop:${POSTGRES_PASSWORD}@db:5432/${POSTGRES_DB:-shop}
```
## When it does not matter
A database that a script makes, another service's, and the one that is always there:
```yaml good path=compose.yaml case=scripts
services:
  db:
    image: postgres:18
    environment:
      POSTGRES_DB: shop
    volumes:
      - ./init:/docker-entrypoint-initdb.d
  api:
    environment:
      DATABASE_URL: postgresql://shop:shop@db:5432/reports
```
```yaml good path=deploy/compose.yaml case=other
services:
  db:
    image: postgres:18
    environment:
      - POSTGRES_DB=shop
  api:
    environment:
      - DATABASE_URL=postgresql://shop:shop@db:5432/shop
      - ADMIN_URL=postgresql://shop:shop@db:5432/postgres
      - REPORTS_URL=postgresql://shop:shop@reports:5432/reports
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_SERVICE = re.compile(r"^ {2}(?P<name>[\w-]+):[ \t]*(?:#.*)?$", re.MULTILINE)
_MADE = re.compile(r"^\s*-?\s*[\"']?POSTGRES_DB[\"']?\s*[:=]\s*[\"']?(?P<name>[^\s\"'#]+)", re.MULTILINE)
_ASKED = re.compile(r"postgres(?:ql)?(?:\+\w+)?://[^\s@\"']*@(?P<host>[\w-]+)(?::\d+)?/(?P<name>[^\s\"'?#]+)")
_DEFAULT = re.compile(r"\$\{(?P<variable>\w+):?-(?P<value>[\w-]+)\}")
_ALWAYS = ("postgres", "template1")


@rule("NDB122", Category.ENV, Severity.LOW)
def check(tree: Tree) -> Iterator[Finding]:
    """Report addresses whose database the named service does not make."""
    for path in tree.named(suffix=(".yml", ".yaml")):
        text = tree.text(path) or ""
        if "compose" not in path.rpartition("/")[2] or "POSTGRES_DB" not in text or "initdb.d" in text:
            continue
        made = dict(_made(text))
        for asked in _ASKED.finditer(text):
            name, given = _named(asked["name"]), made.get(asked["host"], "")
            if not name or not given or name == given or name in _ALWAYS:
                continue
            line = text.count("\n", 0, asked.start()) + 1
            yield _finding(path, line, asked["host"], given, name)
            break


def _made(text: str) -> Iterator[tuple[str, str]]:
    """Give the database that each service makes, by the service's name."""
    starts = list(_SERVICE.finditer(text))
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        found = _MADE.search(text, start.end(), end)
        if found:
            yield start["name"], _named(found["name"])


def _named(written: str) -> str:
    """Give a name as it is when no variable is set; empty where that cannot be told."""
    default = _DEFAULT.fullmatch(written)
    if default:
        return default["value"]
    return written if re.fullmatch(r"[\w-]+", written) else ""


def _finding(path: str, line: int, host: str, made: str, asked: str) -> Finding:
    return Finding(
        path,
        line,
        f"The service {host} makes the database {made}, and this address names {asked}: the program's "
        "first query fails.",
        steps=(f"Write {made} here, or {asked} in POSTGRES_DB.",),
        snippet=f"POSTGRES_DB: {asked}",
        evidence=f"…@{host}/{asked}",
        masked=True,
    )
