"""SQL written as text in Python: where it runs and what is mixed into it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from neondba.project.places import is_script
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.routes import Routes, is_test
from neondba.project.sql_flow import Flow, FlowReader, operands

RUNNING = frozenset(
    {"execute", "executemany", "exec", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val",
     "exec_driver_sql", "executescript", "read_sql", "read_sql_query", "execute_query", "execute_raw"}
)  # fmt: skip
MARKED = frozenset({"text", "literal_column", "TextClause", "DDL"})
SPEAKS_SQL = re.compile(
    r"\b(?:select\s|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b|where\s|order\s+by\b|alter\s+|create\s+(?:table|index|role|"
    r"database|schema|user|extension)|drop\s+(?:table|database|schema|role)|grant\s|truncate\s|set\s+\w)",
    re.IGNORECASE,
)
RUNS = re.compile(
    r"(?<!\w)text\(|\.(?:execute|executemany|exec|fetch\w*|exec_driver_sql|execute_query|execute_raw)\("
    r"|read_sql|literal_column\("
)
RUN_WORDS = ("text(", "execute", ".exec(", ".exec_driver_sql(", ".fetch", "read_sql", "literal_column(")
WRITTEN = re.compile(
    r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|ALTER|CREATE|DROP|GRANT|TRUNCATE|WHERE|ORDER BY|SET)\s"
    r"|[\"'](?:select|insert|update|delete|alter|create|drop|grant)\s"
)
"""SQL in a file's text: the cheap question before the walk."""
BY_HAND = re.compile(
    r"script|migrat|alembic|seed|setup|tool|manage|cli\b|bootstrap|init_|versions/|examples?/|bench",
    re.IGNORECASE,
)


@dataclass(eq=False)
class SqlText:
    """A place where SQL text is run."""

    file: PythonFile
    function: Function | None
    node: ast.Call
    text: str
    """The constant parts; what is mixed in is left out as `?`."""
    flows: tuple[Flow, ...]
    client: frozenset[str] | None = None
    """Parameters that the client chooses, where the function is a route."""

    @property
    def is_route(self) -> bool:
        """Whether a client speaks to the function itself."""
        return self.client is not None

    @property
    def line(self) -> int:
        """Line of the call."""
        return self.node.lineno

    @cached_property
    def is_by_hand(self) -> bool:
        """Whether a person runs it: a script, a migration, a set-up."""
        if BY_HAND.search(self.file.path) or "argparse" in self.file.text:
            return True
        return is_script(self.file.path) and "__main__" in self.file.text


class SqlTexts:
    """All SQL texts of the project's own programs, tests left out."""

    plain = True

    def __init__(self, texts: list[SqlText]) -> None:
        self.texts = texts

    @classmethod
    def gather(cls, files: PythonFiles, routes: Routes) -> SqlTexts:
        """Find calls that run SQL text."""
        answering = {id(r.function): r.client_parameters for r in routes.routes}
        found = []
        for file in files.values():
            if is_test(file.path) or not _may_run_sql(file.text):
                continue
            for call in file.calls:
                argument = _sql_argument(file, call.node)
                if argument is None:
                    continue
                text = constant_text(file, call.function, argument, 0)
                if not SPEAKS_SQL.search(text):
                    continue
                flows: tuple[Flow, ...] = ()
                if call.function is not None:
                    reader = FlowReader(files, file, call.function)
                    flows = tuple(sorted(reader.flows(argument), key=lambda f: (f.path, f.line, f.parameter)))
                found.append(
                    SqlText(file, call.function, call.node, text, flows, answering.get(id(call.function)))
                )
        return cls(found)


def _may_run_sql(text: str) -> bool:
    """Ask the words before the patterns: they cost a tenth."""
    return any(word in text for word in RUN_WORDS) and bool(RUNS.search(text)) and bool(WRITTEN.search(text))


def _sql_argument(file: PythonFile, node: ast.Call) -> ast.expr | None:
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if not node.args:
        return None
    if name in MARKED and (file.resolve(func) or "").startswith(
        ("sqlalchemy", "sqlmodel", "sa.", "databases")
    ):
        return node.args[0]
    if name in RUNNING and isinstance(func, ast.Attribute):
        first = node.args[0]
        if isinstance(first, ast.Call) and not (
            isinstance(first.func, ast.Attribute) and first.func.attr == "format"
        ):
            return None
        return first
    return None


def constant_text(file: PythonFile, function: Function | None, node: ast.expr | None, depth: int = 0) -> str:
    """Give the constant parts of a text; what is mixed in is left out as `?`."""
    if depth > 6:
        return ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else " ? "
    if isinstance(node, ast.JoinedStr):
        return "".join(constant_text(file, function, v, depth + 1) for v in node.values)
    if isinstance(node, ast.FormattedValue):
        return constant_text(file, function, node.value, depth + 1) or " ? "
    if isinstance(node, ast.BinOp):
        return "".join(constant_text(file, function, v, depth + 1) for v in reversed(operands(node)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return constant_text(file, function, node.func.value, depth + 1)
    if isinstance(node, ast.Name):
        values = _values(file, function, node.id)
        return " ".join(constant_text(file, function, v, depth + 1) for v in values[:6])
    return ""


def _values(file: PythonFile, function: Function | None, name: str) -> list[ast.expr]:
    scopes = [function.assignments] if function is not None else []
    found = [
        node.value
        for assignments in scopes
        for node in assignments
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name and node.value is not None
    ]
    own = file.own_names.get(name)
    return found or ([own] if isinstance(own, ast.expr) else [])
