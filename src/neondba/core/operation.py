"""One definition per capability: a typed function from which every surface derives.

This is the only file that reads signatures. A parameter before the `*` is positional on the command
line, one after it is an option; `Annotated[T, Field(description=…)]` is the only place where it is
described. The docstring's first line is the help text everywhere.
"""

from __future__ import annotations

import inspect
import keyword
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, PlannedOnly
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem, wrong_value

F = TypeVar("F", bound=Callable[..., Any])

_registry: dict[str, Operation] = {}


@dataclass(frozen=True)
class Example:
    """A call that the parity test runs through every surface, and what must come of it."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None
    """Code of the problem it must end in; `None` when it must succeed."""
    confirmed: bool = False
    """True to give consent to whatever plan the operation makes."""
    before: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """Calls (name, arguments) that make what the example needs; run first, with consent."""
    slow: bool = False
    """True where a run through every surface takes too long or writes into the project: the operation's
    own tests run it."""


@dataclass(frozen=True)
class Parameter:
    """One argument of an operation, as every surface shows it."""

    name: str
    """As users write it; a word that Python keeps to itself, as `for`, is `for_` in the function."""
    annotation: Any
    description: str
    required: bool
    default: Any
    positional: bool


@dataclass(frozen=True)
class Operation:
    """A capability: what it is called, takes, gives, touches and says."""

    name: str
    """`group.verb`, or a lone verb such as `review`."""
    effect: Effect
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    arguments: type[BaseModel]
    """Model of the arguments: validates them and gives the schema."""
    result: Any
    """Type of the result."""
    summary: str
    description: str
    examples: tuple[Example, ...]
    featured: bool
    """True for a tool that agents see at once; the others are found by search."""
    findings: Callable[[Any], int]
    """How many findings a result holds: more than none is exit status 1."""
    turns: Mapping[str, str] = field(default_factory=dict)
    """Flags that turn the command into another operation: `neondba review --fix` is `fix`."""
    alone: bool = False
    """True where the group's word stands for this verb: `neondba rule NDB405`."""
    from_database: bool = False
    """True where the answer holds values of a database: data that anybody may have written."""
    beyond_project: bool = False
    """True where it reaches beyond one project: not for a caller who is kept to one."""

    @property
    def words(self) -> tuple[str, ...]:
        """The command-line words: `("branch", "create")`."""
        return tuple(self.name.replace("_", "-").split("."))

    @property
    def tool(self) -> str:
        """The MCP tool name: `branch_create`."""
        return self.name.replace(".", "_")

    @property
    def path(self) -> str:
        """The HTTP path: `/v1/branch/create`."""
        return "/v1/" + "/".join(self.words)

    def call(self, ctx: Context, arguments: Mapping[str, Any]) -> Any:
        """Validate wild arguments and run; a dry run gives the plan.

        Raises:
            ArgumentProblem: an argument is unknown, missing or of the wrong type.
            Problem: whatever the operation itself reports.
        """
        try:
            checked = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise self._refused(error) from None
        values = {_in_python(p.name): getattr(checked, p.name) for p in self.parameters}
        positional = [values.pop(_in_python(p.name)) for p in self.parameters if p.positional]
        try:
            return self.function(ctx, *positional, **values)
        except PlannedOnly as stop:
            return stop.plan

    def dump(self, result: Any) -> Any:
        """Turn a result into JSON-ready data."""
        kind = Plan if isinstance(result, Plan) else self.result
        return TypeAdapter(kind).dump_python(result, mode="json")

    def _refused(self, error: ValidationError) -> ArgumentProblem:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "arguments"
        known = ", ".join(p.name for p in self.parameters) or "none"
        return ArgumentProblem(
            "argument-invalid",
            f"{self.name}: {name}: {wrong_value(first)}.",
            hint=f"It takes: {known}. See: neondba {' '.join(self.words)} --help",
            operation=self.name,
            argument=name,
        )


def operation(
    name: str,
    *,
    effect: Effect,
    examples: tuple[Example, ...] = (),
    featured: bool = False,
    findings: Callable[[Any], int] = lambda _result: 0,
    turns: Mapping[str, str] | None = None,
    alone: bool = False,
    from_database: bool = False,
    beyond_project: bool = False,
) -> Callable[[F], F]:
    """Register a function as a capability; the function itself stays as it is.

    Raises:
        ConflictProblem: the name is taken.
        TypeError: the signature or the docstring cannot be shown to a user.
    """

    def register(function: F) -> F:
        if name in _registry:
            raise ConflictProblem("operation-taken", f"Two functions are registered as {name}.")
        made = _introspect(name, effect, function, examples, featured, findings)
        _registry[name] = replace(
            made, turns=turns or {}, alone=alone, from_database=from_database, beyond_project=beyond_project
        )
        return function

    return register


def _introspect(
    name: str,
    effect: Effect,
    function: Callable[..., Any],
    examples: tuple[Example, ...],
    featured: bool,
    findings: Callable[[Any], int],
) -> Operation:
    hints = get_type_hints(function, include_extras=True)
    parameters = tuple(_parameters(name, function, hints))
    summary, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n")
    if not summary or len(summary) > 80:
        raise TypeError(f"{name}: the docstring's first line is the help text: 1 to 80 characters")
    if "return" not in hints:
        raise TypeError(f"{name}: the result type is missing")
    return Operation(
        name=name,
        effect=effect,
        function=function,
        parameters=parameters,
        arguments=_model(name, parameters),
        result=hints["return"],
        summary=summary,
        description=rest.strip(),
        examples=examples,
        featured=featured,
        findings=findings,
    )


def _model(name: str, parameters: tuple[Parameter, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {p.name: _field(p) for p in parameters}
    with warnings.catch_warnings():
        # An argument may be called `schema`: pydantic only keeps that word for an old method of its own.
        warnings.filterwarnings("ignore", message=".*shadows an attribute", category=UserWarning)
        return create_model(name.replace(".", "_"), __config__=ConfigDict(extra="forbid"), **fields)


def _parameters(name: str, function: Callable[..., Any], hints: Mapping[str, Any]) -> Iterator[Parameter]:
    _, *given = inspect.signature(function).parameters.values()
    for parameter in given:
        annotation = hints.get(parameter.name)
        info = FieldInfo.from_annotation(annotation) if annotation is not None else None
        if info is None or not info.description:
            raise TypeError(f"{name}: {parameter.name} needs Annotated[T, Field(description=…)]")
        required = parameter.default is inspect.Parameter.empty
        yield Parameter(
            name=_as_written(parameter.name),
            annotation=annotation,
            description=info.description,
            required=required,
            default=None if required else parameter.default,
            positional=parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
        )


def _as_written(name: str) -> str:
    return name[:-1] if keyword.iskeyword(name[:-1]) else name


def _in_python(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _field(parameter: Parameter) -> tuple[Any, Any]:
    return parameter.annotation, Field() if parameter.required else parameter.default


def registered() -> dict[str, Operation]:
    """Give what is registered so far, by name in alphabetical order."""
    return dict(sorted(_registry.items()))


def find(name: str) -> Operation:
    """Give one operation by its name, its words or its tool name.

    Raises:
        NotFoundProblem: nothing is called so.
    """
    wanted = name.strip().replace(" ", ".").replace("-", "_")
    for known in _registry.values():
        if wanted in (known.name, known.tool):
            return known
    import difflib

    near = difflib.get_close_matches(wanted, _registry, n=1, cutoff=0.5)
    raise NotFoundProblem(
        "operation-not-found",
        f"No operation is called {name}.",
        hint=f"Did you mean {near[0]}?" if near else "neondba operation list shows all of them.",
    )
