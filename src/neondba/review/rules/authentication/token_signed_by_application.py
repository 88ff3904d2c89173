"""The application signs tokens itself, past the provider that signs users in.

Whoever holds the signing secret can be any user, and a token made here knows nothing of a session that
was ended or a user who was banned there. With Better Auth only Better Auth signs; the application
verifies with public keys.

## Instead

```python bad path=app/tokens.py case=own
import jwt
from app.config import settings

def token_for(user_id: str) -> str:
    return jwt.encode({"sub": user_id}, settings.BETTER_AUTH_SECRET, algorithm="HS256")  # <- finding
```

```python bad path=app/tokens.py case=beside
import jwt

def token_for(user_id: str, key: str) -> str:
    return jwt.encode({"sub": user_id}, key, algorithm="HS256")  # <- finding
```
```typescript bad path=web/lib/auth.ts case=beside
import { betterAuth } from "better-auth";

export const auth = betterAuth({});
```

```python good path=app/tokens.py
import jwt

def user_id(token: str, keys: jwt.PyJWKClient) -> str:
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(token, key.key, algorithms=["EdDSA"])["sub"]
```

## When it does not matter

Tests make their own tokens, and short-lived tokens for other services are none of a user's. A project that
keeps passwords itself has that one fault (NDB501), of which its tokens are a part; and a package that nothing
imports is no provider:

```python good path=tests/conftest.py
import jwt

def token(secret: str) -> str:
    return jwt.encode({"sub": "ada"}, secret + "BETTER_AUTH_SECRET", algorithm="HS256")
```
```python good path=app/video.py
import jwt

def room_token(room: str, video_key: str) -> str:
    return jwt.encode({"room": room}, video_key, algorithm="HS256")
```
```python good path=app/models.py case=own-accounts
from sqlmodel import Field, SQLModel

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password_hash: str
```
```python good path=app/security.py case=own-accounts
import bcrypt
import jwt
from app.config import settings

def token_for(user_id: str) -> str:
    return jwt.encode({"sub": user_id}, settings.BETTER_AUTH_SECRET, algorithm="HS256")

def hashed(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())
```
```json good path=web/package.json case=unused
{"dependencies": {"better-auth": "1.4.7"}}
```
```python good path=app/tokens.py case=unused
import jwt

def token_for(user_id: str, key: str) -> str:
    return jwt.encode({"sub": user_id}, key, algorithm="HS256")
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Call, PythonFile, PythonFiles
from neondba.project.routes import is_test
from neondba.project.schema import Schema
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.authentication.own_password_storage import keeps_passwords

PROVIDER = re.compile(r"better.?auth|neon.?auth|stack.?auth|clerk|auth0|supabase.?auth", re.IGNORECASE)
PACKAGES = ("better-auth", "@neondatabase/neon-js", "@neondatabase/auth")
IMPORTED = re.compile(r"[\"'](?:better-auth|@neondatabase/(?:neon-js|auth))(?:/[^\"']*)?[\"']")
SCRIPTS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".mts", ".cjs")
PERSON = ("sub", "user_id", "userId", "email", "uid")


@rule("NDB503", Category.AUTH, Severity.HIGH)
def check(tree: Tree, files: PythonFiles, schema: Schema) -> Iterator[Finding]:
    """Look for tokens of users that are signed in a project with a provider."""
    found = list(_signed(tree, files))
    if found and not keeps_passwords(tree, schema):
        yield from found


def _signed(tree: Tree, files: PythonFiles) -> Iterator[Finding]:
    uses_provider: bool | None = None
    for file in files.containing("jwt", "jose"):
        if is_test(file.path) or "script" in file.path.lower() or "generate" in file.path.lower():
            continue
        for call in file.calls:
            if not (file.resolve(call.node.func) or "").endswith(("jwt.encode", "JWT.encode")):
                continue
            secret = call.node.args[1] if len(call.node.args) > 1 else None
            with_provider_secret = secret is not None and _is_provider_secret(file, secret)
            if not with_provider_secret:
                uses_provider = _uses_provider(tree) if uses_provider is None else uses_provider
                if not uses_provider or not _names_person(call):
                    continue
            yield _finding(file, call.node, with_provider_secret)


def _is_provider_secret(file: PythonFile, secret: ast.expr) -> bool:
    if PROVIDER.search(ast.unparse(secret)):
        return True
    value = file.own_names.get(secret.id) if isinstance(secret, ast.Name) else None
    return isinstance(value, ast.expr) and bool(PROVIDER.search(ast.unparse(value)))


def _uses_provider(tree: Tree) -> bool:
    """Tell whether the program imports Better Auth or its like; a package alone signs nobody in."""
    return any(
        IMPORTED.search(tree.text(path) or "") and not is_test(path)
        for path in tree.having(SCRIPTS, PACKAGES)
    )


def _names_person(call: Call) -> bool:
    """Tell whether a token speaks for a user."""
    if call.function is None:
        return any(isinstance(n, ast.Constant) and n.value in PERSON for n in ast.walk(call.node))
    if "access_token" in call.function.name:
        return True
    return any(isinstance(n, ast.Constant) and n.value in PERSON for n in call.function.nodes)


def _finding(file: PythonFile, node: ast.Call, with_provider_secret: bool) -> Finding:
    secret = "with the provider's own secret" if with_provider_secret else "beside the provider"
    return Finding(
        file.path,
        node.lineno,
        f"{file.path} signs tokens of users {secret}: whoever reads that secret here can be any user, and "
        "ending a session at the provider does not end these.",
        steps=(
            "Let the provider issue the token, and hand it through.",
            "Verify it with the provider's public keys (JWKS); the application then needs no secret.",
        ),
        masked=True,
    )
