"""How many processes and threads a project starts: its Procfile, Dockerfile, compose and service files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from neondba.project.places import is_document, is_test
from neondba.project.tree import Tree

_STARTS: Final = (
    "Procfile",
    "Dockerfile",
    "gunicorn.conf.py",
    "gunicorn_conf.py",
    "package.json",
    "railway.json",
    "railway.toml",
    "fly.toml",
    "render.yaml",
    "app.json",
    "ecosystem.config.js",
    "ecosystem.config.cjs",
)
_SUFFIXES: Final = (".yml", ".yaml", ".sh", ".Dockerfile")
_SERVERS: Final = re.compile(
    r"uvicorn|gunicorn|hypercorn|granian|fastapi\W+run|WEB_CONCURRENCY|pm2|replicas|instances", re.IGNORECASE
)
_SHARED: Final = re.compile(
    r"(?:^|/)(?:\.?deploy\w*|infra\w*|k8s|kubernetes|helm|charts?|docker|ops|\.github)/"
)
"""Folders that deploy the programs of the whole repository."""
_STORES: Final = re.compile(r"postgres|redis|mongo|kafka|mysql|elastic|statefulset|rabbit", re.IGNORECASE)
_GAP: Final = r"[\"', ]*[= ][\"', ]*"
_WHAT: Final = {
    "workers": re.compile(
        rf"(?:--workers|(?:gunicorn|granian|hypercorn)\b[^\n]*?\s[\"']?-w|WEB_CONCURRENCY[\"']?\s*:?){_GAP}(?P<count>\d{{1,3}})\b"
        r"|^workers\s*=\s*(?P<conf>\d{1,3})\s*(?:#|$)|pm2\b[^\n]*\s-i\s+(?P<pm>\d{1,3})"
    ),
    "threads": re.compile(
        rf"--threads{_GAP}(?P<count>\d{{1,3}})\b|^threads\s*=\s*(?P<conf>\d{{1,3}})\s*(?:#|$)"
    ),
    "instances": re.compile(
        r"^\s*-?\s*[\"']?(?:replicas|maxReplicas|numInstances|maxInstances|numReplicas|max_machines_running)[\"']?"
        r"\s*[:=]\s*(?P<count>\d{1,4})\b"
    ),
}
_JOBS: Final = re.compile(
    r"\b(?P<tool>celery)\b[^\n]*\bworker\b|(?<![\w/.-])(?P<other>dramatiq|arq|taskiq worker|rq worker)\b"
)
_AT_ONCE: Final = re.compile(rf"(?:--concurrency|--processes|--threads|\s-c){_GAP}(?P<count>\d{{1,3}})\b")
_SERVERLESS: Final = {
    "vercel.json": "Vercel",
    "netlify.toml": "Netlify",
    "serverless.yml": "the Serverless Framework",
    "serverless.yaml": "the Serverless Framework",
    "serverless.ts": "the Serverless Framework",
    "wrangler.toml": "Cloudflare Workers",
    "wrangler.json": "Cloudflare Workers",
    "wrangler.jsonc": "Cloudflare Workers",
    "sst.config.ts": "SST",
    "zappa_settings.json": "Zappa",
    "samconfig.toml": "AWS SAM",
}


@dataclass(frozen=True)
class Count:
    """A number of processes or threads, and where it stands."""

    value: int
    path: str
    line: int

    @property
    def place(self) -> str:
        """The file and line."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Jobs:
    """Processes for work in the background, which have connections of their own."""

    tool: str
    at_once: int | None
    """How much they do at once, where it is written."""
    place: str


@dataclass(frozen=True)
class Serverless:
    """What runs each request, or few of them, in an instance of its own."""

    name: str
    path: str


def counts(tree: Tree, mine: Callable[[str], bool] = lambda _path: True) -> dict[str, Count]:
    """Give workers, threads and instances as far as files tell; the largest of each.

    Files of the same program count before those that speak of the repository as a whole.
    """
    found: dict[str, tuple[bool, Count]] = {}
    for name, count in _all(tree):
        ours = mine(count.path)
        if not ours and "/" in count.path and not _SHARED.search(count.path):
            continue
        if name not in found or (ours, count.value) > (found[name][0], found[name][1].value):
            found[name] = (ours, count)
    return {name: count for name, (_, count) in found.items()}


def _all(tree: Tree) -> Iterator[tuple[str, Count]]:
    for path in tree.named(*_STARTS, suffix=_SUFFIXES):
        text = tree.text(path) or ""
        if (
            is_test(path)
            or is_document(path)
            or _STORES.search(path)
            or not (_SERVERS.search(text) or "gunicorn" in path)
        ):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if line.lstrip().startswith(("#", "//")):
                continue
            for name, pattern in _WHAT.items():
                for match in pattern.finditer(line):
                    value = int(next(part for part in match.groups() if part))
                    if value:
                        yield name, Count(value, path, number)


def jobs(tree: Tree) -> list[Jobs]:
    """Give the commands that start workers of task queues."""
    found: dict[tuple[str, int | None], Jobs] = {}
    for path in tree.named(*_STARTS, suffix=_SUFFIXES):
        if is_test(path) or is_document(path):
            continue
        for number, line in enumerate((tree.text(path) or "").splitlines(), start=1):
            started = None if line.lstrip().startswith(("#", "//")) else _JOBS.search(line)
            if started:
                many = _AT_ONCE.search(line)
                told = Jobs(
                    started["tool"] or started["other"],
                    int(many["count"]) if many else None,
                    f"{path}:{number}",
                )
                found.setdefault((told.tool, told.at_once), told)
    return list(found.values())


def serverless(tree: Tree) -> Serverless | None:
    """Tell what serverless platform the project is made for, if one."""
    for path in tree.named(*_SERVERLESS):
        if "/" not in path or path.count("/") <= 2:
            return Serverless(_SERVERLESS[path.rpartition("/")[2]], path)
    return None
