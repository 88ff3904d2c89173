"""Answer a model's calls in the terminal: what changes something is shown and asked about first."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from neondba.assistant import chat_agent
from neondba.assistant.chat_transcript import Hiding, Transcript
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.plan import Plan
from neondba.core.problem import ConfirmationNeeded, ConflictProblem, Problem
from neondba.surfaces import replies, tools
from neondba.surfaces.calls import Answer, gated
from neondba.surfaces.consent import FLAG
from neondba.surfaces.desk import Asked, Desk
from neondba.surfaces.replies import Reply
from neondba.surfaces.threads import in_thread


@dataclass(frozen=True)
class User:
    """How the user is shown things and asked."""

    tell: Callable[[str], None]
    progress: Callable[[str, float | None], None]
    ask: Callable[[Plan], bool] | None
    """`None` where nobody can answer."""


class Calls:
    """Carries out what the model asks for, through the gate that every agent passes."""

    def __init__(self, desk: Desk, user: User, hiding: Hiding, transcript: Transcript) -> None:
        self._desk = desk
        self._user = user
        self._hiding = hiding
        self._transcript = transcript

    def tools(self, operations: Mapping[str, Operation]) -> list[chat_agent.Tool]:
        """Give what the model may call."""
        listed = [
            self._tool(one["name"], one["description"], one["inputSchema"])
            for one in tools.listed(operations)
        ]
        return [*listed, self._tool("read_skill", "Read a skill or a page of it.", chat_agent.READ_SKILL)]

    def _tool(self, name: str, description: str, schema: dict[str, Any]) -> chat_agent.Tool:
        # Consent is the user's: the model has no argument to claim it with.
        properties = {key: one for key, one in schema.get("properties", {}).items() if key != "confirm"}

        async def call(**given: Any) -> str:
            return await self.answer(name, given)

        return chat_agent.Tool(name, description, {**schema, "properties": properties}, call)

    async def answer(self, name: str, given: dict[str, Any]) -> str:
        """Answer one call; a problem is an answer too."""
        self._transcript.write("call", tool=name, arguments=given)
        self._user.tell(f"  {self._hiding.text(_in_brief(name, given))}")
        try:
            reply = await self._reply(name, given)
        except Problem as problem:
            reply = replies.of_problem(problem)
        self._transcript.write("reply", tool=name, error=reply.is_error, body=reply.body)
        return self._shown(reply)

    async def _reply(self, name: str, given: dict[str, Any]) -> Reply:
        if name == "read_skill":
            text = chat_agent.read_skill(
                self._desk.base, str(given.get("name", "")), str(given.get("page") or "")
            )
            return Reply({"text": text}, text)
        own = self._desk.own(name, given)
        return own if own is not None else await self._run(self._desk.asked(name, given))

    async def _run(self, asked: Asked) -> Reply:
        ctx = replace(self._desk.base, dry_run=asked.dry_run, confirmation=None, ask=None)
        found = await self._carried_out(asked, ctx)
        if isinstance(found.problem, ConfirmationNeeded) and "plan" in found.problem.facts:
            plan = Plan.model_validate(found.problem.facts["plan"])
            self._agree(plan, asked)
            found = await self._carried_out(asked, replace(ctx, confirmation=plan.hash))
        return self._desk.reply(found, asked)

    async def _carried_out(self, asked: Asked, ctx: Context) -> Answer:
        return await in_thread(
            ctx, lambda mine: gated(asked.operation, mine, asked.arguments), self._user.progress
        )

    def _agree(self, plan: Plan, asked: Asked) -> None:
        """Ask the user for consent to this plan.

        Raises:
            ConflictProblem: there is none.
        """
        agreed = self._user.ask(plan) if self._user.ask else None
        self._transcript.write("consent", plan=plan.model_dump(mode="json"), hash=plan.hash, agreed=agreed)
        if agreed:
            return
        if agreed is None:
            command = shlex.join([*self._desk.command(asked), FLAG, plan.hash])
            self._user.tell(f"Not done: nobody is at the terminal. To do it:\n  {self._hiding.text(command)}")
            raise ConflictProblem(
                "nobody-to-ask",
                f"{plan.operation} was not carried out: nobody is at the terminal to agree to its plan.",
                hint="The user was shown the command that carries it out. Do not call it again.",
                steps=list(plan.steps),
            )
        self._user.tell("Not done.")
        raise ConflictProblem(
            "refused-by-user",
            f"The user has refused {plan.operation}. Nothing was changed.",
            hint="Do not call it again unless the user asks for it.",
        )

    def _shown(self, reply: Reply) -> str:
        """Give a reply to the model: all of it is inside the mark where a database may have written it."""
        body = self._hiding.data(reply.body)
        text = body["text"] if list(body) == ["text"] else json.dumps(body, ensure_ascii=False)
        return replies.marked(text)[1] if reply.untrusted else text


def _in_brief(name: str, given: Mapping[str, Any]) -> str:
    named = given.get("name", "") if name in ("run_operation", "read_skill") else ""
    arguments = given.get("arguments") if name == "run_operation" else given
    values = arguments.items() if isinstance(arguments, dict) and name != "read_skill" else []
    said = " ".join(f"{key}={value}" for key, value in values)
    if name == "read_skill":
        said, named = f"{named} {given.get('page') or ''}".strip(), "read_skill"
    return " ".join(part for part in (str(named) or name, said) if part)[:200]
