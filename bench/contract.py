"""Attack a local Neon with requests made from the published document, right ones and wrong ones.

contract.py [--cases 10000] [--clients 1] [--minutes 120] [--seed 1] [--only OPERATION …]
            [--state-dir FOLDER]

Every answer is checked: no server error, no status, content type or body that the document does not
foresee. Some path parameters are ids that exist, so that handlers are reached; what is created is deleted
again. Exit status 1 if anything was found. Also prints what checking a usual request costs.
"""

from __future__ import annotations

import argparse
import collections
import random
import shutil
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks as openapi_checks

from neondba.local import launch
from neondba.local.api.people import MEMBER
from neondba.local.api.routes import everything
from neondba.local.api.views import ORGANIZATION
from neondba.local.contract.checks import answer_fault, checker
from neondba.local.contract.document import PREFIX, document

CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]
HEADERS = {"Authorization": "Bearer any"}
COSTLY = {
    "createProject": 12,
    "createProjectBranch": 30,
    "createProjectBranchAnonymized": 12,
    "restoreProjectBranch": 12,
    "restoreSnapshot": 12,
    "createSnapshot": 20,
    "createProjectEndpoint": 30,
    "restartProjectEndpoint": 12,
    "startProjectEndpoint": 20,
    "suspendProjectEndpoint": 20,
    "finalizeRestoreBranch": 12,
    "recoverProject": 12,
    "recoverProjectBranch": 12,
    "startAnonymization": 12,
}
"""Cases at most, of operations that copy data or start computes."""
LEAST = 20
"""Cases of an operation that is refused in any case."""
ONLY_STRANGERS = {"deleteProject"}
REAL = 0.7


class Ground:
    """A project whose ids the attack may use, made whole again when an attack has taken parts away."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        made = self.ask("POST", "/projects", {"project": {"name": "ground"}})
        self.project = made["project"]["id"]
        self.main = made["branch"]["id"]
        self.known: dict[str, list[str]] = {}
        self.refresh()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(60):
            answer = self.session.request(
                method, self.address + PREFIX + path, json=body, headers=HEADERS, timeout=120
            )
            if answer.status_code != 423:
                break
            time.sleep(0.5)
        return answer.json() if answer.content else None

    def refresh(self) -> None:
        """Make sure that there is a branch with a compute, a role and a database; read all ids."""
        at = f"/projects/{self.project}"
        branches = self.ask("GET", f"{at}/branches")["branches"]
        spare = [each["id"] for each in branches if each["id"] != self.main]
        if not spare:
            size = {"autoscaling_limit_min_cu": 0.25, "autoscaling_limit_max_cu": 0.25}
            wanted = {"branch": {"parent_id": self.main}, "endpoints": [{"type": "read_write", **size}]}
            made = self.ask("POST", f"{at}/branches", wanted)
            if "branch" not in made:
                raise SystemExit(f"the ground cannot be made whole: {made}")
            spare = [made["branch"]["id"]]
        branch = f"{at}/branches/{spare[0]}"
        endpoints = self.ask("GET", f"{at}/endpoints")["endpoints"]
        operations = self.ask("GET", f"{at}/operations?limit=5")["operations"]
        snapshots = (self.ask("GET", f"{at}/snapshots") or {}).get("snapshots", [])
        self.known = {
            "project_id": [self.project],
            "branch_id": [self.main, *spare[:2]],
            "base_branch_id": [self.main, *spare[:2]],
            "parent_id": [self.main, *spare[:2]],
            "source_branch_id": [self.main, *spare[:2]],
            "target_branch_id": spare[:2],
            "endpoint_id": [each["id"] for each in endpoints] or ["ep-none"],
            "database_name": self.names(branch, "databases"),
            "db_name": self.names(branch, "databases"),
            "role_name": self.names(branch, "roles"),
            "owner_name": self.names(branch, "roles"),
            "operation_id": [each["id"] for each in operations],
            "snapshot_id": [each["id"] for each in snapshots] or ["snap-none"],
            "org_id": [ORGANIZATION],
            "source_org_id": [ORGANIZATION],
            "destination_org_id": [ORGANIZATION],
            "member_id": [MEMBER],
            "region_id": ["aws-us-east-2", "azure-gwc"],
            "project_ids": [self.project],
            "key_id": [str(each["id"]) for each in self.ask("GET", "/api_keys")][:3] or ["1"],
        }

    def names(self, branch: str, kind: str) -> list[str]:
        found = (self.ask("GET", f"{branch}/{kind}") or {}).get(kind, [])
        return [each["name"] for each in found] or ["neondb"]


class Attack:
    """One client that works through the operations."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.chance = random.Random(seed)
        self.session = requests.Session()
        self.statuses: collections.Counter[int] = collections.Counter()
        self.times: list[tuple[float, str]] = []
        self.found: dict[tuple[str, str], str] = {}

    def run(self, operation: Any, mode: Any, cases: int, seed: int) -> None:
        """Send so many cases of one operation; an operation without parameters has fewer."""
        settings = hypothesis.settings(
            max_examples=cases,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

        @hypothesis.seed(seed)
        @settings
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            self.one(operation, case)

        try:
            send()
        except Unsatisfiable:
            return

    def one(self, operation: Any, case: Any) -> None:
        name = operation.definition.raw["operationId"]
        if name not in ONLY_STRANGERS:
            self.place(case)
        started = time.perf_counter()
        try:
            answer = case.call(
                base_url=self.ground.address + PREFIX, session=self.session, headers=HEADERS, timeout=180
            )
        except requests.RequestException as error:
            self.note(name, f"no answer: {type(error).__name__}", case)
            return
        self.times.append((time.perf_counter() - started, name))
        if len(self.times) % 1000 == 0:
            print(f"{len(self.times)} cases", file=sys.stderr, flush=True)
        self.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            parts = getattr(failure, "exceptions", [failure])
            for part in parts:
                said = answer.text[:200] if answer.status_code >= 500 else str(part)[:300]
                self.note(name, f"{answer.status_code} {type(part).__name__}: {said}", case)
        body = answer.json() if answer.content else None
        if fault := answer_fault(name, answer.status_code, body):
            self.note(name, f"{answer.status_code} {fault}"[:400], case)
        self.undo(name, answer.status_code, body)

    def place(self, case: Any) -> None:
        """Put ids that exist where some stand."""
        for holder in (case.path_parameters, case.query):
            for name in list(holder or {}):
                if name in self.ground.known and self.chance.random() < REAL:
                    holder[name] = self.chance.choice(self.ground.known[name])
        self.place_in(case.body)

    def place_in(self, body: Any) -> None:
        if isinstance(body, list):
            for each in body:
                self.place_in(each)
        if not isinstance(body, dict):
            return
        for name, value in body.items():
            if isinstance(value, str) and name in self.ground.known and self.chance.random() < REAL:
                body[name] = self.chance.choice(self.ground.known[name])
            self.place_in(value)

    def undo(self, name: str, status: int, body: Any) -> None:
        """Delete at once what takes room."""
        if status not in (200, 201):
            return
        if name.startswith(("delete", "recover", "restore")):
            self.ground.refresh()
        elif name == "createProject":
            self.ground.ask("DELETE", f"/projects/{body['project']['id']}?hard_delete=true")
        elif isinstance(body, dict) and name in ("createProjectBranch", "createProjectBranchAnonymized"):
            branch = body["branch"]
            at = f"/projects/{branch['project_id']}/branches/{branch['id']}"
            if branch.get("protected"):
                self.ground.ask("PATCH", at, {"branch": {"protected": False}})
            self.ground.ask("DELETE", f"{at}?hard_delete=true")

    def note(self, name: str, said: str, case: Any) -> None:
        self.found.setdefault((name, said), case.as_curl_command()[:600])


def plan(schema: Any, cases: int, only: list[str]) -> list[tuple[Any, int]]:
    """Share the cases among the operations; what costly ones may not have goes to the others."""
    every = [result.ok() for result in schema.get_all_operations()]
    if only:
        every = [each for each in every if each.definition.raw["operationId"] in only]
    refused = {route.operation_id for route in everything() if not route.checked}
    limits = [
        min(COSTLY.get(name, cases), LEAST if name in refused else cases)
        for name in (each.definition.raw["operationId"] for each in every)
    ]
    even, left = cases // len(every), cases
    for limit in limits:
        left -= min(limit, even)
    able = sum(limit > even for limit in limits)
    more = -(-left // able) if able else 0
    return [
        (each, limit if limit <= even else even + more) for each, limit in zip(every, limits, strict=True)
    ]


def attack(ground: Ground, cases: int, seed: int, only: list[str], until: float) -> Attack:
    """Send about so many cases, half of them right; end in time."""
    client = Attack(ground, seed)
    told = document()
    told.pop("security")  # or a tenth of the cases would only be about the key
    schema = schemathesis.openapi.from_dict(told)
    work = plan(schema, cases, only)
    wanted = cases
    for turn in range(6):
        client.chance.shuffle(work)
        for at, (operation, many) in enumerate(work):
            if sum(client.statuses.values()) >= wanted or time.monotonic() > until:
                return client
            name = operation.definition.raw["operationId"]
            if turn and (name in COSTLY or many <= LEAST):
                continue
            if at % 30 == 0:
                ground.refresh()
            for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                client.run(operation, mode, max(1, many // 2), seed * 100_000 + turn * 1000 + at)
    return client


def cost() -> None:
    """Print what checking a usual request takes."""
    body = {"branch": {"name": "dev", "parent_id": "br-x"}, "endpoints": [{"type": "read_write"}]}
    check, rounds = checker("createProjectBranch"), 2000
    started = time.perf_counter()
    for _ in range(rounds):
        check.path({"project_id": "calm-river-12345678"})
        check.query([])
        check.body(body)
    taken = (time.perf_counter() - started) / rounds
    print(f"checking a branch creation: {taken * 1000:.3f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=120, help="end then, with fewer cases")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--state-dir", type=Path, help="an empty folder; a new one if absent")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    load_all_checks()
    state = options.state_dir or Path(tempfile.mkdtemp(prefix="neondba-contract-"))
    state.chmod(0o755)
    started = time.perf_counter()
    try:
        server = launch.ensure(state)
        address = f"http://127.0.0.1:{server.api_port}"
        clients = run_all(address, options)
        alive = requests.get(f"{address}/local/status", headers=HEADERS, timeout=30).status_code == 200
    finally:
        launch.stop(state)
        shutil.rmtree(state, ignore_errors=True)
    cost()
    return report(clients, alive, time.perf_counter() - started)


def run_all(address: str, options: argparse.Namespace) -> list[Attack]:
    ground, made = Ground(address), []
    until = time.monotonic() + 60 * options.minutes
    each = options.cases // options.clients

    def work(number: int) -> None:
        made.append(attack(ground, each, options.seed + number, options.only, until))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(made) != options.clients:
        raise SystemExit("a client failed; its error is above")
    return made


def report(clients: list[Attack], alive: bool, seconds: float) -> int:
    statuses = sum((client.statuses for client in clients), collections.Counter[int]())
    times = sorted(taken for client in clients for taken in client.times)
    found = {key: value for client in clients for key, value in client.found.items()}
    cases = sum(statuses.values())
    print(f"{cases} cases by {len(clients)} clients in {seconds:.0f} s")
    print("statuses: " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    print(f"answers: median {times[len(times) // 2][0] * 1000:.1f} ms, slowest {times[-1][0]:.1f} s")
    total: collections.Counter[str] = collections.Counter()
    for taken, name in times:
        total[name] += taken
    print("most time: " + ", ".join(f"{name} {taken:.0f} s" for name, taken in total.most_common(6)))
    errors = sum(count for status, count in statuses.items() if status >= 500 and status != 507)
    print(f"server errors: {errors}; undocumented answers: {len(found)} kinds; server alive: {alive}")
    for (name, said), curl in sorted(found.items()):
        print(f"- {name}: {said}\n    {curl}")
    return 1 if found or errors or not alive else 0


if __name__ == "__main__":
    sys.exit(main())
