"""The operation that explains errors of connections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.connections.explain_results import Explanation
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem, NotFoundProblem

LARGEST = 5_000_000


@operation(
    "connection.explain",
    effect=Effect.READ,
    examples=(
        Example({"text": "FATAL:  unsupported startup parameter in options: search_path"}),
        Example(
            {"text": "SSL connection has been closed unexpectedly", "path": "examples/taskboard"},
        ),
        Example({"text": "the moon is full"}),
        Example({}, problem="text-missing"),
        Example({"text": "timeout expired", "path": "no/such/folder"}, problem="path-not-found"),
    ),
)
def connection_explain(
    ctx: Context,
    text: Annotated[
        str | None, Field(description="The error's text, or a whole traceback, as it was printed.")
    ] = None,
    *,
    file: Annotated[Path | None, Field(description="A file that holds the text, in place of it.")] = None,
    path: Annotated[
        Path | None, Field(description="Folder of the project to look at; none is looked at if absent.")
    ] = None,
) -> Explanation:
    """Explain an error text: which error, why, what to do, where in the project.

    Knows what Neon's proxy and pooler, PostgreSQL, and the usual drivers of Python, Node and Go say. A text
    that fits nothing is called unknown; where several errors read alike, each says what it is known by.
    Nothing is asked over the network.

    Raises:
        ArgumentProblem: no text is given.
        NotFoundProblem: there is no such file or folder.
    """
    from neondba.connections.explain import explain

    folder = None if path is None else (ctx.folder / path).resolve()
    if folder is not None and not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    said = text if file is None else _read(ctx.folder / file)
    if not said:
        raise ArgumentProblem(
            "text-missing",
            "There is no text to explain.",
            hint='neondba connection explain "the error", or --file FILE; behind a pipe: --file /dev/stdin',
        )
    return explain(said, folder)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST).decode("utf-8", "replace")
    except OSError as error:
        raise NotFoundProblem(
            "path-not-found", f"{file} cannot be read: {error.strerror}.", hint="Give the path of a file."
        ) from None
