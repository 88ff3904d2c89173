"""A signing secret falls back to a constant when its variable is missing.

The service then starts without complaint and signs sessions with a text that stands in the
repository. Whoever has read it can make a valid token for any user. A missing secret must stop the
start, so that it is noticed by the one who deploys and not by the one who attacks.

## Instead
```python bad path=app/security.py case=python
import os

SECRET_KEY = os.getenv("JWT_SECRET", "dev-secret")  # <- finding
```
```python good path=app/security.py case=python
import os

SECRET_KEY = os.environ["JWT_SECRET"]
```
```typescript bad path=lib/auth.ts case=typescript
export const auth = betterAuth({
  secret: process.env.BETTER_AUTH_SECRET ?? "change-me",  // <- finding
});
```
```python bad path=app/settings.py case=settings
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    jwt_secret: str = "shop-development"  # <- finding

settings = Settings()
```
```python bad path=app/tokens.py case=settings
import jwt

from app.settings import settings

def token(user):
    return jwt.encode({"sub": user}, settings.jwt_secret, algorithm="HS256")
```
A secret that is nothing but a constant:
```python bad path=app/tokens.py case=constant
import jwt

SECRET_KEY = "shop-tokens"  # <- finding

def token(user):
    return jwt.encode({"sub": user}, SECRET_KEY, algorithm="HS256")
```
```yaml bad path=docker-compose.yml case=composed
services:
  app:
    build: .
    environment:
      - APP_ENV=prod
      - SECRET_KEY=changeme  # <- finding
```
```yaml good path=docker-compose.yml case=composed
services:
  app:
    build: .
    environment:
      - APP_ENV=prod
      - SECRET_KEY=${SECRET_KEY:?set it outside the repository}
```
## When it does not matter
A default that the start refuses, an empty one, one drawn anew at each start, a field that nothing reads,
the passwords of a local database, and tests:
```python good path=app/settings.py case=guarded
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    secret_key: str = "changethis"
    session_secret: str = ""
    postgres_password: str = "postgres"

    def refuse_defaults(self):
        if self.secret_key == "changethis":
            raise ValueError("Set SECRET_KEY.")
```
```python good path=app/settings.py case=unread
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    better_auth_secret: str = "change-me"
```
```typescript good path=lib/auth.ts case=thrown
if (!process.env.BETTER_AUTH_SECRET) throw new Error("BETTER_AUTH_SECRET is missing");
const secret = process.env.BETTER_AUTH_SECRET ?? "";
const key = process.env.NEXT_PUBLIC_SITE_KEY ?? "site";
```
```typescript good path=web/auth.ts case=comment
// secret: process.env.BETTER_AUTH_SECRET || "your-secret-key-change-in-production",
export const secret = process.env.BETTER_AUTH_SECRET;
```
```python good path=tests/conftest.py case=tests
import os

SECRET = os.getenv("JWT_SECRET", "test-secret")
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from neondba.project.environment import Environment, Read
from neondba.project.gitignore import Ignores
from neondba.project.placeholder import is_placeholder, is_random
from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import from_environment, is_read_by_people

_SIGNING = re.compile(
    r"(?:^|_)(?:(?<!CLIENT_)SECRET|SECRET_KEY|JWT_KEY|SIGNING_KEY|ENCRYPTION_KEY|PRIVATE_KEY)$"
)
_OTHER = re.compile(r"(?:^|_)(?:PASSWORD|API_KEY|ACCESS_KEY|TOKEN)$")
_ELSEWHERE = re.compile(
    r"(?:^|_)(?:MINIO|AWS|S3|R2|STRIPE|RECAPTCHA|TURNSTILE|GOOGLE|GITHUB|CLOUDINARY|PUSHER)_"
)
"""Names of keys of another service, which signs with them itself."""
_COMPOSED = re.compile(
    r"^\s*(?:-\s*)?[\"']?(?P<name>[A-Z][A-Z0-9_]+)[\"']?\s*[=:]\s*[\"']?(?![$\s\"'])[^\s#$]{3,}\s*(?:#.*)?$",
    re.MULTILINE,
)
_PRODUCTION = re.compile(r"^\s*(?:-\s*)?\w*(?:ENV|ENVIRONMENT)\s*[=:]\s*[\"']?prod", re.MULTILINE)
_NO_OWN = re.compile(r"^(?:WRONG|FAKE|TEST|EXPECTED|OTHER|INVALID|OLD)_|VECTOR")
_PUBLIC = re.compile(
    r"^(?:NEXT_PUBLIC|VITE|EXPO_PUBLIC|REACT_APP|PUBLIC)_|ALGORITHM|EXPIRE|NAME|LENGTH|FILE|PATH|(?:_ID|_URL|_ARN)$"
)


@rule("NDB103", Category.SECRET, Severity.HIGH)
def check(environment: Environment, python: PythonFiles, tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report constants that stand in for a missing secret."""
    told: dict[tuple[str, str], list[Read]] = {}
    here: set[tuple[str, str]] = set()
    for read in environment.reads:
        if (
            not read.default
            or (read.path, read.name) in here
            or _PUBLIC.search(read.name)
            or is_test(read.path)
            or is_script(read.path)
            or (read.from_class and not _is_used(read, python))
        ):
            continue
        if not _opens_something(read.name, read.default) or not is_read_by_people(tree, ignores, read.path):
            continue
        if not _is_refused(read, tree.text(read.path) or "") and not _is_refused_elsewhere(read, python):
            here.add((read.path, read.name))
            told.setdefault((read.name, read.default), []).append(read)
    for first, *others in told.values():
        what = "Where {name} is not set, the program starts all the same and uses a text"
        yield _finding(first, what, dict.fromkeys(o.path for o in others if o.path != first.path))
    for read in environment.reads:
        if read.default == "" and _SIGNING.search(read.name) and _signs_with(read, python):
            yield _finding(
                read, "Where {name} is not set, the program starts all the same and signs with an empty text"
            )
    yield from _composed(tree)
    for read in _constants(python):
        if (
            not is_test(read.path)
            and not is_script(read.path)
            and read.default
            and "vectors" not in read.path
        ):
            yield _finding(read, "{name} is a text")


def _composed(tree: Tree) -> Iterator[Finding]:
    """Find constants that services of a compose file sign with, and that say that they are production."""
    for path in tree.named(suffix=(".yml", ".yaml")):
        name = path.rpartition("/")[2].lower()
        text = (tree.text(path) or "") if "compose" in name and not is_test(path) else ""
        if not (_PRODUCTION.search(text) or "prod" in name):
            continue
        for found in _COMPOSED.finditer(text):
            if _SIGNING.search(found["name"]) and not _ELSEWHERE.search(found["name"]):
                yield Finding(
                    path,
                    text.count("\n", 0, found.start("name")) + 1,
                    f"The service signs with a text that stands in {path}: who reads it can write "
                    f"tokens for every user. {found['name']} is no secret any more.",
                    (
                        "Take it from the environment, without a default.",
                        "Make a new one for each deployment.",
                    ),
                    from_environment(path, found["name"]),
                    Severity.MEDIUM,
                    evidence=f"{found['name']}=…",
                    masked=True,
                )
                break


def _signs_with(read: Read, python: PythonFiles) -> bool:
    """Tell whether tokens are signed or verified with a variable that nothing makes sure of."""
    if is_test(read.path) or is_script(read.path) or _ELSEWHERE.search(read.name):
        return False
    files = [f for f in python.containing(read.name, read.name.lower()) if not is_test(f.path)]
    missing = re.compile(
        rf"\b(?:if|not|or|assert)\b[^\n]{{0,40}}\b{read.name}\b|\b{read.name}\b\s*(?:==|or\b)", re.IGNORECASE
    )
    used = re.compile(
        rf"jwt\.(?:en|de)code\([^)]*\b{read.name}\b|secret_key\s*=[^\n]*\b{read.name}\b", re.IGNORECASE
    )
    return any(used.search(f.text) for f in files) and not any(missing.search(f.text) for f in files)


def _constants(python: PythonFiles) -> Iterator[Read]:
    """Give signing secrets that a module sets to a text, and signs with."""
    for file in python.containing("jwt", "jose", "itsdangerous", "SessionMiddleware"):
        for name, value in file.own_names.items():
            text = value.value if isinstance(value, ast.Constant) else None
            if not isinstance(value, ast.Constant) or not isinstance(text, str):
                continue
            if _SIGNING.search(name) and not _NO_OWN.search(name) and text.lower() != name.lower():
                yield Read(name, file.path, value.lineno, text, required=False)


def _opens_something(name: str, default: str) -> bool:
    """A signing secret is as good as its text; anything else must look like the real value."""
    if _SIGNING.search(name) and not _ELSEWHERE.search(name):
        return True
    return (
        bool(_OTHER.search(name) or _ELSEWHERE.search(name))
        and not is_placeholder(default)
        and is_random(default, 12)
    )


def _is_used(read: Read, python: PythonFiles) -> bool:
    """Tell whether anything asks a settings object for this field; a library may ask for its own."""
    if read.name.startswith("AUTHJWT_"):
        return True
    asked = re.compile(rf"(?:\.|[\"']){read.name}\b", re.IGNORECASE)
    return any(
        asked.search(file.text)
        for file in python.containing(read.name, read.name.lower())
        if not is_test(file.path)
    )


def _is_refused(read: Read, text: str) -> bool:
    """Tell whether the same file compares the default, or stops when the variable is missing."""
    default = re.escape(read.default or "")
    if re.search(rf"(?:[!=]==?|\bin)\s*[\[({{]?[^\n]{{0,80}}[\"']{default}[\"']", text):
        return True
    stop = (
        rf"\bif\b[^\n]{{0,40}}(?:!|not\s+)[^\n]{{0,40}}\b{read.name}\b[^\n]{{0,60}}\s+\S{{0,4}}\s*"
        r"(?:throw|raise|process\.exit|sys\.exit)"
    )
    return bool(re.search(stop, text, re.IGNORECASE))


def _is_refused_elsewhere(read: Read, python: PythonFiles) -> bool:
    """Tell whether another module holds the setting against its default, or against how that begins."""
    default = read.default or ""
    pattern = re.compile(
        rf"\b{read.name}\b[^\n]{{0,40}}(?:[!=]=|\bin\b|\.startswith\()[^\n]{{0,60}}[\"'](?P<text>[^\"'\n]{{4,}})[\"']",
        re.IGNORECASE,
    )
    return any(
        default.startswith(match["text"])
        for file in python.containing(read.name, read.name.lower())
        for match in pattern.finditer(file.text)
        if not is_test(file.path)
    )


def _finding(read: Read, what: str, others: Iterable[str] = ()) -> Finding:
    signs = _SIGNING.search(read.name) and not _ELSEWHERE.search(read.name)
    deed = "sign or decrypt as this service" if signs else f"use {read.name}"
    places = " and in ".join([read.path, *others])
    return Finding(
        read.path,
        read.line,
        f"{what.format(name=read.name)} that stands in {places}. Whoever knows it can {deed}.",
        steps=(
            f"Read {read.name} without a default, so that the start fails when it is missing.",
            f"Set {read.name} in every environment: openssl rand -base64 32",
        ),
        snippet=f"    {read.name.lower()}: str"
        if read.from_class
        else from_environment(read.path, read.name),
        evidence=f"{read.name} has a constant text",
        masked=True,
    )
