"""What a compute may preload, and what an adviser would say."""

from __future__ import annotations

from typing import Any

from neondba.local.api.call import Call, answers
from neondba.local.computes.settings import LIBRARIES


@answers(
    "GET",
    "/projects/{project_id}/available_preload_libraries",
    "getAvailablePreloadLibraries",
    says="Lists the libraries that computes may preload.",
    differs="Those that this machine's PostgreSQL has.",
)
def available(call: Call) -> dict[str, Any]:
    """List the libraries that computes may preload."""
    with call.plane.state.read() as rows:
        call.project(rows)
    present = {path.stem for path in call.plane.binaries.folder.glob("lib/**/*.so")}
    shown = [
        {
            "library_name": name,
            "description": about,
            "is_default": default,
            "is_experimental": False,
            "version": version,
        }
        for name, (version, about, default) in LIBRARIES.items()
        if name in present
    ]
    return {"libraries": shown}


@answers(
    "GET",
    "/projects/{project_id}/advisors",
    "getProjectAdvisorSecurityIssues",
    says="Lists what an adviser would say about a branch's database.",
    differs="Always empty: Neon's checks are about its Data API. `neondba review` and its proofs say more.",
)
def advisors(call: Call) -> dict[str, Any]:
    """List an adviser's issues: none, since there is no Data API to be unsafe."""
    with call.plane.state.read() as rows:
        if branch_id := call.query.get("branch_id"):
            call.branch(rows, branch_id)
        call.project(rows)
    return {"issues": []}
