"""A password is compared with a text that stands in the program.

Everyone who can read the repository can sign in, and with one password for all accounts nobody can change
it or be shut out. The comparison also shows that no hash is looked at.

## Instead

```python bad path=app/auth.py
def authenticate(email: str, password: str, session):
    user = session.exec(select(User).where(User.email == email)).first()
    if user and password == "letmein":  # <- finding
        return user
    return None
```

```python good path=app/auth.py
def authenticate(email: str, password: str, session):
    user = session.exec(select(User).where(User.email == email)).first()
    if user and verify(password, user.password_hash):
        return user
    return None
```

```typescript bad path=src/auth.ts case=script
export function isAdmin(password: string) {
  return password === "letmein"; // <- finding
}
```

```typescript good path=src/auth.ts case=script
export async function isAdmin(password: string, hash: string) {
  return await verify(password, hash);
}
```

## When it does not matter

A check that turns weak passwords away, names of fields, and tests:

```python good path=app/schemas.py
def strong(password: str) -> str:
    if password == "password" or password == "12345678":
        raise ValueError("too easy to guess")
    if password == "":
        raise ValueError("empty")
    return password
```

```typescript good path=src/field.tsx case=field
export const hidden = (type: string) => type === "password";
export const known = (password: unknown) => typeof password === "string";
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Binary, Member, Name, Text, Unary, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_NAMED = re.compile(r"(?:^|_)(?:password|passwd|passcode|pwd)$", re.IGNORECASE)
_NAMED_IN_CAMEL = re.compile(r"(?:^|[a-z])(?:password|Password|passcode|Passcode|pwd)$")
_SHORTEST = 3


@rule("NDB530", Category.AUTH, Severity.CRITICAL)
def check(python: PythonFiles, scripts: TypeScriptFiles) -> Iterator[Finding]:
    """Find passwords that are compared with a text of the program."""
    for file in python.containing("password", "passwd", "passcode", "pwd"):
        if not is_test(file.path):
            yield from (_finding(file.path, line) for line in _compared(file))
    for script in scripts.containing("password", "Password", "passcode", "pwd"):
        text = scripts.text(script.path)
        if not re.search(r"(?i)(?:password|passcode|pwd)\s*[!=]==?\s*[\"']", text):
            continue
        for node in (inner for top in script.body for inner in walk(top)):
            if isinstance(node, Binary) and node.operator in ("==", "==="):
                sides = (node.left, node.right)
                secret = next((s.value for s in sides if isinstance(s, Text)), "")
                name = next((_script_name(s) for s in sides if not isinstance(s, Text)), "")
                if len(secret) >= _SHORTEST and _NAMED_IN_CAMEL.search(name):
                    yield _finding(script.path, node.line)


def _script_name(node: object) -> str:
    if isinstance(node, Unary):
        return ""
    return node.name if isinstance(node, Name | Member) else ""


def _compared(file: PythonFile) -> Iterator[int]:
    for function in file.functions:
        turned_away = {id(n) for test in _refusals(function.node) for n in ast.walk(test)}
        for node in function.nodes:
            if not isinstance(node, ast.Compare) or id(node) in turned_away or len(node.ops) != 1:
                continue
            if isinstance(node.ops[0], ast.Eq | ast.NotEq) and _is_secret(node.left, node.comparators[0]):
                yield node.lineno


def _refusals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Give the conditions under which an equal password is turned away: it is too easy, not the right one."""
    for node in ast.walk(function):
        if isinstance(node, ast.If) and node.body and isinstance(node.body[-1], ast.Raise):
            for part in ast.walk(node.test):
                if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Eq):
                    yield part


def _is_secret(left: ast.expr, right: ast.expr) -> bool:
    for name, value in ((left, right), (right, left)):
        said = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and _NAMED.search(said):
            return len(value.value) >= _SHORTEST
    return False


def _finding(path: str, line: int) -> Finding:
    return Finding(
        path,
        line,
        f"{path} compares a password with a text in the program: everyone who can read the repository can "
        "sign in, as anybody it lets in.",
        steps=(
            "Compare with a hash that is kept for each account, or let the provider sign users in.",
            "Treat every account that this line let in as taken over.",
        ),
        masked=True,
    )
