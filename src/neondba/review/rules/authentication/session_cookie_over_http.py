"""The cookie of a session is sent over plain HTTP.

With `secure` off the browser sends it with every request to the host, unencrypted ones included. Whoever is
on the same network reads it from the first link to `http://…` and is that user from then on. Browsers treat
localhost as secure, so that development needs no exception.

## Instead
```python bad path=app/auth.py case=cookie
def remember(response, token):
    response.set_cookie(
        key="refresh_token",
        value=token,
        httponly=True,
        secure=False,  # <- finding
    )
```
```python good path=app/auth.py case=cookie
def remember(response, token):
    response.set_cookie(key="refresh_token", value=token, httponly=True, secure=True)
```
```typescript bad path=src/login.ts case=script
export function remember(res, token: string) {
  res.cookie("session", token, { httpOnly: true, secure: false }); // <- finding
}
```
## When it does not matter
A setting decides, or the cookie opens nothing:
```python good path=app/auth.py case=setting
def remember(response, token, settings):
    response.set_cookie(key="session", value=token, secure=settings.production)
    response.set_cookie(key="theme", value="dark", secure=False)
```
```typescript good path=src/login.ts case=setting
export function remember(res, token: string) {
  res.cookie("session", token, { httpOnly: true, secure: process.env.NODE_ENV === "production" });
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFiles
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Constant, Object
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

SESSION = re.compile(r"token|session|auth|jwt|refresh|sid\b", re.IGNORECASE)


@rule("NDB511", Category.AUTH, Severity.MEDIUM)
def check(files: PythonFiles, scripts: TypeScriptFiles) -> Iterator[Finding]:
    """Find cookies of sessions whose `secure` is plainly off."""
    for file in files.containing("set_cookie"):
        if is_test(file.path):
            continue
        for call in file.calls:
            name = call.node.func.attr if isinstance(call.node.func, ast.Attribute) else ""
            off = next(
                (k.value for k in call.node.keywords if k.arg == "secure" and _is_false(k.value)), None
            )
            if name == "set_cookie" and off is not None:
                said = " ".join(
                    ast.unparse(p) for p in [*call.node.args, *(k.value for k in call.node.keywords)]
                )
                if SESSION.search(said):
                    yield _finding(file.path, off.lineno, "secure=True")
    for script in scripts.containing("secure: false"):
        for made in script.calls_of("cookie", "set", "setCookie", "serialize"):
            options = next((a for a in made.arguments if isinstance(a, Object)), None)
            off_ = options.get("secure") if options is not None else None
            name = (
                getattr(made.arguments[0], "value", getattr(made.arguments[0], "name", ""))
                if made.arguments
                else ""
            )
            if isinstance(off_, Constant) and off_.text == "false" and SESSION.search(str(name)):
                yield _finding(script.path, off_.line, "secure: true")


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _finding(path: str, line: int, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        "The cookie that signs a user in is sent over plain HTTP too: whoever is on the same network can "
        "take it.",
        steps=("Set secure, in production at least.",),
        snippet=snippet,
    )
