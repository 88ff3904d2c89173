"""Where the project's application is: its module, its folder, its interpreter."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.project.places import is_script, is_test

if TYPE_CHECKING:
    from neondba.project.python import PythonFile, PythonFiles

_TOLD: Final = re.compile(r"\b(?:uvicorn|gunicorn)\b[^\n]*?\s[\"']?(?P<target>[A-Za-z_][\w.]*:[A-Za-z_]\w*)")
_TARGET: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?:\(\))?")
_MAKERS: Final = re.compile(r"(?:^|\.)(?:create|get|make|build|init)_(?:app|application|api)$")
_TELLING: Final = re.compile(
    r"(?:^|/)(?:Procfile|Dockerfile[^/]*|Makefile|README[^/]*|pyproject\.toml|package\.json|[^/]*\.(?:ya?ml|sh|md))$"
)
_CHECK: Final = "import sys; import uvicorn, fastapi; print(sys.version_info[0])"


@dataclass(frozen=True)
class Application:
    """The module and name that a server is told, and the folder it is told so in."""

    base: str
    """Folder in which the server starts, seen from the project's; empty for that itself."""
    target: str
    """As `app.main:app`."""

    @property
    def module(self) -> str:
        """The module alone."""
        return self.target.partition(":")[0]


def application_of(folder: Path, wanted: str | None, files: PythonFiles | None = None) -> Application:
    """Find the application of a folder, or the one that is wanted.

    Raises:
        ArgumentProblem: what is wanted is no `module:name`.
        NotFoundProblem: there is none.
    """
    from neondba.project.facts import Facts
    from neondba.project.python import PythonFiles
    from neondba.project.tree import FolderTree

    known = files if files is not None else Facts(FolderTree(folder)).get(PythonFiles)
    return application_in(known, _texts(folder), wanted)


def _texts(folder: Path) -> dict[str, str]:
    """Give the files that may say how the application is started."""
    from neondba.project.tree import FolderTree

    tree = FolderTree(folder)
    names = ("Procfile", "Makefile", "Dockerfile", "README.md", "pyproject.toml", "package.json")
    paths = {*tree.named(*names), *tree.named(suffix=(".sh", ".yml", ".yaml", ".md"))}
    return {path: tree.text(path) or "" for path in sorted(paths, key=lambda p: (p.count("/"), p))}


def application_in(files: PythonFiles, texts: dict[str, str], wanted: str | None) -> Application:
    """Find the application, or the one that is wanted.

    Raises:
        ArgumentProblem: what is wanted is no `module:name`.
        NotFoundProblem: there is none.
    """
    found = list(_candidates(files))
    if wanted is not None:
        if not _TARGET.fullmatch(wanted):
            raise ArgumentProblem(
                "application-invalid", f"{wanted} is no module:name.", hint="Write it as --app app.main:app"
            )
        return Application(_base_of(files, wanted.partition(":")[0]), wanted)
    told = [t for p, text in texts.items() if _TELLING.search(p) for t in _TOLD.findall(text)]
    for target in dict.fromkeys(told):
        module, _, name = target.partition(":")
        for path, known in found:
            if known == name and f"/{path}".endswith(f"/{module.replace('.', '/')}.py"):
                return Application(path[: -len(module) - 3].rstrip("/"), target)
    if not found:
        raise NotFoundProblem(
            "application-not-found",
            "No module makes a FastAPI application at its top level.",
            hint="Name it: --app package.module:app, or the whole command: --start 'COMMAND {port}'",
        )
    path, name = min(found, key=lambda one: (_rank(one[0]), one[0].count("/"), one[0]))
    base = _likely_base(files[path], frozenset(files))
    module = path[len(base) :].strip("/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Application(base, f"{module}:{name}")


def _rank(path: str) -> int:
    names = ("main.py", "app.py", "api.py", "server.py", "asgi.py", "__init__.py")
    last = path.rpartition("/")[2]
    return names.index(last) if last in names else len(names)


def _candidates(files: PythonFiles) -> Iterator[tuple[str, str]]:
    for file in files.containing("FastAPI", "create_app", "get_app", "make_app", "build_app"):
        if is_test(file.path) or is_script(file.path):
            continue
        for name, value in file.own_names.items():
            if isinstance(value, ast.Call):
                made = file.resolve(value.func) or ""
                if made.rpartition(".")[2] == "FastAPI" or _MAKERS.search(made):
                    yield file.path, name


def _base_of(files: PythonFiles, module: str) -> str:
    inside = module.replace(".", "/")
    ends = (f"/{inside}.py", f"/{inside}/__init__.py")
    fitting = [(p, e) for p in files for e in ends if f"/{p}".endswith(e)]
    if not fitting:
        raise NotFoundProblem(
            "application-not-found",
            f"The project has no module {module}.",
            hint="Give the module as the server is told it: --app app.main:app",
        )
    path, end = min(fitting, key=lambda one: len(one[0]))
    return f"/{path}"[: -len(end)].strip("/")


def _likely_base(file: PythonFile, paths: frozenset[str]) -> str:
    """Choose the folder from which the file's own imports are found."""
    above = [str(p) if str(p) != "." else "" for p in PurePosixPath(file.path).parents]
    nodes = file.index.imports
    relative = any(isinstance(n, ast.ImportFrom) and n.level for n in nodes)
    wanted = {
        n.module.partition(".")[0]
        for n in nodes
        if isinstance(n, ast.ImportFrom) and n.module and not n.level
    }
    wanted |= {a.name.partition(".")[0] for n in nodes if isinstance(n, ast.Import) for a in n.names}

    def fit(base: str) -> tuple[bool, int, int]:
        start = f"{base}/" if base else ""
        there = {name for name in wanted if f"{start}{name}.py" in paths}
        there |= {name for name in wanted if any(p.startswith(f"{start}{name}/") for p in paths)}
        inside = "/" in file.path[len(start) :]
        return inside or not relative, len(there), base.count("/") + bool(base)

    return max(above, key=fit)


def interpreter(base: Path, folder: Path, wanted: str | None) -> Path:
    """Give the first Python that has FastAPI and uvicorn.

    Raises:
        NotFoundProblem: none has.
    """
    from neondba.project.alembic_runner.locate import interpreters

    tried = interpreters(base / "alembic.ini", folder, wanted)
    for python in tried:
        done = subprocess.run(
            [str(python), "-c", _CHECK], capture_output=True, check=False, timeout=60, cwd=base
        )
        if done.returncode == 0:
            return python
    raise NotFoundProblem(
        "application-python-missing",
        f"None of these has fastapi and uvicorn: {', '.join(map(str, tried))}.",
        hint="Install the project's requirements in .venv, or name its interpreter with --python PATH",
    )
