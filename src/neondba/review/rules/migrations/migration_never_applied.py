"""Drizzle's journal does not name the file, so nothing ever applies it.

`drizzle-kit migrate` reads `meta/_journal.json` and runs what stands there, in that order. A file that was
written by hand beside it is passed over in silence, and the code that counts on it fails in production; an
entry without its file stops everything.

## Instead

```sql bad path=drizzle/0001_email.sql case=hand
alter table users add column email text;  -- <- finding
```

```sql bad path=drizzle/0000_init.sql case=hand
create table users (id bigint primary key);
```

```json bad path=drizzle/meta/_journal.json case=hand
{"dialect": "postgresql", "entries": [{"idx": 0, "tag": "0000_init"}]}
```

```sh
npx drizzle-kit generate --custom --name email
```

```sql bad path=db/0000_init.sql case=lost
create table users (id bigint primary key);
```

```json bad path=db/meta/_journal.json case=lost
{"dialect": "postgresql", "entries": [
  {"idx": 0, "tag": "0000_init"},
  {"idx": 1, "tag": "0001_gone"}  <- finding
]}
```

## When it does not matter

The journal names every file:

```sql good path=drizzle/0000_init.sql case=good
create table users (id bigint primary key);
```

```json good path=drizzle/meta/_journal.json case=good
{"dialect": "postgresql", "entries": [{"idx": 0, "tag": "0000_init"}]}
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import MANY


@rule("NDB630", Category.MIGRATION, Severity.HIGH)
def check(tree: Tree) -> Iterator[Finding]:
    """Find migrations that Drizzle's journal does not name, and names without a file."""
    for path in tree.named("_journal.json"):
        tags, folder = _tags(tree.text(path) or ""), path.removesuffix("/meta/_journal.json")
        if not tags or folder == path or folder.endswith("supabase/migrations"):
            continue
        files = [p for p in tree.named(suffix=".sql") if p.rpartition("/")[0] == folder]
        stray = [p for p in files if p.rpartition("/")[2].removesuffix(".sql") not in tags]
        names = {p.rpartition("/")[2].removesuffix(".sql") for p in files}
        if stray and len(stray) < len(files):
            first, *others = sorted(stray)
            found = _stray(first)
            more = f" So it goes for {len(others)} further files of {folder}."
            yield from (
                [replace(found, message=found.message + more)]
                if len(others) >= MANY
                else (_stray(p) for p in (first, *others))
            )
        for tag in tags:
            if tag not in names and files:
                yield _lost(path, tree.text(path) or "", tag, folder)


def _tags(text: str) -> list[str]:
    try:
        entries = json.loads(text).get("entries", [])
        return [str(entry["tag"]) for entry in entries]
    except (ValueError, AttributeError, KeyError, TypeError):
        return []


def _stray(path: str) -> Finding:
    name = path.rpartition("/")[2]
    return Finding(
        path,
        1,
        f"drizzle-kit never applies {name}: the journal does not name it, and code that counts on it fails.",
        ("Make an empty migration with drizzle-kit and move the statements into it.", f"Remove {name}."),
        f"npx drizzle-kit generate --custom --name {name.removesuffix('.sql').partition('_')[2] or 'change'}",
    )


def _lost(path: str, text: str, tag: str, folder: str) -> Finding:
    line = text.count("\n", 0, max(text.find(f'"{tag}"'), 0)) + 1
    return Finding(
        path,
        line,
        f"drizzle-kit migrate stops: the journal names {tag}, and {folder}/{tag}.sql is not there.",
        (f"Bring {tag}.sql back from git.", "If no database has it, remove the entry."),
        f"git log --all --oneline -- {folder}/{tag}.sql",
    )
