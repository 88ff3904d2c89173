"""The document that lists an application's routes, and where each is written."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.access.application_environment import Given
from neondba.access.application_place import Application
from neondba.access.walk_http import Request, send
from neondba.access.walk_openapi import Document
from neondba.core.problem import NotFoundProblem
from neondba.project.python import PythonFiles

if TYPE_CHECKING:
    from neondba.project.routes import Route, Routes

_DOCUMENTS: Final = ("/openapi.json", "/api/openapi.json", "/api/v1/openapi.json", "/v1/openapi.json")
_OWN_DOCUMENT: Final = re.compile(r"openapi_url\s*=\s*f?[\"']([^\"'\n]*?)[\"']")
_COOKIE: Final = re.compile(r"\bcookies(?:\.get\(|\[)\s*[\"']([\w.-]+)[\"']")
_HOLE: Final = re.compile(r"\{[^}]*\}")


def document_of(
    files: PythonFiles, port: int, given: Given, found: Application, python: Path | None, copy: Path
) -> Document:
    """Ask the running application, else its code.

    Raises:
        NotFoundProblem: neither gives a document.
    """
    written = [m for f in files.containing("openapi_url") for m in _OWN_DOCUMENT.findall(f.text) if m]
    plain = [m for m in written if "{" not in m]
    for path in dict.fromkeys([*plain, *_DOCUMENTS]):
        answer = send(port, Request("GET", path))
        if answer.fine:
            with contextlib.suppress(ValueError):
                return Document.read(answer.text)
    if python is not None:
        with contextlib.suppress(ValueError, IndexError):
            return Document.read(_from_code(given, found, python, copy))
    raise NotFoundProblem(
        "openapi-missing",
        f"The application answers none of {', '.join(_DOCUMENTS)} with an OpenAPI document.",
        hint="The proof walks what the document lists: leave openapi_url on while proving.",
    )


def _from_code(given: Given, found: Application, python: Path, copy: Path) -> str:
    module, _, name = found.target.removesuffix("()").partition(":")
    program = f"import json, {module} as m; print('\\n' + json.dumps(m.{name}.openapi()))"
    done = subprocess.run(
        [str(python), "-c", program],
        cwd=copy / found.base,
        env={name: value.reveal() for name, value in given.values.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout.strip().splitlines()[-1]


def cookies_in(files: PythonFiles) -> tuple[str, ...]:
    """Give the names of the cookies that the code reads."""
    found = [n for f in files.containing("cookies") for n in _COOKIE.findall(f.text)]
    return tuple(
        dict.fromkeys(n for n in found if not re.search(r"refresh|csrf|lang|theme", n, re.IGNORECASE))
    )


def places(routes: Routes) -> Callable[[str, str], str | None]:
    """Give what finds the file and line of a method and path."""
    exact = {(r.method, _HOLE.sub("{}", r.path).rstrip("/")): r for r in routes.routes}

    def place(method: str, path: str) -> str | None:
        plain = _HOLE.sub("{}", path).rstrip("/")
        found = exact.get((method, plain))
        if found is None:
            ends = [r for (m, p), r in exact.items() if m == method and p.strip("/{}") and plain.endswith(p)]
            found = max(ends, key=lambda r: len(r.path), default=None)
        return place_of(found) if found is not None else None

    return place


def place_of(route: Route) -> str:
    """Write a route's file and line."""
    return f"{route.file.path}:{route.line}"
