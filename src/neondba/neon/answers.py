"""From the API's JSON to our models, and problems where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from neondba.core.problem import ArgumentProblem, NotFoundProblem, RemoteProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import mask_text
from neondba.neon.models import Branch, NeonModel, Operation, Project, Snapshot

_MAKES: Final = {"project": "NAME", "branch": "NAME", "snapshot": "--branch BRANCH"}
M = TypeVar("M", bound=NeonModel)
T = TypeVar("T")
Named = TypeVar("Named", Project, Branch, Snapshot)


def one(kind: type[M], answer: Mapping[str, Any], key: str | None = None) -> M:
    """Read one object of an answer."""
    return _checked(kind, lambda: kind.model_validate(answer.get(key) if key else answer))


def many(kind: type[M], answer: Mapping[str, Any], key: str) -> list[M]:
    """Read a list of objects of an answer; absent is empty."""
    return _checked(kind, lambda: [kind.model_validate(each) for each in answer.get(key) or []])


def secret(answer: Mapping[str, Any], key: str) -> Secret:
    """Read a text of an answer that must never be shown."""
    value = answer.get(key)
    if not isinstance(value, str):
        raise RemoteProblem("neon-answer-unknown", f"Neon's answer holds no {key}.")
    return Secret(value)


def _checked(kind: type[NeonModel], read: Callable[[], T]) -> T:
    try:
        return read()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise RemoteProblem(
            "neon-answer-unknown",
            f"Neon's answer holds no usable {kind.__name__}: {field}: {first['msg']}.",
            hint="Check that --api-host names a Neon API and ends in /api/v2.",
        ) from None


def failed(operation: Operation) -> RemoteProblem:
    """Give the problem of an operation that has ended badly."""
    why = mask_text(operation.error or "no reason given")
    return RemoteProblem(
        "operation-failed",
        f"Neon's {operation.action} ended as {operation.status}: {why}.",
        hint="Look at the project in the Neon Console, then try again.",
        operation_id=operation.id,
        action=operation.action,
    )


def slow(operation: Operation, limit: float) -> RemoteProblem:
    """Give the problem of an operation that does not end."""
    return RemoteProblem(
        "operation-slow",
        f"Neon's {operation.action} is still {operation.status} after {limit:.0f} s.",
        hint="It goes on without us; look again later.",
        operation_id=operation.id,
    )


def found(kind: str, wanted: str, there: list[Named], within: str | None) -> Named:
    """Pick by id, else by a name that only one has."""
    same = [each for each in there if each.id == wanted] or [each for each in there if each.name == wanted]
    if len(same) == 1:
        return same[0]
    where = f" in project {within}" if within else ""
    if same:
        raise ArgumentProblem(
            f"{kind}-ambiguous",
            f"{len(same)} {kind}s{where} are called {wanted}: {', '.join(each.id for each in same)}.",
            hint="Name it by its id.",
        )
    names = ", ".join(sorted(each.name for each in there)[:10])
    raise NotFoundProblem(
        f"{kind}-not-found",
        f"There is no {kind} {wanted}{where}.",
        hint=f"There are: {names}."
        if names
        else f"There is no {kind} at all yet: neondba {kind} create {_MAKES[kind]}",
    )
