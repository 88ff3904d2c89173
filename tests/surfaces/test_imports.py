"""What is imported when: a command must not wait for what it does not use."""

from __future__ import annotations

import subprocess
import sys

HEAVY = "mcp pydantic_ai starlette uvicorn psycopg postgast sqlalchemy sqlmodel httpx2 cryptography alembic"


def imported(code: str, among: str, *argv: str) -> str:
    """Run some code and give which of these modules it has imported."""
    after = "\nprint([name for name in sys.argv[1].split() if name in sys.modules])"
    command = [sys.executable, "-c", f"import sys\n{code}{after}", among, *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()[-1]


RUN = "from neondba.surfaces.cli import run; run(sys.argv[2:])"


def test_a_list_of_operations_imports_nothing_heavy() -> None:
    assert imported(RUN, f"{HEAVY} rich.table", "operation", "list") == "[]"


def test_the_status_of_the_local_neon_imports_nothing_heavy() -> None:
    assert imported(RUN, HEAVY, "local", "status") == "[]"


def test_every_operation_and_proof_is_known_without_what_it_works_with() -> None:
    code = (
        "from neondba import capabilities; from neondba.surfaces import tools\n"
        "assert len(tools.listed(capabilities.load())) > 5"
    )
    assert imported(code, HEAVY) == "[]"


def test_the_agents_server_starts_without_driver_parser_and_tables() -> None:
    # The official SDK brings starlette, uvicorn, httpx2 and cryptography itself.
    code = (
        "from neondba.core.context import Context; from neondba.core.settings import load\n"
        "from neondba.surfaces import mcp; mcp.server(Context(settings=load({})))"
    )
    assert imported(code, "psycopg postgast sqlalchemy sqlmodel alembic") == "[]"
