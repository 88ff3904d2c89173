"""Computes: resume through the proxy, memory when idle, and how many this machine holds.

Memory is proportional set size, read of every process of a compute. COMPUTES says how many to wake.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psycopg

from neondba.local import launch
from neondba.neon.limits import Size

TIMES = int(os.environ.get("BENCH_RESUMES", "20"))
COMPUTES = int(os.environ.get("COMPUTES", "24"))


class Local:
    """A local Neon and its API."""

    def __init__(self, folder: Path) -> None:
        self.server = launch.ensure(folder)

    def ask(self, method: str, path: str, body: object = None) -> dict:
        """Ask the API; wait for a project that is busy."""
        url = f"http://127.0.0.1:{self.server.api_port}/api/v2{path}"
        headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def settled(self, project: str) -> None:
        """Wait until the project's operations are over."""
        while any(
            each["status"] in ("scheduling", "running")
            for each in self.ask("GET", f"/projects/{project}/operations")["operations"]
        ):
            time.sleep(0.02)

    def project(self, **defaults: float) -> dict:
        """Create a project."""
        body = {"project": {"name": "bench", "default_endpoint_settings": defaults}}
        made = self.ask("POST", "/projects", body)
        self.settled(made["project"]["id"])
        return made


def memory(name: str) -> float:
    """Give the megabytes that the processes of a compute have, shared ones divided."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"/branches/{name}/" not in str((entry / "cwd").readlink()) + "/":
                continue
            lines = (entry / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def resume(local: Local) -> None:
    """Measure from a suspended compute to the first answer."""
    made = local.project()
    project, endpoint = made["project"]["id"], made["endpoints"][0]["id"]
    url = made["connection_uris"][0]["connection_uri"]
    took = []
    for _ in range(TIMES):
        local.ask("POST", f"/projects/{project}/endpoints/{endpoint}/suspend")
        local.settled(project)
        begun = time.perf_counter()
        with psycopg.connect(url) as connection:
            connection.execute("select 1")
            took.append((time.perf_counter() - begun) * 1000)
    warm = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        with psycopg.connect(url) as connection:
            connection.execute("select 1")
            warm.append((time.perf_counter() - begun) * 1000)
    low, high = min(took), max(took)
    print(f"resume through the proxy: median {statistics.median(took):.0f} ms ({low:.0f} to {high:.0f})")
    print(f"connect to an awake one:  median {statistics.median(warm):.0f} ms")


def idle(local: Local) -> None:
    """Measure idle memory by size."""
    for cu in (0.25, 1, 4, 16):
        made = local.project(autoscaling_limit_min_cu=cu, autoscaling_limit_max_cu=cu)
        with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as connection:
            connection.execute("select 1")
        time.sleep(2)
        print(
            f"idle at {cu:>5} CU: {memory(made['branch']['id']):6.1f} MB, "
            f"max_connections {Size(cu, cu).max_connections}"
        )
        local.ask("DELETE", f"/projects/{made['project']['id']}?hard_delete=true")


def dozens(local: Local) -> None:
    """Keep many computes awake at once."""
    names, begun = [], time.perf_counter()
    for _ in range(COMPUTES):
        made = local.project()
        names.append(made["branch"]["id"])
    took = time.perf_counter() - begun
    time.sleep(2)
    held = [memory(name) for name in names]
    print(
        f"{COMPUTES} computes awake: {sum(held):.0f} MB in all, {statistics.mean(held):.1f} MB each; "
        f"made in {took:.1f} s"
    )


def main() -> None:
    """Measure on a local Neon of its own."""
    with tempfile.TemporaryDirectory(prefix="neondba-bench-") as folder:
        try:
            local = Local(Path(folder))
            resume(local)
            idle(local)
            dozens(local)
        finally:
            launch.stop(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
