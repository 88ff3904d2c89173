"""Throw-away branches where the platform does not play along."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from scripted_api import Script, branch, project

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, RemoteProblem
from neondba.core.secret import Secret
from neondba.neon.client import NeonClient
from neondba.neon.throwaway import throwaway_branch

P = "/projects/calm-sun-12345678"
NAME = f"neondba-test-{random.Random(1).getrandbits(32):08x}"


@dataclass
class Heard:
    said: list[str] = field(default_factory=list)

    def context(self) -> Context:
        return Context(chance=random.Random(1), listener=lambda text, _done: self.said.append(text))


def scripted(script: Script) -> None:
    script.answer("GET /projects", {"projects": [project()]})
    script.answer("GET /projects", {"projects": []})
    script.answer(f"GET {P}/branches", {"branches": [branch()]})
    script.answer(f"GET {P}/branches", {"branches": [branch(), branch(NAME, "br-2")]})
    script.answer(f"POST {P}/branches", {"branch": branch(NAME, "br-2")}, 201)
    database = {"id": 1, "branch_id": "br-2", "name": "neondb", "owner_name": "neondb_owner"}
    script.answer(f"GET {P}/branches/br-2/databases", {"databases": [database]})
    script.answer(f"GET {P}/connection_uri", {"uri": "postgresql://a:b@h/d"})


def test_what_cannot_be_removed_is_named_with_the_command(client: NeonClient, script: Script) -> None:
    scripted(script)
    script.answer(f"DELETE {P}/branches/br-2", {"message": "storage is down"}, 500)
    heard = Heard()
    with throwaway_branch(client, heard.context(), project="shop", purpose="test") as it:
        assert it.direct.reveal() == "postgresql://a:b@h/d"
    assert f"branch {NAME} may still be there" in heard.said[-1]
    assert heard.said[-1].endswith(f"neondba branch delete {NAME} --project calm-sun-12345678")


def test_a_branch_whose_creation_broke_off_is_looked_for_by_name(client: NeonClient, script: Script) -> None:
    scripted(script)
    script.answers[f"POST {P}/branches"] = [(0, {}, {})]
    script.answer(f"DELETE {P}/branches/br-2", b"", 204)
    with (
        pytest.raises(RemoteProblem, match="may have been done or not"),
        throwaway_branch(client, Heard().context(), project="shop", purpose="test"),
    ):
        pass
    assert script.calls()[-1] == f"DELETE {P}/branches/br-2"


def test_a_cloud_project_must_be_named() -> None:
    with (
        NeonClient("https://neon.example/api/v2", Secret("k")) as client,
        pytest.raises(ArgumentProblem, match="No project is named"),
        throwaway_branch(client, Context(), project=None, purpose="test"),
    ):
        pass
