"""Settings classes of pydantic: their fields, what they refuse, and the objects made of them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Final

from neondba.project.places import is_test
from neondba.project.python import Class, Function, PythonFile, PythonFiles

_GIVEN: Final = re.compile(
    r"model_|__|_|^(?:dict|json|copy|construct|parse_\w+|schema\w*|validate|fields|Config)$"
)
_EXTRA: Final = re.compile(r"extra[\"']?\s*[=:]\s*(?:[\"'](?P<word>\w+)[\"']|Extra\.(?P<kind>\w+))")
_FILE: Final = re.compile(r"env_file[\"']?\s*[=:]\s*(?P<value>[^\n,)}]+)")


@dataclass(frozen=True)
class SettingsClass:
    """A class whose fields are read from variables."""

    name: str
    path: str
    line: int
    fields: dict[str, str]
    """Fields of the class and its bases, with the variable each is read from; methods are in `others`."""
    others: frozenset[str]
    is_closed: bool
    """All its bases are known, and it answers to no other name."""
    extra: str
    """What is done with variables that are no fields: `forbid` unless it says otherwise."""
    env_file: str
    """The file that it reads, as written; empty where it reads none."""
    prefix: str = ""

    def has(self, name: str) -> bool:
        """Tell whether an object of it has an attribute."""
        return name in self.fields or name in self.others or bool(_GIVEN.match(name))


@dataclass
class SettingsClasses:
    """All settings classes of the project."""

    plain = True

    all: list[SettingsClass] = field(default_factory=list)
    instances: dict[str, SettingsClass] = field(default_factory=dict)
    """Qualified names of module-level objects."""

    @classmethod
    def gather(cls, files: PythonFiles) -> SettingsClasses:
        """Read the classes, then the objects that modules make of them."""
        found = cls()
        by_name: dict[str, SettingsClass] = {}
        for file in files.containing("BaseSettings"):
            for declared in file.classes if not is_test(file.path) else ():
                if _is_settings(files, file, declared):
                    made = _read(files, file, declared)
                    by_name[f"{file.module}.{declared.name}"] = made
                    found.all.append(made)
        for file in files.containing(*{c.name for c in found.all}) if found.all else ():
            for name, value in file.own_names.items():
                kind = _made_of(files, file, value)
                if kind in by_name:
                    found.instances[f"{file.module}.{name}"] = by_name[kind]
        return found


def _made_of(files: PythonFiles, file: PythonFile, value: object) -> str:
    """Give the class that a module-level value is an object of, also through `get_settings()`."""
    if not isinstance(value, ast.Call):
        return ""
    found = files.definition(file.resolve(value.func))
    if found and isinstance(found[1], Class):
        return f"{found[0].module}.{found[1].name}"
    if found and isinstance(found[1], Function):
        given = [r.value for r in found[1].returns if isinstance(r.value, ast.Call)]
        inner = files.definition(found[0].resolve(given[0].func)) if len(given) == 1 else None
        if inner and isinstance(inner[1], Class):
            return f"{inner[0].module}.{inner[1].name}"
    return ""


def _bases(
    files: PythonFiles, file: PythonFile, declared: Class
) -> tuple[list[tuple[PythonFile, Class]], bool]:
    """Give the class and its own bases, and whether all others are `BaseSettings`."""
    line, known = [(file, declared)], True
    for base in declared.bases:
        name = file.resolve(base) or ""
        found = files.definition(name)
        if found and isinstance(found[1], Class) and found[1] is not declared and len(line) < 12:
            more, also = _bases(files, found[0], found[1])
            line, known = line + more, known and also
        elif name.rpartition(".")[2] not in ("BaseSettings", "ABC", "object"):
            known = False
    return line, known


def _is_settings(files: PythonFiles, file: PythonFile, declared: Class) -> bool:
    line, _ = _bases(files, file, declared)
    return any(
        (f.resolve(b) or "").endswith("pydantic_settings.BaseSettings") for f, c in line for b in c.bases
    )


def _read(files: PythonFiles, file: PythonFile, declared: Class) -> SettingsClass:
    line, known = _bases(files, file, declared)
    fields: dict[str, str] = {}
    others: set[str] = set()
    text = ""
    for where, one in line:
        text += "\n".join(where.text.split("\n")[one.node.lineno - 1 : one.node.end_lineno]) + "\n"
        for node in one.assignments:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(target, ast.Name):
                fields.setdefault(target.id, _alias(node.value) or target.id)
            elif isinstance(node, ast.Assign):
                others |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        others |= {f.name for f in one.functions} | {c.name for c in one.classes}
    extra, read = _EXTRA.search(text), _FILE.search(text)
    said = (extra["word"] or extra["kind"]) if extra else "forbid"
    prefix = re.search(r"env_prefix[\"']?\s*[=:]\s*[\"'](\w*)[\"']", text)
    free = known and said != "allow" and "__getattr__" not in others and "setattr(" not in text
    return SettingsClass(
        declared.name, file.path, declared.line, fields, frozenset(others), free, said,
        read["value"].strip() if read else "", prefix[1] if prefix else "",
    )  # fmt: skip


def _alias(value: ast.expr | None) -> str:
    """Give the variable that a field names itself."""
    for keyword in value.keywords if isinstance(value, ast.Call) else ():
        if keyword.arg in ("alias", "validation_alias", "env"):
            return str(keyword.value.value) if isinstance(keyword.value, ast.Constant) else "?"
    return ""
