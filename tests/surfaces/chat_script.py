"""A model that makes given calls, then answers; run as a program, it chats with the toys."""

from __future__ import annotations

import sys
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

Call = tuple[str, dict[str, Any]]


class Script:
    """What the model does, and what it saw."""

    def __init__(self, *calls: Call, answer: str = "That is all.") -> None:
        self._calls = calls
        self._answer = answer
        self.seen: list[ModelMessage] = []
        self.info: AgentInfo | None = None

    def _next(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.seen, self.info = list(messages), info
        done = len(self.replies)
        if done < len(self._calls):
            return ModelResponse(parts=[ToolCallPart(*self._calls[done])])
        return ModelResponse(parts=[TextPart(self._answer)])

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(self._next)

    @property
    def replies(self) -> list[str]:
        """What the calls have given."""
        return [
            str(part.content) for one in self.seen for part in one.parts if part.part_kind == "tool-return"
        ]

    @property
    def everything(self) -> str:
        return "\n".join(str(one) for one in self.seen)


def main() -> int:
    from toys import registered

    from neondba import capabilities
    from neondba.assistant import chat_model
    from neondba.surfaces import cli

    real = dict(capabilities.load())
    with registered() as made:
        capabilities.load = lambda: {**real, **made}
        call = ("run_operation", {"name": sys.argv[1]})
        chat_model.model_of = lambda _name: Script(call).model
        return cli.run(["chat"])


if __name__ == "__main__":
    sys.exit(main())
