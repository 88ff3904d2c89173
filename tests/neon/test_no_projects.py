"""Operations against an account without projects."""

from __future__ import annotations

import pytest
from scripted_api import Script

from neondba.branches.operations import branch_list
from neondba.branches.operations_projects import project_list
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.core.secret import Secret
from neondba.core.settings import Settings


def test_without_any_project_the_next_step_is_named(script: Script) -> None:
    script.answer("GET /projects", {"projects": []})
    ctx = Context(settings=Settings(api_key=Secret("k"), api_host=script.url))
    assert project_list(ctx).next == ("neondba project create NAME",)
    with pytest.raises(NotFoundProblem) as caught:
        branch_list(ctx)
    assert caught.value.hint == "neondba project create NAME makes one."
