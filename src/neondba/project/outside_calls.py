"""Calls that wait for somebody else's server: a language model, an HTTP request, a mail."""

from __future__ import annotations

import ast
import re
from typing import Final

from neondba.project.called_functions import called_function
from neondba.project.python import Function, PythonFile, PythonFiles

WORDS: Final = (
    "openai", "anthropic", "google.generativeai", "google.genai", "httpx", "requests", "aiohttp", "litellm",
    "langchain", "groq", "mistralai", "cohere", "smtplib", "agents", "ollama", "langgraph",
    "from google import genai",
)  # fmt: skip
"""Words of files that may call outside."""
_MODEL: Final = re.compile(
    r"(?:chat\.completions|beta\.chat\.completions|responses|messages|embeddings|images|audio\.\w+|completions)"
    r"\.(?:create|parse|generate|stream)$|^Runner\.run(?:_sync)?$|\.(?:generate_content|generate_content_async)$|"
    r"\.send_message(?:_async)?$"
)
_CHAIN: Final = re.compile(r"\.(?:invoke|ainvoke|abatch|agenerate|apredict|arun)$")
_VERBS: Final = frozenset({"get", "post", "put", "patch", "delete", "request", "head", "send"})
_CLIENTS: Final = re.compile(
    r"^(?:httpx\.(?:AsyncClient|Client)|aiohttp\.ClientSession|requests\.(?:Session|session))$"
)
_MODEL_CLIENTS: Final = re.compile(
    r"^(?:openai|anthropic|groq|mistralai|cohere|ollama|litellm|agents|google)\b"
)


class OutsideCalls:
    """Says of a call whom it waits for."""

    def __init__(self, files: PythonFiles) -> None:
        self._files = files
        self._known: dict[int, str] = {}
        self._direct: dict[int, str] = {}

    @classmethod
    def gather(cls, files: PythonFiles) -> OutsideCalls:
        """Look at nothing yet: each function is read when asked about."""
        return cls(files)

    def waits_for(self, file: PythonFile, function: Function, call: ast.Call) -> str:
        """Say whom a call itself waits for; empty when it does not leave the process."""
        if id(call) not in self._direct:
            self._direct[id(call)] = self._waits_for(file, function, call)
        return self._direct[id(call)]

    def _waits_for(self, file: PythonFile, function: Function, call: ast.Call) -> str:
        name = file.resolve(call.func) or _dotted(call.func)
        last = name.rpartition(".")[2]
        roots = file.imports.values()
        if _MODEL.search(_dotted(call.func)) and _speaks_to_model(call, set(roots)):
            return "a language model"
        if _CHAIN.search(name) and any(root.startswith(("langchain", "langgraph")) for root in roots):
            return "a language model"
        if name in ("litellm.completion", "litellm.acompletion", "litellm.aembedding", "ollama.chat"):
            return "a language model"
        if name.startswith(("httpx.", "requests.")) and last in _VERBS:
            return "another server"
        if name in ("smtplib.SMTP", "smtplib.SMTP_SSL"):
            return "a mail server"
        if (
            last in _VERBS
            and isinstance(call.func, ast.Attribute)
            and _is_client(file, function, call.func.value)
        ):
            return "another server"
        return ""

    def inside(self, file: PythonFile, function: Function, depth: int = 0) -> str:
        """Say whom a function waits for before it returns, itself or through what it calls."""
        if id(function) in self._known:
            return self._known[id(function)]
        self._known[id(function)] = ""
        found = "" if depth > 5 or is_generator(function) else self._inside(file, function, depth)
        self._known[id(function)] = found
        return found

    def _inside(self, file: PythonFile, function: Function, depth: int) -> str:
        for call in function.calls:
            if direct := self.waits_for(file, function, call):
                return direct
        for call in function.calls:
            target = called_function(self._files, file, function, call)
            if target and target[1] is not function and (found := self.inside(*target, depth + 1)):
                return found
        return ""


def is_generator(function: Function) -> bool:
    """Tell whether calling a function only makes a generator."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in function.nodes)


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "?")
    return ".".join(reversed(parts))


def _speaks_to_model(call: ast.Call, roots: set[str]) -> bool:
    """Tell whether the file, or what the client comes from, imports a model's library."""
    if any(_MODEL_CLIENTS.match(root) for root in roots):
        return True
    return ".chat.completions." in _dotted(call.func)


def _is_client(file: PythonFile, function: Function, node: ast.expr) -> bool:
    """Tell whether a value is an HTTP client that this function, or its class, made."""
    if isinstance(node, ast.Call):
        return bool(_CLIENTS.match(file.resolve(node.func) or ""))
    if isinstance(node, ast.Name):
        for inner in function.nodes:
            if isinstance(inner, ast.With | ast.AsyncWith):
                for item in inner.items:
                    if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == node.id:
                        return _is_client(file, function, item.context_expr)
        return any(_is_client(file, function, v) for v in _values(function, node.id))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        methods = function.owner.functions if function.owner else []
        return any(_is_client(file, m, v) for m in methods for v in _fields(m, node.attr))
    return False


def _values(function: Function, name: str) -> list[ast.expr]:
    found = [n for n in function.assignments if n.value is not None]
    return [
        n.value for n in found if n.value is not None and not isinstance(n.value, ast.Name)
        for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
        if isinstance(t, ast.Name) and t.id == name
    ]  # fmt: skip


def _fields(function: Function, name: str) -> list[ast.expr]:
    return [
        n.value for n in function.assignments if n.value is not None and isinstance(n.value, ast.Call)
        for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
        if isinstance(t, ast.Attribute) and t.attr == name
    ]  # fmt: skip
