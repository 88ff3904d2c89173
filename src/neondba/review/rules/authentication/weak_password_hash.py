"""Passwords are hashed with a hash that is made to be fast.

MD5 and the SHA family are computed billions of times a second on one graphics card; without a salt of its own
per password, equal passwords are equal in the table as well. Whoever gets the table, a backup or a branch has
most passwords within hours.

## Instead
```python bad path=app/security.py case=python
import hashlib

def hash_password(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()  # <- finding

def verify_password(password: str, kept: str) -> bool:
    return hashlib.sha256(password.encode()).hexdigest() == kept
```
```python good path=app/security.py case=python
from pwdlib import PasswordHash

hasher = PasswordHash.recommended()

def hash_password(password: str) -> str:
    return hasher.hash(password)
```
```typescript bad path=src/password.ts case=script
import { createHash } from "node:crypto";

export const hashPassword = (password: string) =>
  createHash("sha256").update(password).digest("hex"); // <- finding
```
## When it does not matter
Session ids, e-tags and files may be hashed fast; a digest that shortens a long password before bcrypt is
harmless, and so is the prefix that a service for leaked passwords asks for:
```python good path=app/security.py case=other
import hashlib

import bcrypt

def etag(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()

def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

def hash_password(password: str) -> bytes:
    return bcrypt.hashpw(hashlib.sha256(password.encode()).hexdigest().encode(), bcrypt.gensalt())

def is_leaked(password: str) -> bool:
    return ask(hashlib.sha1(password.encode()).hexdigest()[:5])
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import names_in
from neondba.project.places import is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Function, Member, Text, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

FAST = re.compile(r"(?:^|\.)hashlib\.(?:md5|sha1|sha224|sha256|sha384|sha512|sha3_\w+)$")
FAST_NAMES = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})
PASSWORD = re.compile(r"passw(?:or)?d|passwd|\bpwd", re.IGNORECASE)
SLOW = re.compile(r"bcrypt|argon2|scrypt|pbkdf2|gensalt|pwned|hibp|leak|breach|prefix|totp", re.IGNORECASE)


@rule("NDB513", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles, scripts: TypeScriptFiles) -> Iterator[Finding]:
    """Find fast hashes of passwords."""
    for file in files.containing("hashlib"):
        found: list[tuple[int, str]] = []
        for function in (
            () if is_test(file.path) or SLOW.search(f"{file.text}{file.path}") else file.functions
        ):
            found += [(c.lineno, function.name) for c in function.calls if _is_fast(file, c)]
        yield from _once(file.path, found)
    for script in scripts.containing("createHash"):
        if SLOW.search(f"{scripts.text(script.path)}{script.path}"):
            continue
        yield from _once(
            script.path, [place for written in script.functions for place in _in_script(written)]
        )


def _once(path: str, found: list[tuple[int, str]]) -> Iterator[Finding]:
    """Tell a file's scheme once: who verifies a password has to hash it as it was."""
    if found:
        first, *others = sorted(found)
        yield _finding(path, *first, tuple((path, line) for line, _ in others))


def _is_fast(file: PythonFile, call: ast.Call) -> bool:
    given = ast.unparse(call.args[0]) if call.args else ""
    return bool(FAST.search(file.resolve(call.func) or "") and PASSWORD.search(given))


def _in_script(function: Function) -> Iterator[tuple[int, str]]:
    calls = [n for n in walk(function.body) if isinstance(n, Call)]
    for call in calls:
        if not isinstance(call.callee, Member) or call.callee.name != "update" or not call.arguments:
            continue
        made = call.callee.object
        first = made.arguments[0] if isinstance(made, Call) and made.arguments else None
        fast = isinstance(first, Text) and first.value.lower() in FAST_NAMES and "createHash" in call.name
        if fast and any(PASSWORD.search(name) for name in names_in(call.arguments[0])):
            yield call.line, function.name


def _finding(path: str, line: int, function: str, also: tuple[tuple[str, int], ...]) -> Finding:
    return Finding(
        path,
        line,
        f"{function or 'The function'}() hashes passwords with a fast hash: whoever reads the table, a "
        "backup or a branch finds most passwords within hours.",
        steps=(
            "Let the provider keep passwords, or use Argon2 or bcrypt, which are slow and salted.",
            "Hash anew at each user's next sign-in, and drop the old hashes.",
        ),
        snippet="PasswordHash.recommended().hash(password)",
        also=also,
    )
