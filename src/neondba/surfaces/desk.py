"""What every agent's call passes, whoever carries it: limits, our own tools, results kept to be read on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neondba.core.context import Context
from neondba.core.operation import Operation, find
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem
from neondba.surfaces import replies, search, tools
from neondba.surfaces.calls import Answer
from neondba.surfaces.replies import Reply
from neondba.surfaces.reply import Results
from neondba.surfaces.scope import Scope
from neondba.surfaces.shape import command_line


@dataclass(frozen=True)
class Asked:
    """A call of an operation that is within the limits."""

    operation: Operation
    arguments: Mapping[str, Any]
    dry_run: bool
    confirm: str | None
    through_run: bool
    """True where it came through `run_operation`."""


class Desk:
    """Takes a tool call apart, and puts the answer together."""

    def __init__(self, base: Context, operations: Mapping[str, Operation], scope: Scope) -> None:
        self.base = scope.applied(base)
        self._operations = operations
        self._scope = scope
        self._tools = {found.tool: found for found in operations.values()}
        self._results = Results()

    def own(self, name: str, given: Mapping[str, Any]) -> Reply | None:
        """Answer a call of the tools that are no operations; `None` if it is none of them.

        Raises:
            Problem: an argument is missing, or there is no such result.
        """
        if name == tools.FIND["name"]:
            found = search.find_operations(str(_one(given, "words")), self._operations)
            groups = sorted({each.words[0] for each in self._operations.values()})
            return replies.of_data({"operations": found} if found else {"operations": [], "groups": groups})
        return self._read(given) if name == tools.READ["name"] else None

    def asked(self, name: str, given: Mapping[str, Any]) -> Asked:
        """Give the operation that a call means.

        Raises:
            Problem: there is none, it is beyond the limits, or the call is malformed.
        """
        given = dict(given)
        through_run = name == tools.RUN["name"]
        operation = find(str(_one(given, "name"))) if through_run else self._named(name)
        dry_run, confirm = _running(operation, given, through_run=through_run)
        arguments = given.get("arguments") or {} if through_run else given
        if not isinstance(arguments, dict):
            raise ArgumentProblem("argument-invalid", "arguments is not an object.", argument="arguments")
        self._scope.check(operation, arguments)
        return Asked(operation, arguments, dry_run, confirm, through_run)

    def command(self, asked: Asked) -> list[str]:
        """Give the words that do the same in a terminal, with the settings of this session."""
        flags = self.base.settings.flags()
        # Which model talks is no matter to an operation; an argument of its own goes before a setting.
        passed = [words for name, words in flags.items() if name not in ("model", *asked.arguments)]
        return ["neondba", *command_line(asked.operation, asked.arguments), *passed]

    def reply(self, found: Answer, asked: Asked) -> Reply:
        """Give an operation's answer."""
        return replies.of_answer(found, self.command(asked), self._results, self.base.chance)

    def _read(self, given: Mapping[str, Any]) -> Reply:
        name, path = str(_one(given, "id")), str(given.get("path", ""))
        start = given.get("start", 0)
        if not isinstance(start, int) or start < 0:
            raise ArgumentProblem("argument-invalid", "start is not a count from 0.", argument="start")
        part = self._results.read(name, path)
        return replies.of_part(name, part, path, start, untrusted=name in self._results.untrusted)

    def _named(self, name: str) -> Operation:
        return self._tools[name] if name in self._tools else find(name)


def _one(given: Mapping[str, Any], name: str) -> Any:
    if name not in given:
        raise ArgumentProblem("argument-invalid", f"{name} is missing.", argument=name)
    return given[name]


def _running(operation: Operation, given: dict[str, Any], *, through_run: bool) -> tuple[bool, str | None]:
    """Take the two arguments that say how to run; an operation that only reads has none."""
    if not through_run and operation.effect is Effect.READ:
        return False, None
    dry_run, confirm = given.pop("dry_run", False), given.pop("confirm", None)
    if not isinstance(dry_run, bool):
        raise ArgumentProblem("argument-invalid", "dry_run is neither true nor false.", argument="dry_run")
    if confirm is not None and not isinstance(confirm, str):
        raise ArgumentProblem("argument-invalid", "confirm is not the hash of a plan.", argument="confirm")
    return dry_run, confirm
