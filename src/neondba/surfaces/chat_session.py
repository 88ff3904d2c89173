"""One chat: what was said so far, the model, the record. Imported only when chatting."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic_ai import AgentRunError, RunUsage, UserError

from neondba import capabilities
from neondba.assistant import chat_agent
from neondba.assistant.chat_transcript import Hiding, Transcript
from neondba.core.context import Context
from neondba.core.plan import Plan
from neondba.core.problem import Problem, RemoteProblem
from neondba.surfaces import consent, output
from neondba.surfaces.blocks import clean
from neondba.surfaces.chat_tools import Calls, User
from neondba.surfaces.desk import Desk
from neondba.surfaces.progress import ProgressLine
from neondba.surfaces.scope import Scope

if TYPE_CHECKING:
    from pydantic_ai import Agent, ModelMessage
    from pydantic_ai.models import Model


@contextmanager
def session(base: Context, model: Model, scope: Scope, *, recorded: bool = True) -> Iterator[Session]:
    """Begin a chat; at its end tell what it took and where it is recorded."""
    hiding = Hiding(base)
    operations = scope.offered(capabilities.load())
    desk = Desk(base, operations, scope)
    with Transcript(base, hiding, kept=recorded) as transcript, asyncio.Runner() as runner:
        transcript.write(
            "start", model=f"{model.system}:{model.model_name}", project=desk.base.settings.project
        )
        line = ProgressLine(quiet=False)
        calls = Calls(desk, _user(line), hiding, transcript)
        made = chat_agent.agent(model, calls.tools(operations), desk.base)
        talk = Session(made, runner, hiding, transcript, line)
        try:
            yield talk
        finally:
            talk.end()


class Session:
    """Asks the model, with all that was said before."""

    def __init__(
        self,
        agent: Agent[object, str],
        runner: asyncio.Runner,
        hiding: Hiding,
        transcript: Transcript,
        line: ProgressLine,
    ) -> None:
        self._agent = agent
        self._runner = runner
        self._hiding = hiding
        self._transcript = transcript
        self._line = line
        self._said: list[ModelMessage] = []
        self._usage = RunUsage()

    def ask(self, question: str) -> None:
        """Ask, and print the answer.

        Raises:
            RemoteProblem: the model gave none.
        """
        sent = self._hiding.text(question)
        if sent != question:
            output.err("A secret in your question was replaced by ***; the model does not see it.")
        self._transcript.write("question", text=question)
        try:
            # The runner turns Ctrl-C into cancelling, which reaches an operation that runs.
            made = self._runner.run(self._agent.run(sent, message_history=self._said, usage=self._usage))
        except (AgentRunError, UserError) as error:
            raise self._failed(error) from None
        finally:
            self._line.clear()
        self._said = made.all_messages()
        self._transcript.write("answer", text=made.output)
        output.out(clean(self._hiding.text(made.output)))

    def end(self) -> None:
        """Tell what the chat took."""
        used: dict[str, Any] = {
            "requests": self._usage.requests,
            "input_tokens": self._usage.input_tokens,
            "output_tokens": self._usage.output_tokens,
        }
        self._transcript.write("end", **used)
        output.err(
            f"\n{used['requests']} requests, {used['input_tokens']} tokens in, {used['output_tokens']} out."
            + (f" Recorded in {self._transcript.path}" if self._transcript.path else "")
        )

    def _failed(self, error: Exception) -> Problem:
        said = clean(self._hiding.text(str(error)))[:500]
        self._transcript.write("failure", error=type(error).__name__, text=said)
        return RemoteProblem(
            "model-failed",
            f"The model gave no answer: {type(error).__name__}: {said}",
            hint="Ask again, or choose another with --model. Changes that you agreed to were made: "
            "neondba audit log",
        )


def _user(line: ProgressLine) -> User:
    def tell(text: str) -> None:
        line.clear()
        output.err(clean(text))

    def ask(plan: Plan) -> bool:
        line.clear()
        # While the loop waits for us, its own handler would only note the Ctrl-C.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            _drop_typed_ahead()
            return consent.ask(plan)
        finally:
            signal.signal(signal.SIGINT, before)

    return User(tell, line, ask if consent.asker() is not None else None)


def _drop_typed_ahead() -> None:
    """Forget what was typed or pasted before the plan was seen: it is no consent to it."""
    try:
        import termios
    except ImportError:  # Windows
        return
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
