"""Pipelines that reach production: GitHub's workflows and other files that are run or deployed from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from neondba.connections.environments_files import PRODUCTION, environment_of, of_variable
from neondba.connections.environments_results import IsolationFault
from neondba.connections.explain_results import Place
from neondba.project.addresses import Addresses, is_stand_in_host
from neondba.project.tree import Tree

_SECRET: Final = re.compile(r"\bsecrets\.(?P<name>[A-Za-z_]\w*)")
_DATABASE: Final = re.compile(
    r"(?:^|_)(?:DATABASE|POSTGRES(?:QL)?|DB|PG|NEON|DIRECT)(?:_|[A-Z]*$|(?=URL)).*"
    r"(?:URL|URI|DSN|PASSWORD|PASS|HOST|CONN\w*)(?:_|$)|^PG[A-Z]+$|_DSN$",
    re.IGNORECASE,
)
_PULLS: Final = re.compile(
    r"(?m)^\s*-?\s*[\"']?pull_request(?:_target)?[\"']?\s*:?\s*(?:$|#)|\bon:\s*\[?[^\n]*\bpull_request"
)
_JOB: Final = re.compile(r"^(?P<indent> +)(?P<name>[\w-]+):\s*(?:#.*)?$")
_ENVIRONMENT: Final = re.compile(r"^\s+environment:\s*(?:$|\S)")
_GUARD: Final = re.compile(
    r"^\s+if:.*(?:refs/heads/(?:main|master|production)|ref_name\s*==\s*'(?:main|master|production)'"
    r"|event_name\s*==\s*'(?:push|release|workflow_dispatch|schedule)'|event_name\s*!=\s*'pull_request)"
)
_TESTS: Final = re.compile(
    r"\b(?:pytest|vitest|jest|go test|tox|playwright|make test)\b|\b(?:npm|pnpm|yarn|bun)\b.*\btest"
)
_RUN_BY: Final = re.compile(
    r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$|(?:^|/)(?:fly|netlify|render|railway)\.(?:toml|ya?ml|json)$"
    r"|(?:^|/)vercel\.json$|^\.github/workflows/|^\.gitlab-ci\.yml$|(?:^|/)(?:k8s|kubernetes|helm|deploy)/.*\.ya?ml$"
    r"|(?:^|/)Dockerfile[\w.-]*$"
)


@dataclass(frozen=True)
class _Job:
    """A job of a workflow, with its lines."""

    name: str
    first: int
    lines: tuple[str, ...]
    head: tuple[str, ...]
    """What stands before the jobs: triggers and variables of all."""

    @property
    def guarded(self) -> bool:
        """True where pull requests do not run it."""
        return any(_GUARD.search(line) for line in self.lines)

    @property
    def environment(self) -> bool:
        """True for a job of one of GitHub's environments, whose secrets are its own."""
        return any(_ENVIRONMENT.search(line) for line in self.lines)

    @property
    def tests(self) -> bool:
        """True for a job that runs tests."""
        return any(_TESTS.search(line) for line in self.lines)


def faults(tree: Tree, addresses: Addresses) -> Iterator[IsolationFault]:
    """Give what in pipelines and deployments points at production and should not."""
    for path in tree.named(suffix=(".yml", ".yaml")):
        if path.startswith(".github/workflows/") or "/.github/workflows/" in path:
            yield from _workflow(path, tree.text(path) or "")
    yield from _written_out(addresses)


def _workflow(path: str, text: str) -> Iterator[IsolationFault]:
    on_pulls = bool(_PULLS.search(text.split("\njobs:")[0]))
    found: dict[str, IsolationFault] = {}
    for job in _jobs(text):
        for number, line in enumerate(job.lines, start=job.first):
            for secret in _SECRET.finditer("" if line.lstrip().startswith("#") else line):
                fault = _of_secret(path, number, secret["name"], job, on_pulls=on_pulls and not job.guarded)
                if fault:
                    known = found.get(fault.said)
                    places = (*known.places, *fault.places) if known else fault.places
                    found[fault.said] = fault.model_copy(update={"places": places})
    yield from found.values()


def _of_secret(path: str, line: int, name: str, job: _Job, *, on_pulls: bool) -> IsolationFault | None:
    if not _DATABASE.search(name):
        return None
    production = of_variable(name) == PRODUCTION
    where = f"job {job.name}" + (", on pull requests" if on_pulls else "")
    place = (Place(path=path, line=line, why=f"secrets.{name}, {where}"),)
    if production and (on_pulls or job.tests):
        return IsolationFault(
            id="production-in-ci",
            said=f"A pipeline uses production's database: secrets.{name} in {where}.",
            why="Every pull request, and every test in it, works on the users' rows.",
            evidence="read",
            places=place,
            steps=(
                "Give each pull request a branch: neondba workflow write",
                f"Keep {name} as a secret of an environment that only the deployment names, by "
                "`environment: production` in its job.",
            ),
        )
    unclear = of_variable(name) is None and not job.environment and not _made_here(name, job)
    if unclear and (job.tests or on_pulls):
        who = "Tests run" if job.tests else "Pull requests run"
        return IsolationFault(
            id="one-secret-for-all",
            said=f"{who} with secrets.{name} (job {job.name}), and nothing says of which environment it is.",
            why="A secret of the whole repository is the same for tests, pull requests and deployments. What "
            "it holds cannot be read from here.",
            evidence="read",
            places=place,
            steps=(
                "Run tests on a branch of their own: neondba run -- pytest",
                f"Or make {name} a secret of an environment for tests, and name that in the job.",
            ),
        )
    return None


def _made_here(name: str, job: _Job) -> bool:
    """Tell whether the job has a database of its own and only a password or name comes from the secret."""
    services = any(
        re.search(r"image:\s*[\"']?(?:\w+/)*(?:postgres|postgis|pgvector)", line) for line in job.lines
    )
    return services and not re.search(r"URL|URI|DSN", name)


def _jobs(text: str) -> Iterator[_Job]:
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines) if re.match(r"jobs:\s*(?:#|$)", line)), None)
    if start is None:
        return
    heads = [n for n in range(start + 1, len(lines)) if _JOB.match(lines[n])]
    # As far in as the first one: what is further in are parts of jobs.
    indent = len(lines[heads[0]]) - len(lines[heads[0]].lstrip()) if heads else 0
    heads = [n for n in heads if len(lines[n]) - len(lines[n].lstrip()) == indent]
    for first, end in zip(heads, [*heads[1:], len(lines)][: len(heads)], strict=True):
        found = _JOB.match(lines[first])
        assert found is not None
        yield _Job(found["name"], first + 1, tuple(lines[first:end]), tuple(lines[:start]))


def _written_out(addresses: Addresses) -> Iterator[IsolationFault]:
    """Give the databases that stand, password and all, in files that pipelines run from."""
    for address in addresses.all:
        if not (address.is_neon and _RUN_BY.search(address.path)) or is_stand_in_host(address.host):
            continue
        environment = environment_of(address.path) if "." in address.path else ""
        yield IsolationFault(
            id="database-in-pipeline",
            said=f"A pipeline's file holds a database with its password: {address.shown}.",
            why="Whoever reads the repository can log in, and every environment built from this file has "
            "the same database" + (f", that of {environment}." if environment == PRODUCTION else "."),
            evidence="read",
            places=(Place(path=address.path, line=address.line, why=address.host),),
            steps=(
                "Put it into a secret of the environment it is for, and rotate the role's password.",
                "Give pull requests branches of their own: neondba workflow write",
            ),
        )
