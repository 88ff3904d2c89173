"""Each reload in development makes another PrismaClient.

Next.js runs a changed module again and throws its old variables away, but not the connections that
they hold. After some saves the database refuses further clients. A variable on `globalThis` outlives
the reload.

## Instead
```json bad path=package.json case=next
{"dependencies": {"next": "16.0.0", "@prisma/client": "7.0.0"}}
```
```typescript bad path=src/lib/db.ts case=next
import { PrismaClient } from "@prisma/client";

export const db = new PrismaClient();  // <- finding
```
```typescript fixed path=src/lib/db.ts case=next
import { PrismaClient } from "@prisma/client";

const kept = globalThis as unknown as { db?: PrismaClient };
export const db = kept.db ?? new PrismaClient();
if (process.env.NODE_ENV !== "production") kept.db = db;
```
```json good path=package.json case=guarded
{"dependencies": {"next": "16.0.0", "@prisma/client": "7.0.0"}}
```
```typescript good path=src/lib/db.ts case=guarded
import { PrismaClient } from "@prisma/client";

const kept = globalThis as unknown as { db?: PrismaClient };
export const db = kept.db ?? new PrismaClient();
if (process.env.NODE_ENV !== "production") kept.db = db;
```
## When it does not matter
A server that starts once, seeds and scripts:
```json good path=package.json case=server
{"dependencies": {"express": "5.0.0", "@prisma/client": "7.0.0"}}
```
```javascript good path=index.js case=server
const prisma = new PrismaClient();
```
```json good path=package.json case=seed
{"dependencies": {"next": "16.0.0", "@prisma/client": "7.0.0"}}
```
```typescript good path=prisma/seed.ts case=seed
const prisma = new PrismaClient();
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Edit, Finding, Severity
from neondba.review.rule import rule

_MADE = re.compile(
    r"^(?:export\s+(?:default\s+)?)?(?:const|let|var)\s+(?P<name>\w+)[^=\n]*=\s*new PrismaClient\(",
    re.MULTILINE,
)
_ONE_LINE = re.compile(
    r"(?P<head>(?:export\s+)?const)\s+(?P<name>\w+)(?:\s*:\s*PrismaClient)?\s*=\s*"
    r"(?P<made>new PrismaClient\((?:[^()]|\([^()]*\))*\));?"
)
_TYPED = (".ts", ".tsx")
_SCRIPTS = (".ts", ".tsx", ".js", ".mjs")


@rule("NDB215", Category.POOLING, Severity.MEDIUM)
def check(tree: Tree) -> Iterator[Finding]:
    """Report clients at the top of a module of a Next.js program."""
    folders = [
        path.removesuffix("package.json") for path in tree.named("package.json") if _is_next(tree, path)
    ]
    if not folders:
        return
    for path in tree.named(suffix=_SCRIPTS):
        text = tree.text(path) or ""
        if (
            "new PrismaClient(" not in text
            or is_script(path)
            or is_test(path)
            or re.search(r"/?prisma/seed", path)
        ):
            continue
        match = _MADE.search(text)
        if (
            match
            and not re.search(r"\bglobal(?:This|ForPrisma)?\b|client/edge|withAccelerate", text)
            and path.startswith(tuple(folders))
        ):
            line = text.count("\n", 0, match.start()) + 1
            adapter = "adapter" in text[match.start() :]
            yield _finding(path, line, match["name"], adapter=adapter, edits=_edits(path, text, line))


def _is_next(tree: Tree, path: str) -> bool:
    try:
        manifest = json.loads(tree.text(path) or "")
    except ValueError:
        return False
    return isinstance(manifest, dict) and "next" in (manifest.get("dependencies") or {})


def _edits(path: str, text: str, line: int) -> tuple[Edit, ...]:
    """Keep a client that is made in one line; anything else is left to a person."""
    old = text.split("\n")[line - 1].removesuffix("\r")
    match = _ONE_LINE.fullmatch(old)
    if match is None or match["made"].count("(") != match["made"].count(")") or re.search(r"\bkept\b", text):
        return ()
    name, made = match["name"], match["made"]
    shared = (
        f"globalThis as unknown as {{ {name}?: PrismaClient }}" if path.endswith(_TYPED) else "globalThis"
    )
    new = (
        f"const kept = {shared};\n"
        f"{match['head']} {name} = kept.{name} ?? {made};\n"
        f'if (process.env.NODE_ENV !== "production") kept.{name} = {name};'
    )
    return (Edit(path, line, old, new),)


def _finding(path: str, line: int, name: str, *, adapter: bool, edits: tuple[Edit, ...]) -> Finding:
    made = "new PrismaClient({ adapter })" if adapter else "new PrismaClient()"
    return Finding(
        path,
        line,
        f"Every reload of {path} in development makes another PrismaClient with connections of its own, "
        "until the database refuses more.",
        steps=(f"Keep {name} on globalThis outside production.",),
        snippet=(
            f"const kept = globalThis as unknown as {{ {name}?: PrismaClient }};\n"
            f"export const {name} = kept.{name} ?? {made};\n"
            f'if (process.env.NODE_ENV !== "production") kept.{name} = {name};'
        ),
        edits=edits,
    )
