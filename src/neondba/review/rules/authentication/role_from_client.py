"""Who signs up chooses the own role.

The role of the new account is taken from the request. That it is one of the known roles is checked, that the
caller may have it is not: anybody registers as an administrator.

## Instead
```typescript bad path=src/register.ts case=script
import bcrypt from "bcryptjs";

export async function register(req, res) {
  const { email, password, role } = req.body;
  if (!["ADMIN", "USER"].includes(role)) { // <- finding
    return res.status(400).json({ error: "No such role" });
  }
  const hash = await bcrypt.hash(password, 12);
  await prisma.user.create({
    data: { email, hash, role },
  });
}
```
```prisma bad path=prisma/schema.prisma case=script
model User {
  id    String @id
  email String @unique
  hash  String
  role  String
}
```
```typescript good path=src/register.ts case=script
import bcrypt from "bcryptjs";

export async function register(req, res) {
  const { email, password } = req.body;
  const hash = await bcrypt.hash(password, 12);
  await prisma.user.create({ data: { email, hash, role: "USER" } });
}
```
```prisma good path=prisma/schema.prisma case=script
model User {
  id    String @id
  email String @unique
  hash  String
  role  String
}
```
```python bad path=app/auth.py
from fastapi import APIRouter

router = APIRouter()
ROLES = ("admin", "member")

@router.post("/register")
def register(data: UserCreate, session: Session):
    user = User(email=data.email, hashed_password=hash_password(data.password), role=data.role)  # <- finding
    session.add(user)
    session.commit()
```
The role may be handed on to a function that makes the account:
```python bad path=app/api/auth.py case=handed
from fastapi import APIRouter
from app.schemas import UserCreate

router = APIRouter()

@router.post("/register")
def register_user(user_data: UserCreate, auth_service: AuthService):
    return auth_service.create_user(email=user_data.email, password=user_data.password, role=user_data.role)
```
```python bad path=app/schemas.py case=handed
from pydantic import BaseModel

class UserBase(BaseModel):
    email: str
    role: str = "user"  # <- finding

class UserCreate(UserBase):
    password: str

ADMIN_ROLES = ("admin", "owner")
```
## When it does not matter
An administrator adds users, or all roles that one can choose from are equal:
```typescript good path=src/register.ts case=equal
export async function register(req, res) {
  const { email, role } = req.body;
  await prisma.user.create({ data: { email, role } });
}
```
```prisma good path=prisma/schema.prisma case=equal
enum Role {
  STUDENT
  RECRUITER
}
model User {
  id    String @id
  email String @unique
  role  Role
}
```
```python good path=app/users.py
from fastapi import APIRouter, Depends

router = APIRouter()

@router.post("/users")
def create_user(data: UserCreate, session: Session, admin: User = Depends(require_admin)):
    session.add(User(email=data.email, hashed_password=hash_password(data.password), role=data.role))
    session.commit()

@router.post("/register")
def register(data: UserCreate, session: Session):
    session.add(User(email=data.email, hashed_password=hash_password(data.password), role="member"))
    session.commit()
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.places import is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.routes import Routes
from neondba.project.schema_provider import plain
from neondba.project.schema_table import Table
from neondba.project.tree import Tree
from neondba.project.typescript import nodes as script
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.verdicts import Verdict, is_raw
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.authentication._roles import taken_roles
from neondba.review.rules.isolation._typescript import line_of_data, name_of

SIGN_UP = re.compile(r"register|sign_?up|create_?account", re.IGNORECASE)
RIGHTS = frozenset(
    {"role", "roles", "is_admin", "isAdmin", "is_superuser", "isSuperuser", "userRole", "user_role"}
)
USERS = frozenset({"user", "account", "member", "appuser"})
ALLOWED = re.compile(
    r"admin(?!['\"\w]*['\"])|current_?user|session\.user|getServerSession|invit", re.IGNORECASE
)

INVITED = re.compile(r"invit|admin|staff|seed|superuser", re.IGNORECASE)
"""Ways to an account on which somebody else vouches for the role."""
ROLES_ALLOWED = re.compile(
    r"\brole\s*:\s*(?:z|zod|Joi|yup|v|t)\b[^;]{0,40}?(?:enum|oneOf|valid|picklist)\(([^)]*)\)"
)


@rule("NDB509", Category.AUTH, Severity.HIGH)
def check(
    tree: Tree, calls: OrmCalls, isolation: TypeScriptIsolation, files: PythonFiles, routes: Routes
) -> Iterator[Finding]:
    """Find sign-ups that take the role of the account from the request."""
    told: set[str] = set()
    for found in _where_they_stand(calls):
        told.add(found.path)
        yield found
    yield from (f for f in _handed_on(tree, isolation, calls.files) if f.path not in told)
    yield from _in_python(files, routes)


def _where_they_stand(calls: OrmCalls) -> Iterator[Finding]:
    """Find handlers that make the account themselves."""
    for file in calls.running(".create(", ".insert("):
        for function, uses in calls.functions(file):
            if not _is_sign_up(function.name, file.path) or _has_guard(function):
                continue
            for use in uses:
                found = _taken(function, use)
                known = f"{calls.files.text(use.table.path)}{calls.files.text(file.path)}".lower()
                if found is not None and "admin" in known:
                    line = _checked(function, names_in(found.value)) or found.line
                    yield _finding(file.path, line, f"{function.name or 'The handler'}()", found.key)


def _handed_on(tree: Tree, isolation: TypeScriptIsolation, files: TypeScriptFiles) -> Iterator[Finding]:
    """Find services that are given the role by the handler that got it from the client."""
    told: set[tuple[str, int]] = set()
    for verdict in isolation.verdicts:
        statement, door = verdict.statement, verdict.entrance
        table = statement.table
        if (
            statement.kind != "insert"
            or table is None
            or plain(table.name) not in USERS
            or door.staff
            or door.run.staff
            or INVITED.search(f"{verdict.judged.entrance.name} {statement.function}")
            or (statement.path, statement.line) in told
        ):
            continue
        column = _given(verdict, table.table)
        if column and _has_admins(tree, table.table, statement.path) and not _limited(files):
            told.add((statement.path, statement.line))
            yield _finding(statement.path, line_of_data(files, verdict, column), name_of(verdict), column)


def _given(verdict: Verdict, table: Table) -> str | None:
    """Give the column of rights that comes with the request: by its name, or within a whole object."""
    statement, run = verdict.statement, verdict.entrance.run
    names = [c for c, _ in statement.data]
    for column, value in statement.data:
        if column in RIGHTS and any(kind == "client" for kind, _ in value.origins):
            return column if not run.is_bound(value.origins, statement.checks) else None
    if any(c in RIGHTS for c in names) or not is_raw(run, statement.spread):
        return None
    return next((c.field or c.name for c in table.columns.values() if (c.field or c.name) in RIGHTS), None)


def _has_admins(tree: Tree, table: Table, path: str) -> bool:
    """Tell whether there are administrators at all; Prisma's enums may be in a file of their own."""
    places = {path, table.path, *(p for p in tree.paths if p.endswith(".prisma"))}
    return any("admin" in (tree.text(p) or "").lower() for p in places)


def _limited(files: TypeScriptFiles) -> bool:
    """Tell whether the project's schemas of requests allow only roles of everyday users."""
    allowed = [
        found[1]
        for path in files.paths
        if "enum(" in (text := files.text(path)) and "role" in text
        for found in ROLES_ALLOWED.finditer(text)
    ]
    return bool(allowed) and not any("admin" in one.lower() for one in allowed)


def _in_python(files: PythonFiles, routes: Routes) -> Iterator[Finding]:
    if not any("role" in f.text.lower() for f in files.containing("admin", "ADMIN", "Admin")):
        return
    told = False
    for module in files.containing("role", "is_admin", "is_superuser"):
        for made in () if is_test(module.path) else module.functions:
            if SIGN_UP.search(made.name):
                for one in _written(module, made):
                    told = True
                    yield one
    for taken in () if told else taken_roles(files, routes):
        where = f"{taken.route.function.name} {taken.route.path}"
        if taken.route.authentication is None and SIGN_UP.search(where):
            yield _finding(taken.path, taken.line, f"{taken.route.function.name}()", taken.field)


def _is_sign_up(name: str, path: str) -> bool:
    return bool(SIGN_UP.search(name) or (name in ("POST", "", "default") and SIGN_UP.search(path)))


def _has_guard(function: script.Function) -> bool:
    """Tell whether a function asks who calls it."""
    called = {n.name for n in script.walk(function.body) if isinstance(n, script.Call)}
    return any(re.search(r"admin|session|currentUser|^auth$|require", name) for name in called)


def _taken(function: script.Function, use: Use) -> script.Property | None:
    """Give the field that gets rights from the request."""
    if use.kind != "create" or plain(use.table.label or use.table.name.name) not in USERS or use.data is None:
        return None
    given = _from_client(function)
    for one in use.data.properties:
        if (
            one.key in RIGHTS
            and isinstance(one.value, script.Name | script.Member)
            and names_in(one.value) & given
        ):
            return one
    return None


def _checked(function: script.Function, names: set[str]) -> int:
    """Give the line of the check that lets every known role through; 0 where nothing is checked."""
    for node in script.walk(function.body):
        if isinstance(node, script.If) and names & names_in(node.test):
            called = [n.name for n in script.walk(node.test) if isinstance(n, script.Call)]
            if any(name.endswith((".includes", ".has")) for name in called):
                return node.line
    return 0


def _from_client(function: script.Function) -> set[str]:
    """Give the names whose values come with the request."""
    given = {"req", "request", "ctx"} | {n for p in function.parameters for n in names_in(p.target)}
    given -= {"res", "response", "next", "tx", "prisma", "db"}
    for _ in range(3):
        for node in script.walk(function.body):
            if not isinstance(node, script.Declare) or node.value is None:
                continue
            handed = not isinstance(node.value, script.Call) or _hands_on(node.value)
            if handed and names_in(node.value) & given:
                given |= names_in(node.target)
    return given


def _hands_on(call: script.Call) -> bool:
    """Tell whether a call gives what it was given in another form."""
    last = call.name.rpartition(".")[2]
    return last in (
        "json",
        "parse",
        "safeParse",
        "formData",
        "get",
        "toUpperCase",
        "toLowerCase",
        "trim",
        "body",
    )


def _written(file: PythonFile, function: Function) -> Iterator[Finding]:
    said = ast.unparse(function.node.args) + " ".join(ast.unparse(d) for d in function.decorators)
    if ALLOWED.search(said):
        return
    parameters = {p.name for p in function.parameters}
    for call in function.calls:
        name = ast.unparse(call.func).rpartition(".")[2]
        if plain(name) not in USERS:
            continue
        for keyword in call.keywords:
            value = keyword.value
            owner = value.value if isinstance(value, ast.Attribute) else value
            taken = isinstance(owner, ast.Name) and owner.id in parameters
            if keyword.arg in RIGHTS and taken and isinstance(value, ast.Attribute | ast.Name):
                yield _finding(file.path, value.lineno, f"{function.name}()", keyword.arg)


def _finding(path: str, line: int, function: str, field: str) -> Finding:
    return Finding(
        path,
        line,
        f"Whoever calls {function} chooses the {field} of the new account: anybody can become an "
        "administrator.",
        steps=(
            f"Set {field} to the lowest one in {function}, whatever the request says.",
            "Let only an administrator raise it, in a route of its own.",
        ),
    )
