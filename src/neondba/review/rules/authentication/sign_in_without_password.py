"""A sign-in asks for the password and never looks at it.

Whoever knows the e-mail address of a user gets that user's token: the password is read from the request and
then forgotten.

## Instead

```python bad path=app/auth.py
from fastapi import APIRouter, Depends, HTTPException, Request

router = APIRouter()

@router.post("/sign-in/email")
async def sign_in(request: Request, session: Session = Depends(get_session)):
    data = await request.json()
    email = data.get("email")
    password = data.get("password")
    user = session.exec(select(User).where(User.email == email)).first()
    if not user:
        raise HTTPException(401, "Wrong e-mail or password")
    return {"access_token": create_access_token({"sub": user.id})}  # <- finding
```
```python bad path=app/login.py
from fastapi import APIRouter
from pydantic import BaseModel

router = APIRouter()

class Credentials(BaseModel):
    email: str
    password: str

@router.post("/login")
def login(body: Credentials, db: Session):
    user = db.query(User).filter(User.email == body.email).first()
    return {"token": jwt.encode({"sub": user.id}, KEY)}  # <- finding
```

```python good path=app/auth.py
from fastapi import APIRouter, Depends, HTTPException, Request

router = APIRouter()

@router.post("/sign-in/email")
async def sign_in(request: Request, session: Session = Depends(get_session)):
    data = await request.json()
    email = data.get("email")
    password = data.get("password")
    user = session.exec(select(User).where(User.email == email)).first()
    if not user or not verify_password(password, user.hashed_password):
        raise HTTPException(401, "Wrong e-mail or password")
    return {"access_token": create_access_token({"sub": user.id})}
```

## When it does not matter

Another function gets the whole body, a dependency does the checking, or no password is asked for, because the
provider's token proves who is calling:

```python good path=app/login.py
from fastapi import APIRouter, Depends
from pydantic import BaseModel

router = APIRouter()

class Credentials(BaseModel):
    email: str
    password: str

@router.post("/login")
def login(body: Credentials, db: Session):
    user = authenticate(db, body)
    return {"token": create_access_token({"sub": user.id})}

@router.post("/v2/login")
def login_again(body: Credentials, user: User = Depends(authenticate_user)):
    return {"email": body.email, "token": create_access_token({"sub": user.id})}

@router.post("/login/google")
def login_with_google(token: str, db: Session):
    user = db.get(User, verify_google(token)["sub"])
    return {"token": create_access_token({"sub": user.id})}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Class, Function, PythonFile, PythonFiles
from neondba.project.routes import Route, Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

SIGN_IN = re.compile(r"log_?in|sign_?-?in|authenticate", re.IGNORECASE)
ISSUING = re.compile(
    r"^(?:create|generate|issue|make|sign|encode|build|new|mint)_?\w*(?:token|jwt|session)s?$|^jwt\.encode$",
    re.IGNORECASE,
)
CHECKING = re.compile(r"auth|verif|credential|current|check|log_?in|sign_?in", re.IGNORECASE)
PASSWORDS = ("password", "passwd", "pwd")


@rule("NDB514", Category.AUTH, Severity.CRITICAL)
def check(files: PythonFiles, routes: Routes) -> Iterator[Finding]:
    """Look for sign-ins that give out a token and do not use the password they read."""
    if not any(files.containing(*PASSWORDS)):
        return
    for route in routes.routes:
        where = f"{route.function.name} {route.path}"
        if not SIGN_IN.search(where) or route.authentication is not None:
            continue
        line = _issues(route.function)
        if line is None or any(CHECKING.search(d) for d in _dependencies(route)):
            continue
        if _forgets(route.function) or _does_not_ask(files, route):
            yield _finding(route, line)


def _issues(function: Function) -> int | None:
    """Give the line where a function makes a token or a session."""
    for call in sorted(function.calls, key=lambda c: c.lineno):
        name = ast.unparse(call.func)
        if ISSUING.match(name) or ISSUING.match(name.rpartition(".")[2]):
            return call.lineno
    return None


def _dependencies(route: Route) -> list[str]:
    """Give the text of the dependencies of the parameters."""
    arguments = route.function.node.args
    written = [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]
    written += [a.annotation for a in [*arguments.args, *arguments.kwonlyargs] if a.annotation is not None]
    return [text for text in map(ast.unparse, written) if "Depends" in text and "OAuth2Password" not in text]


def _loaded(function: Function) -> list[ast.Name]:
    return [n for n in ast.walk(function.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]


def _forgets(function: Function) -> bool:
    """Tell whether the password is taken out of the body, and that is the last of it."""
    loaded = {n.id for n in _loaded(function)}
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target = node.targets[0]
        body = _holder(node.value)
        if isinstance(target, ast.Name) and target.id not in loaded and body is not None:
            return not _passed_whole(function, body)
    return False


def _holder(value: ast.expr) -> str | None:
    """Give `data` in `data.get("password")`, `data["password"]` and `data.password`."""
    owner: ast.expr
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get":
        owner, field = value.func.value, value.args[0] if value.args else None
    elif isinstance(value, ast.Subscript):
        owner, field = value.value, value.slice
    elif isinstance(value, ast.Attribute):
        owner, field = value.value, ast.Constant(value.attr)
    else:
        return None
    named = isinstance(field, ast.Constant) and field.value in PASSWORDS
    return owner.id if named and isinstance(owner, ast.Name) else None


def _passed_whole(function: Function, name: str) -> bool:
    """Tell whether somebody else may look into it."""
    parts = {
        id(n.value)
        for n in ast.walk(function.node)
        if isinstance(n, ast.Attribute | ast.Subscript) and isinstance(n.value, ast.Name)
    }
    dumped = any(
        isinstance(n, ast.Attribute)
        and isinstance(n.value, ast.Name)
        and n.value.id == name
        and n.attr in ("dict", "model_dump", "items", "values", "copy", "json", "__dict__")
        for n in ast.walk(function.node)
    )
    return dumped or any(n.id == name and id(n) not in parts for n in _loaded(function))


def _does_not_ask(files: PythonFiles, route: Route) -> bool:
    """Tell whether the body has a password that nothing in the route reads."""
    function = route.function
    for parameter in function.parameters:
        field = _password_of(files, route.file, parameter.annotation)
        if field is None or _passed_whole(function, parameter.name):
            continue
        read = {
            n.attr
            for n in ast.walk(function.node)
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == parameter.name
        }
        return bool(read) and field not in read
    return False


def _password_of(files: PythonFiles, file: PythonFile, annotation: ast.expr | None) -> str | None:
    """Give the name of the password in the model of a body."""
    name = file.resolve(annotation)
    if (name or "").endswith("OAuth2PasswordRequestForm"):
        return "password"
    meaning = files.definition(name)
    made = meaning[1] if meaning is not None else None
    if not isinstance(made, Class):
        return None
    fields = [
        s.target.id for s in made.node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
    ]
    return next((f for f in fields if f in PASSWORDS), None)


def _finding(route: Route, line: int) -> Finding:
    name = f"{route.method} {route.path or route.function.name}"
    return Finding(
        route.file.path,
        line,
        f"{name} gives out a token for any known user and never looks at the password: whoever knows an "
        "e-mail address is that user.",
        steps=(
            f"Compare the password with its hash before {route.function.name}() makes a token.",
            "Better still, let the provider sign users in, and remove this route.",
        ),
    )
