"""A rate limiter is set up, and nothing is limited by it.

slowapi limits the routes that its decorator names, and all of them only through its middleware. With the
limiter alone in `app.state` every route answers as often as it is called: passwords can be tried without end,
and each try costs the database a query and the server a hash.

## Instead
```python bad path=app/main.py
from fastapi import FastAPI
from slowapi import Limiter
from slowapi.util import get_remote_address

limiter = Limiter(key_func=get_remote_address, default_limits=["60/minute"])  # <- finding
app = FastAPI()
app.state.limiter = limiter
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


@rule("NDB920", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report limiters of slowapi in projects where neither decorator nor middleware uses one."""
    places = [
        (file, call.node)
        for file in python.containing("slowapi")
        if not is_test(file.path)
        for call in file.calls
        if file.resolve(call.node.func) in ("slowapi.Limiter", "slowapi.extension.Limiter")
    ]
    if not places or any(
        _APPLIED.search(f.text) for f in python.containing(".limit(", "SlowAPI", "shared_limit")
    ):
        return
    for file, node in places:
        yield Finding(
            file.path,
            node.lineno,
            f"{file.path} sets a rate limiter up, and nothing is limited: no route has its decorator, and "
            "its middleware is not added, so passwords can be tried without end.",
            steps=(
                "Add SlowAPIMiddleware for the default limits.",
                'Limit the routes that sign in with @limiter.limit("5/minute").',
            ),
            snippet="app.add_middleware(SlowAPIMiddleware)",
        )
