"""The model that the user has chosen, or what is missing before it can be used."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ArgumentProblem, CredentialsProblem, Problem

if TYPE_CHECKING:
    from pydantic_ai.models import Model

WITHOUT: Final = 'Without a model: neondba ask "your question"'
HOW: Final = (
    "Give it as --model provider:name, set NEONDBA_MODEL, or write model into your config.toml. Its key "
    f"comes from the provider's own variable, such as OPENAI_API_KEY or ANTHROPIC_API_KEY.\n{WITHOUT}"
)
_VARIABLE: Final = re.compile(r"`([A-Z][A-Z0-9_]{3,})`")
_GROUP: Final = re.compile(r"pydantic-ai-slim\[([a-z0-9-]+)\]")


def model_of(name: str | None) -> Model:
    """Give the model called `provider:name`; its key comes from the provider's own variable.

    Raises:
        ArgumentProblem: none is set, there is none of this name, or a library is missing.
        CredentialsProblem: its key is not set.
    """
    if not _installed():
        raise ArgumentProblem(
            "chat-not-installed",
            "chat needs pydantic-ai, which comes with the extra agent and is not installed.",
            hint=f"pip install 'neondba[agent]'\n{WITHOUT}",
        )
    if not name or ":" not in name:
        raise ArgumentProblem(
            "model-unknown" if name else "model-missing",
            f"{name} is not written as provider:name." if name else "No model is set to chat with.",
            hint=HOW,
        )
    from pydantic_ai import UserError
    from pydantic_ai.models import infer_model

    try:
        return infer_model(name)
    except ImportError as error:
        raise _library_missing(name, str(error)) from None
    except UserError as error:
        raise _unusable(name, str(error)) from None


def _installed() -> bool:
    """Say whether the library is there; importing it takes a second, which a refusal need not."""
    try:
        return importlib.util.find_spec("pydantic_ai") is not None
    except ImportError:
        return False


def _library_missing(name: str, said: str) -> Problem:
    provider = name.partition(":")[0]
    group = _GROUP.search(said)
    return ArgumentProblem(
        "model-library-missing",
        f"The library for models of {provider} is not installed.",
        hint=f"pip install 'pydantic-ai-slim[{group[1] if group else provider}]'\n{WITHOUT}",
        model=name,
    )


def _unusable(name: str, said: str) -> Problem:
    variables = list(dict.fromkeys(_VARIABLE.findall(said)))
    if variables:
        # One is enough for most providers; the others are named too, since a few need them all.
        return CredentialsProblem(
            "model-key-missing",
            f"{name} needs {' or '.join(variables)} in the environment, and it is not set.",
            hint=f"export {variables[0]}=... and start again.\n{WITHOUT}",
            model=name,
        )
    near = re.search(r"Did you mean '([^']+)'", said)
    return ArgumentProblem(
        "model-unknown",
        f"{name} is no model that pydantic-ai knows.",
        hint=f"Did you mean --model {near[1]}?" if near else HOW,
        model=name,
    )
