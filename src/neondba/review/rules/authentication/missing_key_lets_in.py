"""Where the key is not configured, a request without one is let in.

The key that callers must name is read without a fallback and without a check: a deployment that lacks the
variable compares nothing with nothing. The same is true of a text made of it, as in `f"Bearer {KEY}"`, which
then is `Bearer None` for everybody who guesses that.

## Instead

```python bad path=app/main.py case=header
import os
from fastapi import FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader

API_KEY = os.getenv("API_KEY")
header = APIKeyHeader(name="X-API-Key", auto_error=False)

async def verify_api_key(key: str = Security(header)):
    if key != API_KEY:  # <- finding
        raise HTTPException(status_code=403, detail="Invalid key")
```

```python bad path=app/cron.py case=text
import os
from fastapi import APIRouter, Header, HTTPException

router = APIRouter()

@router.post("/cron")
def cron(authorization: str | None = Header(default=None)):
    if authorization != f"Bearer {os.getenv('CRON_SECRET')}":  # <- finding
        raise HTTPException(status_code=401)
    return clean_up()
```

```python good path=app/main.py case=header
import os
from fastapi import FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader

API_KEY = os.environ["API_KEY"]
header = APIKeyHeader(name="X-API-Key", auto_error=False)

async def verify_api_key(key: str = Security(header)):
    if key != API_KEY:
        raise HTTPException(status_code=403, detail="Invalid key")
```

## When it does not matter

The variable is looked at first, or the header cannot be missing:

```python good path=app/main.py case=checked
import os
from fastapi import Header, HTTPException

API_KEY = os.getenv("API_KEY")
if not API_KEY:
    raise RuntimeError("Set API_KEY.")

async def verify_api_key(key: str | None = Header(None)):
    if key != API_KEY:
        raise HTTPException(status_code=403)
```

```python good path=app/hooks.py case=needed
import os
from fastapi import Header, HTTPException

SECRET = os.getenv("HOOK_SECRET")

async def verify(key: str = Header()):
    if key != SECRET:
        raise HTTPException(status_code=403)

async def verify_other(key: str | None = Header(None)):
    secret = os.getenv("OTHER_SECRET")
    if not secret or key != secret:
        raise HTTPException(status_code=403)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.environment import READERS
from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB521", Category.AUTH, Severity.HIGH)
def check(files: PythonFiles) -> Iterator[Finding]:
    """Look at refusals that compare a header with a variable of the environment."""
    for file in files.containing("getenv", "environ.get"):
        if is_test(file.path) or is_script(file.path) or "HTTPException" not in file.text:
            continue
        for function in file.functions:
            for node in function.nodes:
                if isinstance(node, ast.If) and any(isinstance(s, ast.Raise) for s in node.body):
                    found = _compared(file, function, node.test)
                    if found is not None:
                        yield _finding(file, function, node.test, *found)


def _compared(file: PythonFile, function: Function, test: ast.expr) -> tuple[str, str] | None:
    """Give the variable that a parameter is held against, where neither has to be there, and the reason."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.NotEq):
        return None
    for given, key in ((test.left, test.comparators[0]), (test.comparators[0], test.left)):
        name = given.id if isinstance(given, ast.Name) else ""
        parameter = next((p for p in function.parameters if p.name == name), None)
        inside = key.values[-1] if isinstance(key, ast.JoinedStr) and key.values else key
        text = inside is not key
        value = inside.value if isinstance(inside, ast.FormattedValue) else inside
        variable = _variable(file, function, value)
        if not variable or parameter is None:
            continue
        if "earer" in ast.unparse(key) if text else _may_be_missing(file, parameter.default):
            return variable, "None stands in the text" if text else f"{name} and the key are both nothing"
    return None


def _variable(file: PythonFile, function: Function, node: ast.expr) -> str:
    """Give the variable of the environment that a value is, where nothing makes sure that it is set."""
    name = node.id if isinstance(node, ast.Name) else ""
    if name:
        local = [a.value for a in function.assignments if isinstance(a, ast.Assign) and _binds(a, name)]
        value = local[0] if local else file.own_names.get(name)
        if not isinstance(value, ast.expr) or _is_checked(file, function, name, local=bool(local)):
            return ""
        node = value
    if not isinstance(node, ast.Call) or file.resolve(node.func) not in READERS or len(node.args) != 1:
        return ""
    first = node.args[0]
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _binds(node: ast.Assign, name: str) -> bool:
    return any(isinstance(t, ast.Name) and t.id == name for t in node.targets)


def _is_checked(file: PythonFile, function: Function, name: str, *, local: bool) -> bool:
    """Tell whether some condition asks whether the key is there."""
    text = ast.unparse(function.node) if local else file.text
    asked = rf"\b(?:not|if|and|or|assert) {name}\b|\b{name} (?:is None|and|or)\b"
    return bool(re.search(asked, text)) or bool(re.search(rf"\b{name}\s*=\s*.*\bor\b", text))


def _may_be_missing(file: PythonFile, default: ast.expr | None) -> bool:
    """Tell whether a request without the header reaches the comparison, with nothing in its place."""
    if not isinstance(default, ast.Call):
        return isinstance(default, ast.Constant) and default.value is None
    kind = (file.resolve(default.func) or "").rpartition(".")[2]
    if kind in ("Header", "Query", "Cookie"):
        given = next((k.value for k in default.keywords if k.arg == "default"), None)
        given = given or (default.args[0] if default.args else None)
        return isinstance(given, ast.Constant) and given.value is None
    source = default.args[0] if kind in ("Security", "Depends") and default.args else None
    made = file.own_names.get(source.id) if isinstance(source, ast.Name) else None
    return isinstance(made, ast.Call) and any(
        k.arg == "auto_error" and isinstance(k.value, ast.Constant) and not k.value.value
        for k in made.keywords
    )


def _finding(file: PythonFile, function: Function, test: ast.expr, variable: str, why: str) -> Finding:
    return Finding(
        file.path,
        test.lineno,
        f"Where {variable} is not set, {function.name}() lets everybody in who says so: {why}, and that is "
        "equal.",
        steps=(
            f"Read {variable} so that the program stops without it.",
            "Compare with hmac.compare_digest, which gives no time away.",
        ),
        snippet=f'KEY = os.environ["{variable}"]',
    )
