"""A refresh token is accepted where an access token is asked for.

Both are signed with one key, and the check of a request never looks which of the two it got. The refresh
token, made to live for days or weeks and to be used in one place only, opens every route: a stolen one works
until it expires, and the short life of access tokens protects nobody.

## Instead
```python bad path=app/tokens.py case=one
import jwt

def create_refresh_token(user_id, key):
    return jwt.encode({"sub": user_id, "type": "refresh"}, key, algorithm="HS256")

def get_current_user(token, key):  # <- finding
    claims = jwt.decode(token, key, algorithms=["HS256"])
    return claims["sub"]
```
```python good path=app/tokens.py case=one
import jwt

def create_refresh_token(user_id, key):
    return jwt.encode({"sub": user_id, "type": "refresh"}, key, algorithm="HS256")

def get_current_user(token, key):
    claims = jwt.decode(token, key, algorithms=["HS256"])
    if claims.get("type") != "access":
        raise PermissionError
    return claims["sub"]
```
## When it does not matter
The two have keys of their own, the helper that decodes asks for the kind, or refresh tokens are no JWTs:
```python good path=app/tokens.py case=keys
import jwt

def create_refresh_token(user_id, settings):
    return jwt.encode({"sub": user_id, "type": "refresh"}, settings.REFRESH_KEY, algorithm="HS256")

def get_current_user(token, settings):
    return jwt.decode(token, settings.ACCESS_KEY, algorithms=["HS256"])["sub"]
```
```python good path=app/tokens.py case=helper
import jwt

def create_refresh_token(user_id, key):
    return jwt.encode({"sub": user_id, "type": "refresh"}, key, algorithm="HS256")

def decode(token, key, kind):
    claims = jwt.decode(token, key, algorithms=["HS256"])
    if claims["type"] != kind:
        raise PermissionError
    return claims

def get_current_user(token, key):
    return decode(token, key, "access")["sub"]
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

GUARD = re.compile(
    r"current_?(?:active_?)?(?:user|account|member)|^get_current|^require_(?:user|auth)|^authenticate$"
)
KIND = re.compile(
    r"""['"](?:type|typ|token_type|token_use|scope|scopes|purpose|kind|access|refresh)['"]|TokenType|\.(?:type|token_type)\b"""
)


@rule("NDB508", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles) -> Iterator[Finding]:
    """Find guards that take any token in programs that sign refresh tokens with the same key."""
    if not any(_signs_refresh(file) for file in files.containing("refresh")):
        return
    for file in files.containing("current", "require_", "authenticate"):
        if is_test(file.path):
            continue
        for function in file.functions:
            if (
                GUARD.search(function.name)
                and (text := _chain(files, file, function))
                and not KIND.search(text)
            ):
                yield Finding(
                    file.path,
                    function.line,
                    f"{function.name}() accepts a refresh token as well: it never looks at the token's type, "
                    "so a stolen refresh token opens every route until it expires.",
                    steps=(
                        "Put a type into access tokens too, and refuse every other type here.",
                        "Or sign the two with different keys.",
                    ),
                    snippet='if claims.get("type") != "access":\n    raise HTTPException(status_code=401)',
                )


def _signs_refresh(file: PythonFile) -> bool:
    """Tell whether a file signs refresh tokens with a key that is not theirs alone."""
    for function in file.functions:
        for call in function.calls:
            if not (file.resolve(call.func) or "").endswith(("jwt.encode", "JWT.encode")):
                continue
            key = ast.unparse(call.args[1]) if len(call.args) > 1 else ""
            marked = re.search(r"""['"]refresh['"]""", ast.unparse(function.node))
            if (
                marked
                and "refresh" in f"{function.name}{ast.unparse(function.node)}"
                and "refresh" not in key.lower()
            ):
                return True
    return False


def _chain(files: PythonFiles, file: PythonFile, function: Function) -> str:
    """Give the text of a guard and the helpers it calls, if a token is decoded there."""
    texts, decodes = [ast.unparse(function.node)], False
    for call in function.calls:
        name = file.resolve(call.func) or ""
        if name.endswith(("jwt.decode", "JWT.decode")):
            decodes = True
        found = files.definition(name)
        if found and isinstance(found[1], Function):
            inner = found[1]
            texts.append(ast.unparse(inner.node))
            decodes |= any(
                (found[0].resolve(c.func) or "").endswith(("jwt.decode", "JWT.decode")) for c in inner.calls
            )
    return "\n".join(texts) if decodes else ""
