"""What TypeScript code answers a client with when something failed."""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.nodes import (
    Binary,
    Call,
    Conditional,
    Constant,
    Declare,
    Function,
    If,
    Member,
    Name,
    Node,
    Object,
    Return,
    Template,
    Text,
    Try,
    children,
    dotted,
    walk,
)  # fmt: skip
from neondba.review.rules.production._blocks import own_nodes

_ANSWERS = frozenset(
    {"json", "send", "Response", "NextResponse", "end", "status", "TRPCError", "HTTPException"}
)
_TEXTS = frozenset({"message", "stack", "detail", "cause"})
_MARKS = frozenset({"code", "name", "message", "status", "type"})
_REFUSALS = frozenset({"BAD_REQUEST", "NOT_FOUND", "UNAUTHORIZED", "FORBIDDEN", "CONFLICT"})
_LOGS = ("console.", "log.", "logger.", "captureException", "Sentry.")


def told_errors(calls: OrmCalls, file: TypeScriptFile) -> Iterator[tuple[int, str]]:
    """Give the places where a failed statement's own text is sent to the client, with the function's name."""
    for function in file.functions:
        for attempt in (n for n in own_nodes(function.body) if isinstance(n, Try)):
            if attempt.handler is None or not isinstance(attempt.caught, Name):
                continue
            if not any(True for _ in calls.uses(attempt.body)) and not _hands_on(calls, file, attempt.body):
                continue
            is_action = "use server" in (file.directive, function.directive)
            names = [attempt.caught.name, *_other_names(attempt.handler, attempt.caught.name)]
            lines = (_answered(attempt.handler, name, is_action=is_action) for name in names)
            if line := next((line for line in lines if line), 0):
                yield line, function.name
    yield from _last_resort(file)


def _hands_on(calls: OrmCalls, file: TypeScriptFile, body: Node) -> bool:
    """Tell whether what is tried calls another file of the project that sends statements."""
    for node in walk(body):
        if isinstance(node, Call) and node.awaited:
            imported = file.imports.get(dotted(node).partition(".")[0])
            if imported and calls.files.modules.find(file.path, imported.source) in calls.sending:
                return True
    return False


def _other_names(handler: Node, error: str) -> Iterator[str]:
    """Give other names of the error: `const e = error as Error`."""
    for node in walk(handler):
        if not isinstance(node, Declare) or not isinstance(node.target, Name):
            continue
        if node.value is not None and _is(node.value, error):
            yield node.target.name


def _last_resort(file: TypeScriptFile) -> Iterator[tuple[int, str]]:
    """Find handlers of all errors of a server that tell each of them."""
    for call in file.calls_of("use", "onError", "setErrorHandler"):
        function = call.arguments[-1] if call.arguments else None
        if not isinstance(function, Function) or len(function.parameters) not in (2, 3, 4):
            continue
        if call.name.endswith(".use") and len(function.parameters) != 4:
            continue
        error = function.parameters[0].target
        if not isinstance(error, Name) or any(_is_choosing(n, error.name) for n in walk(function.body)):
            continue
        line = _answered(function.body, error.name, is_action=False)
        if line:
            yield line, function.name or "the handler of errors"


def _is_choosing(node: Node, error: str) -> bool:
    """Tell whether a handler of errors looks at which error it has, or where it runs."""
    if isinstance(node, Binary) and node.operator == "instanceof":
        return True
    if isinstance(node, Member) and node.name in (
        "NODE_ENV",
        "isOperational",
        "statusCode",
        "status",
        "expose",
    ):
        return node.name == "NODE_ENV" or _is(node.object, error)
    return False


def _answered(node: Node, error: str, *, is_action: bool) -> int:
    """Give the line of an answer that carries the error's text; 0 where there is none."""
    if isinstance(node, If) and _is_own(node.test, error):
        return _answered(node.otherwise, error, is_action=is_action) if node.otherwise else 0
    if isinstance(node, Call):
        if node.name.startswith(_LOGS):
            return 0
        if node.name.rpartition(".")[2] in _ANSWERS and not _is_clients_fault(node):
            whole = (node.line for a in node.arguments if _is(a, error))
            return next(whole, 0) or next((told for a in node.arguments if (told := _tells(a, error))), 0)
    if is_action and isinstance(node, Return) and isinstance(node.value, Object):
        told = _tells(node.value, error)
        if told:
            return told
    return next((line for c in children(node) if (line := _answered(c, error, is_action=is_action))), 0)


def _is_own(test: Node, error: str) -> bool:
    """Tell whether a condition singles out errors that the program makes itself."""
    for node in walk(test):
        if isinstance(node, Binary) and node.operator == "instanceof":
            return not (isinstance(node.right, Name) and node.right.name == "Error")
        if isinstance(node, Member) and node.name in _MARKS and _is(node.object, error):
            return True
    return False


def _is_clients_fault(call: Call) -> bool:
    """Tell whether the answer's status is below 500: then the text is mostly the program's own."""
    for node in walk(call):
        if isinstance(node, Constant) and len(node.text) == 3 and node.text.isdigit():
            return int(node.text) < 500
        if isinstance(node, Text) and node.value in _REFUSALS:
            return True
    return False


def _tells(node: Node, error: str) -> int:
    """Give the line where an expression holds the text of an error."""
    if isinstance(node, Member):
        return node.line if node.name in _TEXTS and _comes_from(node.object, error) else 0
    if isinstance(node, Name):
        return 0
    if isinstance(node, Object):
        whole = next((p.line for p in node.properties if _is(p.value, error) and p.key != "cause"), 0)
        if whole:
            return whole
    if isinstance(node, Conditional) and _is_own(node.test, error):
        return _tells(node.otherwise, error)
    if isinstance(node, Call):
        last = node.name.rpartition(".")[2]
        given = [a for a in node.arguments if _is(a, error)]
        if given and (last in ("String", "stringify") or "message" in last.lower()):
            return node.line
        if last == "toString" and isinstance(node.callee, Member) and _is(node.callee.object, error):
            return node.line
    if isinstance(node, Template) and any(_is(hole, error) for hole in node.holes):
        return node.line
    return next((line for c in children(node) if (line := _tells(c, error))), 0)


def _is(node: Node, error: str) -> bool:
    return isinstance(node, Name) and node.name == error


def _comes_from(node: Node, error: str) -> bool:
    """Tell whether an object is the error, or made of it: `asError(e).message`."""
    return _is(node, error) or (isinstance(node, Call) and any(_is(a, error) for a in node.arguments))
