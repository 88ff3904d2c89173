"""The answer to a failed sign-in tells whether the account exists.

One text for an unknown address and another for a wrong password lets anybody ask, address by address, who has
an account here. The list is what password lists are tried on.

## Instead
```python bad path=app/auth.py case=two
from fastapi import HTTPException

def login(data, session):
    user = find_user(session, data.email)
    if not user:
        raise HTTPException(status_code=404, detail="User not found")  # <- finding
    if not verify_password(data.password, user.hashed_password):
        raise HTTPException(status_code=401, detail="Wrong password")
    return token_for(user)
```
```python good path=app/auth.py case=two
from fastapi import HTTPException

def login(data, session):
    user = find_user(session, data.email)
    if not user or not verify_password(data.password, user.hashed_password):
        raise HTTPException(status_code=401, detail="Wrong address or password")
    return token_for(user)
```
## When it does not matter
Who is signed in already is known, and equal texts tell nothing:
```python good path=app/auth.py case=known
from fastapi import HTTPException

def change_password(data, session, current_user):
    user = session.get(User, current_user.id)
    if not user:
        raise HTTPException(status_code=404, detail="User not found")
    if not verify_password(data.old, user.hashed_password):
        raise HTTPException(status_code=400, detail="Wrong password")

def login(data, session):
    user = find_user(session, data.email)
    if user is None:
        raise HTTPException(status_code=401, detail="Wrong address or password")
    if not verify_password(data.password, user.hashed_password):
        raise HTTPException(status_code=401, detail="Wrong address or password")
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import Function, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

SIGN_IN = re.compile(r"log_?in|sign_?in|authenticate|access_token|^token$", re.IGNORECASE)
COMPARES = re.compile(
    r"verify\w*pass|pass\w*verify|check\w*pass|checkpw|\.verify\(|compare_digest", re.IGNORECASE
)


@rule("NDB510", Category.AUTH, Severity.LOW)
def check(files: PythonFiles) -> Iterator[Finding]:
    """Find sign-ins that answer an unknown address and a wrong password differently."""
    for file in files.containing("password"):
        if is_test(file.path):
            continue
        for function in file.functions:
            if not SIGN_IN.search(function.name):
                continue
            unknown, wrong = _answers(function)
            if unknown and wrong and unknown[1] != wrong[1]:
                yield Finding(
                    file.path,
                    unknown[0],
                    f"{function.name}() answers “{unknown[1]}” for an unknown address and “{wrong[1]}” for a "
                    "wrong password: anybody can find out who has an account.",
                    steps=("Answer both with one text and one status.",),
                    snippet='raise HTTPException(status_code=401, detail="Wrong address or password")',
                )


def _answers(function: Function) -> tuple[tuple[int, str] | None, tuple[int, str] | None]:
    """Give line and text for a user who is not there, and for a password that is wrong."""
    unknown = wrong = None
    for node in ast.walk(function.node):
        if not isinstance(node, ast.If):
            continue
        told = next((t for s in node.body if (t := _text(s))), None)
        if told is None:
            continue
        if COMPARES.search(ast.unparse(node.test)):
            wrong = wrong or told
        elif _is_absent(node.test):
            unknown = unknown or told
    return unknown, wrong


def _is_absent(test: ast.expr) -> bool:
    """Tell whether a condition says that there is no user: `not user`, `user is None`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Name) and "user" in test.operand.id.lower()
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.Is)
        and isinstance(test.left, ast.Name)
        and "user" in test.left.id.lower()
    )


def _text(statement: ast.stmt) -> tuple[int, str] | None:
    """Give the text that `raise HTTPException(…, detail="…")` sends."""
    if not isinstance(statement, ast.Raise) or not isinstance(statement.exc, ast.Call):
        return None
    given = [k.value for k in statement.exc.keywords if k.arg in ("detail", "message")]
    given += statement.exc.args[1:2]
    text = next((g.value for g in given if isinstance(g, ast.Constant) and isinstance(g.value, str)), None)
    return (statement.lineno, text) if text else None
