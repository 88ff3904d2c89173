"""The options that every command takes: the settings, and how to run and show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neondba.surfaces.shape import Argument, argument_of_schema

FORMATS = ("terminal", "json", "markdown", "html", "sarif", "github", "env", "sql", "csv")

RUNNING = (
    Argument("format", "How to print the result.", choices=FORMATS, default="terminal"),
    Argument("dry_run", "Print the plan and change nothing.", kind="flag"),
    Argument("confirm", "Hash of the plan you agree to."),
    Argument("quiet", "Print no progress.", kind="flag"),
)
"""Options about this one run."""


@dataclass(frozen=True)
class Running:
    """What the user said about this one run."""

    format: str = "terminal"
    dry_run: bool = False
    confirm: str | None = None
    quiet: bool = False


def settings() -> list[Argument]:
    """Give the settings as options. Secrets are none: every user of a machine sees argument lists."""
    from neondba.core.settings import SECRET_FIELDS, Settings

    schema = Settings.model_json_schema()
    return [
        argument_of_schema(name, of_field, schema.get("$defs", {}))
        for name, of_field in schema["properties"].items()
        if name not in SECRET_FIELDS
    ]


def every() -> list[Argument]:
    """Give all options that every command takes."""
    return [*RUNNING, *settings()]


def running(values: Mapping[str, Any]) -> Running:
    """Pick the options about this run from parsed values.

    Raises:
        ArgumentProblem: the format is unknown.
    """
    from neondba.core.problem import ArgumentProblem

    chosen = Running(**{a.name: values[a.name] for a in RUNNING if values.get(a.name) is not None})
    if chosen.format not in FORMATS:
        raise ArgumentProblem(
            "argument-invalid",
            f"--format: {chosen.format} is not a format.",
            hint=f"Choose one of: {', '.join(FORMATS)}.",
            argument="format",
        )
    return chosen
