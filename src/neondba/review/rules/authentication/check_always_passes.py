"""A check of a signature or a token always says yes.

The function has the right name and its callers trust it, but every way through it ends in `True`. Whoever
finds the route can send what only the provider may send: payments, sign-ups, deletions.

## Instead

```python bad path=app/webhooks.py
def verify_signature(body: bytes, signature: str) -> bool:
    return True  # <- finding

async def receive(request):
    if not verify_signature(await request.body(), request.headers["x-signature"]):
        raise HTTPException(401)
```

```python good path=app/webhooks.py
import hashlib
import hmac

def verify_signature(body: bytes, signature: str) -> bool:
    wanted = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, signature)

async def receive(request):
    if not verify_signature(await request.body(), request.headers["x-signature"]):
        raise HTTPException(401)
```

```typescript bad path=src/webhooks.ts case=script
function verifySignature(body: string, signature: string) {
  return true; // <- finding
}
export async function POST(request: Request) {
  const signature = request.headers.get("x-signature");
  if (!verifySignature(await request.text(), signature)) return new Response("", { status: 401 });
}
```

```typescript good path=src/webhooks.ts case=script
function verifySignature(body: string, signature: string) {
  return timingSafeEqual(sign(body), Buffer.from(signature));
}
export async function POST(request: Request) {
  const signature = request.headers.get("x-signature");
  if (!verifySignature(await request.text(), signature)) return new Response("", { status: 401 });
}
```

## When it does not matter

A check that raises where it does not pass, and one that nobody asks:

```python good path=app/tokens.py
import jwt

def verify_token(token: str) -> bool:
    jwt.decode(token, KEY, algorithms=["EdDSA"])
    return True

def unused_verify_token(token: str) -> bool:
    return True

def caller(token):
    return verify_token(token)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.typescript import nodes as script
from neondba.project.typescript.files import TypeScriptFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_CHECKS = re.compile(
    r"^_?(?:verify|validate|check|is_?valid|has_?valid|authenticate|authorize)_?\w*"
    r"(?:signature|token|hmac|webhook|password|credentials?|api_?key|jwt|session|permission|access|owner)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"^(?:logger|logging|log|print|console|warnings)\b")


@rule("NDB531", Category.AUTH, Severity.CRITICAL)
def check(python: PythonFiles, scripts: TypeScriptFiles) -> Iterator[Finding]:
    """Find checks that others trust and that never say no."""
    for file in python.containing("return True"):
        if is_test(file.path) or is_script(file.path):
            continue
        for function in file.functions:
            line = _passes(function) if _CHECKS.search(function.name) else None
            if line is not None and _is_asked(python, file, function):
                yield _finding(file.path, line, function.name)
    for found in scripts.containing("return true", "=> true"):
        for name, node in found.definitions.items():
            if isinstance(node, script.Function) and _CHECKS.search(name):
                line = _script_passes(node)
                if line is not None and any(True for _ in scripts.containing(f"{name}(")):
                    yield _finding(found.path, line, name)


def _passes(function: Function) -> int | None:
    """Give the line of the only answer, where it is yes and nothing else can happen before it."""
    returns = function.returns
    yes = [r for r in returns if isinstance(r.value, ast.Constant) and r.value.value is True]
    if not yes or len(yes) != len(returns):
        return None
    risky = any(isinstance(n, ast.Raise | ast.Assert | ast.Yield) for n in function.nodes) or any(
        not _HARMLESS.match(ast.unparse(call.func)) for call in function.calls
    )
    return None if risky else yes[0].lineno


def _script_passes(function: script.Function) -> int | None:
    nodes = list(script.walk(function.body)) if function.body is not None else []
    returns = [n for n in nodes if isinstance(n, script.Return)]
    others = (script.Throw, script.Function)
    calls = [n for n in nodes if isinstance(n, script.Call) and not _HARMLESS.match(n.name)]
    if not returns or calls or any(isinstance(n, others) for n in nodes):
        return None
    yes = all(isinstance(r.value, script.Constant) and r.value.text == "true" for r in returns)
    return returns[0].line if yes else None


def _is_asked(python: PythonFiles, file: PythonFile, function: Function) -> bool:
    """Tell whether a program, not a test, uses the check."""
    for other in python.containing(function.name):
        if is_test(other.path):
            continue
        text = other.text
        uses = len(re.findall(rf"(?<!def )\b{re.escape(function.name)}\b", text))
        if uses > (0 if other is file else 1):
            return True
    return False


def _finding(path: str, line: int, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"{name}() says yes to everything, and its callers let in whoever asks.",
        steps=(f"Make {name}() compare with what the secret gives, in constant time.",
               "Until then, refuse: a check that is not written yet answers no."),
        snippet="return hmac.compare_digest(wanted, given)",
    )  # fmt: skip
