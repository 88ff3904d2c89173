"""What the user has set, and where each value came from.

Order: flag > environment > project file > `.neon` > user file > default. The names follow from the field:
`state_dir` is `--state-dir`, `NEONDBA_STATE_DIR` and `state-dir = …` in a file. A few fields also
listen to the names that Neon's own tools use; those are listed on the field.

The project file is the `[tool.neondba]` table of `pyproject.toml`, or `neondba.toml`; the user file is
`config.toml` in the platform's configuration folder. `.neon` is the file in which Neon's own command
line notes the project of a folder.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neondba.core.context_file import nearest
from neondba.core.problem import ArgumentProblem, NotFoundProblem, wrong_value
from neondba.core.secret import Secret

SECRET_FIELDS = frozenset({"api_key"})
"""Fields that no file may hold: a file ends up in a repository."""
OWN_FIELDS = {
    "api_host": "where your API key is sent",
    "model": "which model your questions and your data are sent to",
}
"""Fields that no project file may hold, and what whoever wrote the repository would decide by them."""
ROOM_TABLES = frozenset({"access", "branches", "mask", "review"})
"""Tables of the project file that are no settings: each is read by the room it belongs to."""


def _state_dir() -> Path:
    return Path(platformdirs.user_data_dir("neondba", appauthor=False))


class Settings(BaseModel):
    """Everything a user can set once for all operations."""

    model_config = ConfigDict(frozen=True, validate_default=True)

    api_key: Annotated[
        Secret | None,
        Field(
            description="Key for the Neon API. Without one, the local Neon is used.",
            json_schema_extra={"environment": ["NEON_API_KEY"]},
        ),
    ] = None
    api_host: Annotated[
        str,
        Field(
            description="Base address of the Neon API, with `/api/v2`.",
            json_schema_extra={"environment": ["NEON_API_HOST"]},
        ),
    ] = "https://console.neon.tech/api/v2"
    project: Annotated[
        str | None,
        Field(
            description="Neon project to work on: its id or its name.",
            json_schema_extra={"environment": ["NEON_PROJECT_ID"]},
        ),
    ] = None
    state_dir: Annotated[
        Path,
        Field(
            default_factory=_state_dir,
            description="Folder for the local Neon's data, the journal and our own state.",
        ),
    ]
    model: Annotated[
        str | None,
        Field(description="Model to chat with, as provider:name; its key is the provider's own variable."),
    ] = None
    step_limit: Annotated[
        float,
        Field(description="Stop a migration step or a proof query after this many seconds.", gt=0),
    ] = 120.0

    _origins: dict[str, str] = {}

    def origin(self, field: str) -> str:
        """Say where a value came from: a flag, a variable, a file, or `default`."""
        return self._origins.get(field, "default")

    def with_flag(self, field: str, value: Any) -> Settings:
        """Give these settings as if the user had given this one on the command line too."""
        changed = self.model_copy(update={field: value})
        changed._origins = {**self._origins, field: flag_of(field)}
        return changed

    def flags(self) -> dict[str, str]:
        """Give what the user set on the command line, and the words that set it again."""
        given = [field for field, origin in self._origins.items() if origin == flag_of(field)]
        return {field: f"{flag_of(field)}={getattr(self, field)}" for field in sorted(given)}


def flag_of(field: str) -> str:
    """Give the command-line spelling of a setting."""
    return "--" + field.replace("_", "-")


def environment_names(field: str) -> list[str]:
    """Give the variables a setting listens to, ours first."""
    extra = Settings.model_fields[field].json_schema_extra
    others = extra.get("environment", []) if isinstance(extra, dict) else []
    return [f"NEONDBA_{field.upper()}", *[str(name) for name in others]]  # type: ignore[union-attr]


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user_file: Path | None = None,
) -> Settings:
    """Collect the settings from all sources.

    Raises:
        ArgumentProblem: a file cannot be read, a name is unknown or a value has the wrong type.
    """
    environment = os.environ if environment is None else environment
    user_file = user_file or Path(platformdirs.user_config_dir("neondba", appauthor=False)) / "config.toml"
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    here = folder or _here()
    shared = [
        (source, {key: value for key, value in table.items() if key not in ROOM_TABLES})
        for source, table in _project_tables(here)
    ]
    own = str(user_file)
    for source, table in [(own, _read(user_file)), *_noted(here), *shared]:
        for key, value in table.items():
            field = _field(key, source, shared=source != own)
            values[field], origins[field] = value, source
    for field in Settings.model_fields:
        for name in reversed(environment_names(field)):
            if environment.get(name):
                values[field], origins[field] = environment[name], name
        if flags and flags.get(field) is not None:
            values[field], origins[field] = flags[field], flag_of(field)
    return _validated(values, origins)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise NotFoundProblem(
            "folder-gone", "The current folder no longer exists.", hint="Change to another: cd ~"
        ) from None


def _validated(values: dict[str, Any], origins: dict[str, str]) -> Settings:
    try:
        settings = Settings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0])
        origin = origins.get(field, "default")
        raise ArgumentProblem(
            "setting-invalid",
            f"{field} from {origin} is not usable: {wrong_value(first)}.",
            hint="Give another value."
            if origin == flag_of(field)
            else f"Correct it there, or override it with {flag_of(field)}.",
            setting=field,
        ) from None
    settings._origins.update(origins)
    return settings


def _project_tables(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Read the nearest project files, looking upwards as far as the repository's top."""
    for place in [folder, *folder.parents]:
        own, shared = place / "neondba.toml", place / "pyproject.toml"
        tables = []
        if shared.is_file():
            tables.append((str(shared), _read(shared).get("tool", {}).get("neondba", {})))
        if own.is_file():
            tables.append((str(own), _read(own)))
        if tables or (place / ".git").exists():
            return tables
    return []


def room_tables(folder: Path, room: str) -> list[tuple[str, dict[str, Any]]]:
    """Give a room's own table from the project files nearest to a folder, with the files' names.

    Raises:
        ArgumentProblem: a file cannot be read, or what it holds under this name is no table.
    """
    tables = []
    for source, table in _project_tables(folder):
        own = table.get(room, {})
        if not isinstance(own, dict):
            raise ArgumentProblem(
                "setting-invalid",
                f"{room} in {source} is no table.",
                hint=f"Write it as [{'tool.neondba.' if source.endswith('pyproject.toml') else ''}{room}].",
            )
        tables += [(source, own)] if own else []
    return tables


def _noted(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Read the project that Neon's own command line has noted for this folder."""
    found = nearest(folder)
    return [(str(found.path), {"project": found.project})] if found and found.project else []


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ArgumentProblem(
            "settings-file-unreadable", f"{path} cannot be read: {error}.", hint="Correct or remove the file."
        ) from None


def _field(key: str, source: str, *, shared: bool) -> str:
    field = key.replace("-", "_")
    if field in SECRET_FIELDS:
        raise ArgumentProblem(
            "secret-in-settings-file",
            f"{source} holds {key}; a file like this ends up in a repository.",
            hint=f"Remove it there and set {environment_names(field)[0]} in the environment.",
        )
    if shared and field in OWN_FIELDS:
        raise ArgumentProblem(
            "setting-not-shared",
            f"{source} holds {key}; who wrote that file would decide {OWN_FIELDS[field]}.",
            hint=f"Remove it there and set {environment_names(field)[0]} or your config.toml.",
        )
    if field not in Settings.model_fields:
        near = difflib.get_close_matches(field, Settings.model_fields, n=1)
        raise ArgumentProblem(
            "setting-unknown",
            f"{source} sets {key}, which neondba does not know.",
            hint=f"Did you mean {near[0].replace('_', '-')}?" if near else "Remove the line.",
        )
    return field


def described() -> list[tuple[str, str]]:
    """Give each setting's name and description: the reference page is made from this."""
    return [(name, field.description or "") for name, field in Settings.model_fields.items()]
