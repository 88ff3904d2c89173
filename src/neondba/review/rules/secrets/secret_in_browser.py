"""A secret is put into what the browser loads.

`env` in `next.config` writes a variable's value into the bundle wherever code names it; so do the
prefixes `NEXT_PUBLIC_`, `VITE_`, `REACT_APP_` and `EXPO_PUBLIC_`. One use in a client component, or in a
module that it imports, and every visitor has the secret.

## Instead
```javascript bad path=next.config.js case=config
module.exports = {
  env: {
    NEXT_PUBLIC_API_URL: process.env.NEXT_PUBLIC_API_URL,
    BETTER_AUTH_SECRET: process.env.BETTER_AUTH_SECRET,  // <- finding
  },
};
```
```javascript good path=next.config.js case=config
module.exports = {
  env: {
    NEXT_PUBLIC_API_URL: process.env.NEXT_PUBLIC_API_URL,
  },
};
```
```typescript bad path=src/lib/db.ts case=prefix
export const url = process.env.NEXT_PUBLIC_DATABASE_URL;  // <- finding
```
```typescript good path=src/lib/db.ts case=prefix
export const url = process.env.DATABASE_URL;
```
## When it does not matter
Keys that are made to be seen:
```typescript good path=src/lib/supabase.ts case=public
export const key = process.env.NEXT_PUBLIC_SUPABASE_ANON_KEY;
export const stripe = process.env.NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY;
export const clerk = import.meta.env.VITE_CLERK_PUBLISHABLE_KEY;
export const maps = process.env.NEXT_PUBLIC_GOOGLE_MAPS_API_KEY;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.environment import Environment
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_SECRET = re.compile(
    r"(?:^|_)(?:DATABASE_URL|DB_URL|POSTGRES_URL|DATABASE_PASSWORD|DB_PASSWORD|SERVICE_ROLE(?:_KEY)?|AUTH_SECRET|JWT_SECRET|"
    r"SECRET_KEY|CLIENT_SECRET|SESSION_SECRET|WEBHOOK_SECRET|PRIVATE_KEY|OPENAI_API_KEY|ANTHROPIC_API_KEY|NEON_API_KEY|"
    r"ENCRYPTION_KEY)$"
)
_PREFIX = re.compile(r"^(?:NEXT_PUBLIC|VITE|REACT_APP|EXPO_PUBLIC|NUXT_PUBLIC|GATSBY)_(?P<name>\w+)$")
_CONFIG = re.compile(r"\benv\s*:\s*\{(?P<body>[^{}]*)\}")
_ENTRY = re.compile(r"^\s*[\"']?(?P<name>[A-Z][A-Z0-9_]+)[\"']?\s*:\s*process\.env", re.MULTILINE)


@rule("NDB106", Category.SECRET, Severity.HIGH)
def check(environment: Environment, tree: Tree) -> Iterator[Finding]:
    """Report each such variable once."""
    for path in tree.named("next.config.js", "next.config.mjs", "next.config.ts"):
        text = tree.text(path) or ""
        for block in _CONFIG.finditer(text):
            for entry in _ENTRY.finditer(block["body"]):
                if _SECRET.search(entry["name"]) and not _PREFIX.match(entry["name"]):
                    at = block.start("body") + entry.start("name")
                    yield _finding(path, text.count("\n", 0, at) + 1, entry["name"])
    told = set()
    for read in environment.reads:
        match = _PREFIX.match(read.name)
        if match and _SECRET.search(match["name"]) and read.name not in told and not is_test(read.path):
            told.add(read.name)
            yield _finding(read.path, read.line, read.name)


def _finding(path: str, line: int, name: str) -> Finding:
    match = _PREFIX.match(name)
    plain = match["name"] if match else name
    how = "its prefix puts its value" if match else f"{path} puts its value"
    step = (
        f"Rename it to {plain}, and read it on the server only."
        if match
        else f"Take {name} out of env in {path}."
    )
    return Finding(
        path,
        line,
        f"{name} reaches the browser: {how} into the JavaScript that every visitor loads, "
        "wherever code names it.",
        steps=(step, f"Change {plain} where a build with it was deployed."),
        snippet=f"process.env.{plain}  // on the server",
    )
