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


@dataclass(frozen=True)
class Identity:
    """How a request tells its user: imports, code of its own, and the expression for the id."""

    imports: tuple[str, ...]
    code: str
    annotation: str
    id: str
    steps: tuple[str, ...] = ()


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
    text = _module(giving, place, identity, asker)
    return Wiring(
        {path: text},
        {path: "session that tells Postgres who asks"},
        (*_steps(facts, giving, path, module), *identity.steps),
    )


def _module(giving: Giving, place: str, identity: Identity, asker: Asker) -> str:
    name = giving.kind.rpartition(".")[2]
    session = giving.alias or f"Annotated[{name}, Depends({giving.function})]"
    values = {"SESSION": session, "USER": identity.annotation, "ID": identity.id, "CLASS": name}
    body = filled(f"session_{'async' if giving.is_async else 'sync'}.txt", SETTING=asker.setting, **values)
    imports = {
        "from typing import Annotated",
        "from fastapi import Depends" + (", HTTPException" if identity.code else ""),
        "from sqlalchemy import Connection, event, func, select",
        *identity.imports,
        f"from {place} import {giving.alias or giving.function}",
        f"from {giving.kind.rpartition('.')[0]} import {name}",
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
        [line for line in imports if words[line] == "typing"],
        [line for line in imports if words[line] not in ("typing", top) and not words[line].startswith(".")],
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
                return Giving(alias[0] if alias else file, function.name, alias[1] if alias else "", *kind)
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
    counted: Counter[tuple[str, str]] = Counter()
    parts: Counter[str] = Counter()
    for route in facts.get(Routes).routes:
        found = route.authentication
        if found is None or found.function is None or found.file is None or not found.gives_principal:
            continue
        counted[_imported_as(facts.get(PythonFiles), found.file), found.function.name] += 1
        text = ast.unparse(route.function.node)
        parts.update(re.findall(_ID.format(re.escape(found.parameter or "user")), text))
    if not counted:
        return None
    module, name = counted.most_common(1)[0][0]
    part = parts.most_common(1)[0][0] if parts else ""
    # What the caller is, only the project knows: the dependency's own annotation is not copied.
    return Identity(
        (f"from {module} import {name}",), "", f"Annotated[object, Depends({name})]", f"user{part}"
    )


def _steps(facts: Facts, giving: Giving, path: str, module: str) -> Iterator[str]:
    name = giving.alias or giving.function
    using = sorted(
        {
            route.file.path
            for route in facts.get(Routes).routes
            if route.authentication is not None and re.search(rf"\b{name}\b", route.file.text)
        }
    )
    if using:
        wanted = "UserSessionDep" if giving.alias else "get_user_session"
        yield (
            f"Let routes ask for the user's session: in {', '.join(using)} write {wanted} (from {module}) "
            f"instead of {name} where a user is signed in. Acting for nobody, it sees no private row."
        )
    else:
        yield f"Let routes ask for get_user_session of {path} instead of {name}."
