"""Sessions of SQLAlchemy and SQLModel that act as the user of a FastAPI request."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from neondba.access.plan_wiring import Wiring
from neondba.access.policies_functions import filled
from neondba.access.policies_text import Asker
from neondba.project.facts import Facts
from neondba.project.places import is_example, is_migration, is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.routes import Routes
from neondba.project.settings_classes import SettingsClasses
from neondba.project.tree import Tree

FILE: Final = "user_session.py"
_STANDARD: Final = ("collections", "os", "typing")
_SESSION: Final = re.compile(r"^(get_)?(async_)?(db|session)(_session|_db)?$")
_BETTER_AUTH: Final = re.compile(r"better[-_ ]?auth", re.IGNORECASE)
_ID: Final = r"\b{0}(\.(?:id|user_id|sub|uid)\b|\[[\"'](?:id|user_id|sub|uid)[\"']\])"


@dataclass(frozen=True)
class Giving:
    """The project's own dependency that gives a session."""

    file: PythonFile
    function: str
    alias: str
    """The `Annotated` name under which routes ask for it; empty where there is none."""
    kind: str
    """The qualified class of the session."""
    is_async: bool
    home: PythonFile
    """Where the function itself stands."""

    @property
    def direct(self) -> str:
        """The annotation that asks for its session, without the alias."""
        return f"Annotated[{self.kind.rpartition('.')[2]}, Depends({self.function})]"


@dataclass(frozen=True)
class Identity:
    """How a request tells its user: imports, code of its own, and the expression for the id."""

    imports: tuple[str, ...]
    code: str
    annotation: str
    id: str
    steps: tuple[str, ...] = ()
    file: PythonFile | None = None
    """The project's own file that has the dependency, where it is the project's own."""
    function: str = ""


def python_wiring(facts: Facts, asker: Asker) -> Wiring:
    """Give the module with `get_user_session`; nothing where no dependency gives a session."""
    files = facts.get(PythonFiles)
    giving = _giving(files)
    if giving is None:
        return Wiring()
    identity = _better_auth(facts) if _uses_better_auth(facts) else _own_identity(facts)
    if identity is None:
        return Wiring(
            steps=(
                f"Nothing tells who asks in a request: write a dependency that does, then set "
                f"{asker.setting} with set_config(…, true) in each transaction.",
            )
        )
    folder = giving.file.path.rpartition("/")[0]
    path = f"{folder}/{FILE}".lstrip("/")
    place = _imported_as(files, giving.file)
    module = f"{place.rpartition('.')[0]}.{FILE[:-3]}".lstrip(".")
    asking = _asking(facts, giving)
    if below := _importing_back(files, giving, identity, asking):
        text, steps = (
            _passed(giving, place, identity, asker),
            _steps_passed(giving, identity, below, asking, module),
        )
    else:
        text, steps = _module(giving, place, identity, asker), _steps(giving, asking, path, module)
    what = {path: "session that tells Postgres who asks"}
    return Wiring({path: text}, what, (*steps, *identity.steps))


def _module(giving: Giving, place: str, identity: Identity, asker: Asker) -> str:
    name = giving.kind.rpartition(".")[2]
    values = {"SESSION": giving.alias or giving.direct, "USER": identity.annotation, "ID": identity.id}
    template = f"session_{'async' if giving.is_async else 'sync'}.txt"
    body = filled(template, SETTING=asker.setting, CLASS=name, **values)
    own = {*identity.imports, f"from {place} import {giving.alias or giving.function}"}
    return _text(giving, place, identity, own, body)


def _passed(giving: Giving, place: str, identity: Identity, asker: Asker) -> str:
    """Write the module that imports nothing of the modules that import it."""
    needed = [name for name in (giving.function, identity.function) if name]
    values = {
        "PARAMETERS": ", ".join(f"{name}: Callable[..., Any]" for name in needed),
        "DEF": "async def" if giving.is_async else "def",
        "AWAIT": "await " if giving.is_async else "",
        "CLASS": giving.kind.rpartition(".")[2],
        "SESSION": giving.direct,
        "USER": identity.annotation,
        "ID": identity.id,
    }
    body = filled("session_passed.txt", SETTING=asker.setting, **values)
    own = {"from collections.abc import Callable", "from typing import Any"}
    own |= set() if identity.function else set(identity.imports)
    return _text(giving, place, identity, own, body)


def _text(giving: Giving, place: str, identity: Identity, own: set[str], body: str) -> str:
    home, _, name = giving.kind.rpartition(".")
    imports = {
        "from typing import Annotated",
        "from fastapi import Depends" + (", HTTPException" if identity.code else ""),
        "from sqlalchemy import Connection, event, func, select",
        *own,
        f"from {home} import {name}",
    }
    orm = "from sqlalchemy.orm import Session, SessionTransaction"
    # SQLModel's session is one of SQLAlchemy's: a listener on its own class hears it.
    imports.add("from sqlalchemy.orm import SessionTransaction" if name == "Session" else orm)
    said = '"""Sessions that act as one user: row-level security answers for whoever sent the request."""'
    return f"{said}\n\n{_sorted(imports, place)}\n\n{identity.code}{body}\n"


def _sorted(imports: set[str], place: str) -> str:
    top = place.partition(".")[0]
    words = {line: line.split()[1].partition(".")[0] for line in imports}
    groups = (
        [line for line in imports if words[line] in _STANDARD],
        [x for x in imports if words[x] not in (*_STANDARD, top) and not words[x].startswith(".")],
        [line for line in imports if words[line] == top],
    )
    # Plain imports come first, as the usual formatters have it.
    ordered = [sorted(group, key=lambda line: (line.startswith("from"), line)) for group in groups]
    return "\n\n".join("\n".join(_merged(group)) for group in ordered if group) + "\n"


def _merged(lines: list[str]) -> Iterator[str]:
    """Put two lines that import from one module together."""
    found: dict[str, list[str]] = {}
    for line in lines:
        head, _, names = line.partition(" import ")
        found.setdefault(head, []).extend(names.split(", ") if names else [])
    for head, several in found.items():
        yield f"{head} import {', '.join(dict.fromkeys(several))}" if several else head


def _imported_as(files: PythonFiles, file: PythonFile) -> str:
    """Give the name by which the project itself imports a module: it may run in a folder of the tree."""
    parts = file.module.split(".")
    for start in range(len(parts) - 1):
        name = ".".join(parts[start:])
        if any(True for _ in files.containing(f"from {name} import", f"import {name}")):
            return name
    folders = file.path.split("/")[:-1]
    while folders and "/".join([*folders, "__init__.py"]) in files:
        folders.pop()
    return ".".join(parts[len(folders) :])


def _giving(files: PythonFiles) -> Giving | None:
    """Find the function that yields a session to routes; the program's own, not a test's."""
    for file in files.containing("yield"):
        if is_test(file.path) or is_migration(file.path) or is_script(file.path) or is_example(file.path):
            continue
        for function in file.functions:
            if not _SESSION.match(function.name) or function.owner is not None:
                continue
            kind = _kind(file, function)
            if kind is not None:
                alias = _alias(files, function.name)
                place, short = alias or (file, "")
                return Giving(place, function.name, short, *kind, home=file)
    return None


def _kind(file: PythonFile, function: Function) -> tuple[str, bool] | None:
    """Tell which session a function yields, from its annotation or from what it makes."""
    returns = function.node.returns
    named = [n for n in ast.walk(returns) if isinstance(n, ast.Name | ast.Attribute)] if returns else []
    for node in [*named, *(n.func for n in function.nodes if isinstance(n, ast.Call))]:
        name = file.resolve(node) or ""
        last = name.rpartition(".")[2]
        if last in ("Session", "AsyncSession") and name.startswith(("sqlmodel", "sqlalchemy")):
            return name, last == "AsyncSession"
    if not any(isinstance(n, ast.Yield) for n in function.nodes):
        return None
    if function.is_async:
        return "sqlalchemy.ext.asyncio.AsyncSession", True
    return ("sqlmodel.Session" if "sqlmodel" in file.text else "sqlalchemy.orm.Session"), False


def _alias(files: PythonFiles, function: str) -> tuple[PythonFile, str] | None:
    for file in files.containing("Annotated"):
        for name, value in file.own_names.items():
            if isinstance(value, ast.expr) and re.search(rf"Depends\({function}\)", ast.unparse(value)):
                return file, name
    return None


def _uses_better_auth(facts: Facts) -> bool:
    tree = facts.get(Tree)  # type: ignore[type-abstract]
    texts = tree.having((".py", ".env.example", "package.json"), ("better", "BETTER"))
    return any(_BETTER_AUTH.search(tree.text(path) or "") for path in texts if not is_test(path))


def _better_auth(facts: Facts) -> Identity:
    imports, url = _address(facts, facts.get(PythonFiles))
    code = filled("better_auth.txt", NAME="_BETTER_AUTH", URL=url)
    more = {"import jwt", "from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer", imports}
    steps = ["PyJWT verifies the token: it has to be among the requirements, as pyjwt[crypto]."]
    named = "".join(facts.tree.text(p) or "" for p in facts.tree.named("requirements.txt", "pyproject.toml"))
    known = re.search(r"pyjwt\[crypto\]", named, re.IGNORECASE) is not None
    return Identity(tuple(sorted(more)), f"{code}\n\n\n", "UserId", "user", () if known else tuple(steps))


def _address(facts: Facts, files: PythonFiles) -> tuple[str, str]:
    """Give an import and the expression for Better Auth's address."""
    for qualified, settings in facts.get(SettingsClasses).instances.items():
        for name, variable in settings.fields.items():
            if re.fullmatch(r"BETTER_AUTH_(BASE_)?URL", variable, re.IGNORECASE):
                module, _, instance = qualified.rpartition(".")
                file = files.module(module)
                module = _imported_as(files, file) if file is not None else module
                return f"from {module} import {instance}", f"{instance}.{name}"
    return "import os", 'os.environ["BETTER_AUTH_URL"]'


def _own_identity(facts: Facts) -> Identity | None:
    """Take the dependency by which the routes themselves know the caller."""
    counted: Counter[tuple[PythonFile, str]] = Counter()
    parts: Counter[str] = Counter()
    for route in facts.get(Routes).routes:
        found = route.authentication
        if found is None or found.function is None or found.file is None or not found.gives_principal:
            continue
        counted[found.file, found.function.name] += 1
        text = ast.unparse(route.function.node)
        parts.update(re.findall(_ID.format(re.escape(found.parameter or "user")), text))
    if not counted:
        return None
    file, name = counted.most_common(1)[0][0]
    module = _imported_as(facts.get(PythonFiles), file)
    part = parts.most_common(1)[0][0] if parts else ""
    # What the caller is, only the project knows: the dependency's own annotation is not copied.
    asked = f"Annotated[object, Depends({name})]"
    return Identity((f"from {module} import {name}",), "", asked, f"user{part}", file=file, function=name)


def _asking(facts: Facts, giving: Giving) -> list[str]:
    """Give the files whose routes know who asks, and use the session."""
    name = re.compile(rf"\b{giving.alias or giving.function}\b")
    routes = facts.get(Routes).routes
    return sorted({r.file.path for r in routes if r.authentication is not None and name.search(r.file.text)})


def _importing_back(
    files: PythonFiles, giving: Giving, identity: Identity, asking: list[str]
) -> PythonFile | None:
    """Give the file that a new module would import, and that itself would come to import the module."""
    needed = [file for file in (identity.file, giving.file, giving.home) if file is not None]
    return next((file for file in needed if _reached(files, file) & set(asking)), None)


def _reached(files: PythonFiles, start: PythonFile) -> set[str]:
    """Give the paths of the files that importing one of them brings in, itself among them."""
    found, waiting = {start.path}, [start]
    while waiting:
        for qualified in waiting.pop().imports.values():
            file = files.module(qualified) or files.module(qualified.rpartition(".")[0])
            if file is not None and file.path not in found and not file.path.endswith(FILE):
                found.add(file.path)
                waiting.append(file)
    return found


def _steps(giving: Giving, asking: list[str], path: str, module: str) -> Iterator[str]:
    name = giving.alias or giving.function
    if asking:
        wanted = "UserSessionDep" if giving.alias else "get_user_session"
        yield (
            f"Let routes ask for the user's session: in {', '.join(asking)} write {wanted} (from {module}) "
            f"instead of {name} where a user is signed in. Acting for nobody, it sees no private row."
        )
    else:
        yield f"Let routes ask for get_user_session of {path} instead of {name}."


def _steps_passed(
    giving: Giving, identity: Identity, below: PythonFile, asking: list[str], module: str
) -> Iterator[str]:
    needed = [name for name in (giving.function, identity.function) if name]
    made = f"user_session_of({', '.join(needed)})"
    name, wanted = giving.function, "get_user_session"
    if giving.alias:
        name, wanted = giving.alias, "UserSessionDep"
        made = f"Annotated[{giving.kind.rpartition('.')[2]}, Depends({made})]"
    after = [f.name for f in below.functions if f.name in needed][-1]
    others = [path for path in asking if path != below.path]
    more = f" {', '.join(others)} import it from there." if others else ""
    yield (
        f"Let routes ask for the user's session: in {below.path}, below {after}, write "
        f"`{wanted} = {made}`, and {wanted} instead of {name} where a user is signed in. Import "
        f"user_session_of from {module}: what it needs is passed in, for {below.path} and that module cannot "
        f"import each other.{more} Acting for nobody, the session sees no private row."
    )
