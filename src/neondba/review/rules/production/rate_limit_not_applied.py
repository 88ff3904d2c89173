"""A rate limiter is set up, and nothing is limited by it.

slowapi limits the routes that its decorator names, and all of them only through its middleware. With the
limiter alone in `app.state` every route answers as often as it is called: passwords can be tried without end,
and each try costs the database a query and the server a hash.

## Instead
```python bad path=app/main.py
from fastapi import FastAPI
from slowapi import Limiter
from slowapi.util import get_remote_address

limiter = Limiter(key_func=get_remote_address, default_limits=["60/minute"])
app = FastAPI()
app.state.limiter = limiter  # <- finding
```
```python good path=app/main.py
from fastapi import FastAPI
from slowapi import Limiter
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

limiter = Limiter(key_func=get_remote_address, default_limits=["60/minute"])
app = FastAPI()
app.state.limiter = limiter
app.add_middleware(SlowAPIMiddleware)
```
## When it does not matter
Routes that the decorator limits, wherever they are:
```python good path=app/limits.py case=decorated
from slowapi import Limiter
from slowapi.util import get_remote_address

limiter = Limiter(key_func=get_remote_address)
```
```python good path=app/login.py case=decorated
from app.limits import limiter

@router.post("/login")
@limiter.limit("5/minute")
def login(request):
    return sign_in(request)
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_APPLIED = re.compile(
    r"@\w*(?:\.\w+)*\.(?:limit|shared_limit)\(|SlowAPI(?:ASGI)?Middleware\b\s*[,)]|\.limit\([\"']\d"
)


_MADE = re.compile(r"\bLimiter\(")
_SET = re.compile(r"\bstate\.limiter\s*=")


def _code(text: str) -> str:
    """Take comments out, which show how it would be done."""
    return re.sub(r"(?m)^\s*#.*$", "", re.sub(r'"""[\s\S]*?"""', "", text))


@rule("NDB920", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report limiters of slowapi in projects where neither decorator nor middleware uses one."""
    if not any(_MADE.search(f.text) and not is_test(f.path) for f in python.containing("slowapi")):
        return
    using = [f for f in python.containing(".limit(", "SlowAPI", "shared_limit") if not is_test(f.path)]
    if any(_APPLIED.search(_code(f.text)) for f in using):
        return
    places = [
        (file, file.text.count("\n", 0, found.start()) + 1)
        for file in python.containing("state.limiter")
        if not is_test(file.path) and (found := _SET.search(file.text))
    ]
    for file, line in places[:1]:
        yield Finding(
            file.path,
            line,
            f"{file.path} sets a rate limiter up, and nothing is limited: no route has its decorator, and "
            "its middleware is not added, so passwords can be tried without end.",
            steps=(
                "Add SlowAPIMiddleware for the default limits.",
                'Limit the routes that sign in with @limiter.limit("5/minute").',
            ),
            snippet="app.add_middleware(SlowAPIMiddleware)",
        )
