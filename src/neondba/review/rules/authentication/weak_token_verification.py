"""A token is accepted without all of its checks.

A token that is only decoded proves nothing: anybody can write one. Without its expiry a stolen one works
for ever, without its audience one that was issued for another program works here.

## Instead

```python bad path=app/auth.py
import jwt

def user_id(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})  # <- finding
    return claims["sub"]
```

```python good path=app/auth.py
import jwt

def user_id(token: str, keys: jwt.PyJWKClient, audience: str) -> str:
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key.key, algorithms=["EdDSA"], audience=audience)
    return claims["sub"]
```

The algorithm must not come from the token, and one claim must not stand in for another:

```python bad path=app/auth.py
import jwt

def user_id(token: str, key: str) -> str:
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token,
        key,
        algorithms=[header["alg"]],  # <- finding
    )
    return claims["sub"]

def somebody(token: str, key: str) -> str:
    claims = jwt.decode(token, key, algorithms=["HS256"])
    return claims.get("sub") or claims.get("email")  # <- finding
```

A second try without the signature takes back what the first one checked:

```python bad path=app/auth.py
import jwt

def claims_of(token: str, key: str) -> dict | None:
    try:
        return jwt.decode(token, key, algorithms=["EdDSA"])
    except jwt.InvalidSignatureError:
        payload = jwt.decode(token, options={"verify_signature": False})  # <- finding
        return payload
```

## When it does not matter

Looking into a token before it is verified, to choose the key or to log, and tests:

```python good path=app/auth.py
import jwt

def user_id(token: str, keys: dict) -> str:
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    claims = jwt.decode(token, keys[issuer], algorithms=["EdDSA"], issuer=issuer)
    return claims["sub"]
```
```python good path=tests/test_auth.py
import jwt

def test_subject(token):
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == "ada"
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Call, Function, PythonFile, PythonFiles
from neondba.project.python_names import called, mentions
from neondba.project.routes import is_test
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

EFFECTS = {
    "verify_signature": (Severity.CRITICAL, "anybody can write a token that is accepted"),
    "verify_exp": (Severity.HIGH, "a stolen token works for ever"),
    "verify_aud": (Severity.LOW, "a token that was issued for another program is accepted"),
    "verify_iss": (Severity.LOW, "a token of another issuer with the same key is accepted"),
}
NAMES = frozenset({"email", "name", "username", "preferred_username"})


@rule("NDB502", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles) -> Iterator[Finding]:
    """Look at every decoding of a token."""
    for file in files.containing("jwt", "jose"):
        if is_test(file.path):
            continue
        decodings = [c for c in file.calls if _decodes(file, c.node)]
        told: set[int] = set()
        for call in decodings:
            if id(call.function) in told and _is_second_try(call):
                continue
            found = list(_weaknesses(files, file, call, decodings))
            if found and _is_second_try(call):
                told.add(id(call.function))
            yield from found
        if decodings:
            yield from _stand_ins(file)


def _decodes(file: PythonFile, node: ast.Call) -> bool:
    name = file.resolve(node.func) or ""
    return (
        name.endswith(("jwt.decode", "jwt.get_unverified_claims", "JWT.decode"))
        or name == "jwt.decode_complete"
    )


def _weaknesses(files: PythonFiles, file: PythonFile, call: Call, decodings: list[Call]) -> Iterator[Finding]:
    line, switched = _switched_off(call.node)
    others = [c for c in decodings if c.function is call.function and c.node is not call.node]
    verified_too = any("verify_signature" not in _switched_off(c.node)[1] for c in others)
    where = f"{call.function.name}()" if call.function else file.path
    trusted = _is_used(call) and (not verified_too or _is_second_try(call))
    if switched and (switched[0] != "verify_signature" or trusted):
        severity, effect = EFFECTS[switched[0]]
        if severity.rank < Severity.LOW.rank and not _is_called(files, call.function):
            severity, effect = Severity.LOW, f"nothing calls it yet; where something does, {effect}"
        yield Finding(
            file.path,
            line,
            f"{where} reads the token with {switched[0]} off: {effect}.",
            steps=_steps(switched[0]),
            snippet='jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER)',
            severity=severity,
        )
    algorithms = next((k.value for k in call.node.keywords if k.arg == "algorithms"), None)
    if algorithms is not None and _comes_from_token(call.function, algorithms):
        yield Finding(
            file.path,
            algorithms.lineno,
            f"{where} lets the token say by which algorithm it is verified: a token signed with the public "
            "key as its secret, or not at all, may pass.",
            steps=("Name the algorithms that the provider signs with.",),
            snippet='algorithms=["EdDSA"]',
        )


def _is_called(files: PythonFiles, function: Function | None) -> bool:
    """Tell whether anything names the function but its own head; a decorator calls it as well."""
    if function is None or function.decorators or function.owner is not None:
        return True
    named = re.compile(rf"(?<!\bdef )\b{re.escape(function.name)}\b")
    return any(named.search(f.text) for f in files.containing(function.name) if not is_test(f.path))


def _steps(option: str) -> tuple[str, ...]:
    if option == "verify_aud":
        return ("Pass the audience that the provider puts into the token.", "Pass the issuer as well.")
    return (f"Remove {option} from the options.", "Verify with the provider's public keys (JWKS).")


def _switched_off(node: ast.Call) -> tuple[int, list[str]]:
    """Give the line of the worst check that is off, and all that are off."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get_unverified_claims":
        return node.lineno, ["verify_signature"]
    found: dict[str, int] = {}
    for keyword in node.keywords:
        if (
            keyword.arg == "verify"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value is False
        ):
            found["verify_signature"] = keyword.value.lineno
        if keyword.arg == "options" and isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and value.value is False:
                    found[str(key.value)] = key.lineno
    ordered = [name for name in EFFECTS if name in found]
    return (found[ordered[0]], ordered) if ordered else (node.lineno, [])


def _is_used(call: Call) -> bool:
    """Tell whether the claims are taken for true: returned, or asked for a user."""
    function = call.function
    if function is None:
        return True
    if any(
        word in function.name.lower() for word in ("peek", "unverified", "debug", "log", "inspect", "expir")
    ):
        return False
    return any(
        (isinstance(node, ast.Constant) and node.value in ("sub", "id", "user_id", "email"))
        or (isinstance(node, ast.Return) and getattr(node.value, "id", "") in ("payload", "claims"))
        for node in function.nodes
    )


def _is_second_try(call: Call) -> bool:
    """Tell whether the claims are read without their signature and handed out in the same branch."""
    if call.function is None or "verify_signature" not in _switched_off(call.node)[1]:
        return False
    for node in ast.walk(call.function.node):
        for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(block, list) and _hands_out(block, call.node):
                return True
    return False


def _hands_out(block: list[ast.stmt], decoding: ast.Call) -> bool:
    """Tell whether a row of statements returns what a call in it gave."""
    name = None
    for statement in block:
        if isinstance(statement, ast.Assign) and statement.value is decoding:
            target = statement.targets[0]
            name = target.id if isinstance(target, ast.Name) else None
        elif isinstance(statement, ast.Return) and statement.value is not None:
            given = statement.value
            return given is decoding or (isinstance(given, ast.Name) and given.id == name)
    return False


def _comes_from_token(function: Function | None, algorithms: ast.expr) -> bool:
    text = ast.unparse(algorithms)
    names = {
        t.id
        for node in (function.assignments if function else [])
        if node.value is not None and "get_unverified_header" in ast.unparse(node.value)
        for t in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(t, ast.Name)
    }
    if function is not None and _held_against_list(function, names):
        return False
    return "get_unverified_header" in text or mentions(algorithms, names)


def _held_against_list(function: Function, names: set[str]) -> bool:
    """Tell whether the header is compared with anything before it is used."""
    for node in ast.walk(function.node):
        if isinstance(node, ast.Compare) and "alg" in ast.unparse(node):
            return True
    return not names


def _stand_ins(file: PythonFile) -> Iterator[Finding]:
    """Find the id of a user taken from a claim that the user can change."""
    for function in file.functions:
        for node in ast.walk(function.node):
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
                claims = [_claim(v) for v in node.values]
                if claims[0] in ("sub", "id", "user_id", "userId") and NAMES.intersection(
                    filter(None, claims[1:])
                ):
                    other = next(c for c in claims[1:] if c in NAMES)
                    yield Finding(
                        file.path,
                        node.lineno,
                        f"Where a token has no {claims[0]}, {function.name}() takes its {other} for the "
                        f"user's id: whoever can set that {other} at the provider becomes that user here.",
                        steps=(f"Refuse tokens without {claims[0]}.",),
                        severity=Severity.MEDIUM,
                    )


def _claim(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call) and called(node) == "get" and node.args:
        node = node.args[0]
    elif isinstance(node, ast.Subscript):
        node = node.slice
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
