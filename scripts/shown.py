"""Which tests show a row of the local Neon's reference page, read from the tests' syntax trees.

A test shows an operation by naming it where it calls something: `inside.call("createProject", …)`. It shows
a behaviour by saying so: `@pytest.mark.shows("proxy.tls")`. The mark may name operations too.

shown.py [ROW …]    list the rows, or some, with the files that show them
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"


def shown(operations: set[str]) -> dict[str, list[str]]:
    """Give the names of the test files by the rows that they show."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(TESTS.glob("**/test_*.py")):
        if "node_modules" not in path.parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for row in {*marked(tree), *(name for name in called(tree) if name in operations)}:
                found[row].add(path.name)
    return {row: sorted(files) for row, files in found.items()}


def marked(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.shows":
                    yield from (str(ast.literal_eval(row)) for row in mark.args)


def called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (
                str(given.value)
                for given in node.args
                if isinstance(given, ast.Constant) and isinstance(given.value, str)
            )


def main() -> None:
    from neondba.local.requirements import rows

    found = shown({row.id for row in rows()})
    for row in sys.argv[1:] or [row.id for row in rows()]:
        print(f"{row}: {', '.join(found.get(row, ['-']))}")


if __name__ == "__main__":
    main()
