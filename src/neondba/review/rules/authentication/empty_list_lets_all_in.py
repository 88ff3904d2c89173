"""Where nobody is listed as administrator, everybody is one.

The list comes from a variable, and its members are asked for only if it has any. A deployment without the
variable, a preview, a typing error in its name: every signed-in user has the rights of an administrator.

## Instead

```typescript bad path=src/app/api/admin/orders/route.ts case=list
import { getAuth } from "@clerk/nextjs/server";

export async function GET(request: Request) {
  const { userId, email } = await getAuth(request);
  if (!userId) return Response.json({}, { status: 401 });
  const admins = (process.env.ADMIN_EMAILS ?? "").split(",").filter(Boolean);
  if (admins.length > 0) {  // <- finding
    if (!admins.includes(email)) return Response.json({}, { status: 403 });
  }
  return Response.json({ orders: [] });
}
```

```typescript good path=src/app/api/admin/orders/route.ts case=list
import { getAuth } from "@clerk/nextjs/server";

export async function GET(request: Request) {
  const { userId, email } = await getAuth(request);
  if (!userId) return Response.json({}, { status: 401 });
  const admins = (process.env.ADMIN_EMAILS ?? "").split(",").filter(Boolean);
  if (!admins.includes(email)) return Response.json({}, { status: 403 });
  return Response.json({ orders: [] });
}
```

```python bad path=app/admin.py case=python
import os
from fastapi import HTTPException

ADMIN_EMAILS = [e for e in os.getenv("ADMIN_EMAILS", "").split(",") if e]


def require_admin(user):
    if ADMIN_EMAILS and user.email not in ADMIN_EMAILS:  # <- finding
        raise HTTPException(403)
    return user
```

## When it does not matter

An empty list lets nobody in, or it is a list of hosts:

```python good path=app/admin.py case=python
import os
from fastapi import HTTPException

ADMIN_EMAILS = [e for e in os.getenv("ADMIN_EMAILS", "").split(",") if e]
ALLOWED_ORIGINS = os.getenv("ALLOWED_ORIGINS", "").split(",")


def require_admin(user, origin):
    if not ADMIN_EMAILS or user.email not in ADMIN_EMAILS:
        raise HTTPException(403)
    if ALLOWED_ORIGINS and origin not in ALLOWED_ORIGINS:
        raise HTTPException(403)
    return user
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_FILES = (".ts", ".js", ".mjs", ".tsx", ".py")
_ENV = re.compile(
    r"env(?:iron)?(?:\.get\(|\.|\[)\s*[\"']?\w*(?:ADMIN|WHITELIST|ALLOWLIST|ALLOWED_(?:EMAIL|USER))|"
    r"getenv\(\s*[\"']\w*(?:ADMIN|WHITELIST|ALLOWLIST|ALLOWED_(?:EMAIL|USER))",
    re.IGNORECASE,
)
_NAME = (
    r"(?P<name>\w*(?:[aA]dmin|ADMIN|[wW]hite[lL]ist|WHITELIST|[aA]llow[lL]ist|ALLOWLIST|"
    r"ALLOWED_EMAIL|allowed_?[eE]mail)\w*)"
)
_BLOCK = re.compile(rf"^[^\n/#]*\bif\s*\(\s*{_NAME}\.(?:length|size)(?:\s*>\s*0)?\s*\)\s*\{{?", re.MULTILINE)
_JOINED = re.compile(
    rf"^[^\n/#]*\b{_NAME}\.(?:length|size)(?:\s*>\s*0)?\s*&&\s*!\s*(?P=name)\.(?:includes|has)\(",
    re.MULTILINE,
)
_PYTHON = re.compile(
    rf"^[^\n#]*\bif\s+(?:settings\.)?{_NAME}\s+and\s+[\w.()]+\s+not\s+in\s+(?:settings\.)?(?P=name)\b",
    re.MULTILINE,
)


@rule("NDB524", Category.AUTH, Severity.HIGH)
def check(tree: Tree, python: PythonFiles) -> Iterator[Finding]:
    """Report the first such check of each file."""
    for path in tree.having(_FILES, ("dmin", "ADMIN", "hitelist", "WHITELIST", "llowlist")):
        text = "" if is_test(path) else tree.text(path) or ""
        if not _ENV.search(text) and not path.endswith(".py"):
            continue
        found = _python(text) if path.endswith(".py") else _script(text)
        line = text.count("\n", 0, found.start("name")) + 1 if found is not None else 0
        if found is not None and (not path.endswith(".py") or _is_code(python, path, line)):
            yield _finding(path, line, found["name"])


def _is_code(python: PythonFiles, path: str, line: int) -> bool:
    """Tell whether a condition stands there, and no text that shows one."""
    file = python.get(path)
    tree = file.tree if file is not None else None
    return tree is not None and any(isinstance(n, ast.If) and n.lineno == line for n in ast.walk(tree))


def _python(text: str) -> re.Match[str] | None:
    found = _PYTHON.search(text)
    return (
        found
        if found and re.search(r"40[13]|Forbidden|denied|False", text[found.end() : found.end() + 200])
        else None
    )


def _script(text: str) -> re.Match[str] | None:
    """Find a check of membership that an empty list leaves out, and that refuses."""
    for found in (*_BLOCK.finditer(text), *_JOINED.finditer(text)):
        after = text[found.end() : found.end() + 900]
        member = re.search(rf"!\s*{found['name']}\.(?:includes|has|some)\(", found[0] + after)
        if member and re.search(r"40[13]|forbidden|redirect\(|notFound\(|throw\b", after, re.IGNORECASE):
            return found
    return None


def _finding(path: str, line: int, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"Where {name} is empty, as in every environment without the variable, each signed-in user is taken "
        "for an administrator.",
        (f"Refuse when {name} is empty.",),
        f"if (!{name}.includes(email)) return new Response(null, {{ status: 403 }});"
        if not path.endswith(".py")
        else f"if user.email not in {name}:\n    raise HTTPException(403)",
    )
