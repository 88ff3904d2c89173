"""Say what is wrong with a field, and what is allowed, without repeating what was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from jsonschema import ValidationError

KINDS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
FORMATS: Final = {
    "date-time": "must be an RFC 3339 time such as 2026-01-31T12:00:00Z",
    "uuid": "must be a UUID",
    "email": "must be an email address",
    "int32": "must be a whole number of 32 bits",
    "int64": "must be a whole number of 64 bits",
    "int": "must be a whole number of 64 bits",
    "uint64": "must be a whole number of 0 or more",
}


def sentence(wrong: ValidationError, whole: str) -> str:
    """Name the field and what it may be."""
    field = ".".join(str(step) for step in wrong.absolute_path)
    if wrong.validator == "required":
        missing = next(name for name in wrong.validator_value if name not in wrong.instance)
        return f"{field}.{missing} is required" if field else f"{missing} is required"
    said = RULES.get(str(wrong.validator), _otherwise)
    return f"{_named(whole, field)} {said(wrong.validator_value, wrong.schema)}"


def _named(whole: str, field: str) -> str:
    if not field:
        return whole
    return f"{whole}, item {field}," if whole.startswith("parameter") else field


def _kind(wanted: Any, _schema: Any) -> str:
    return f"must be {KINDS.get(str(wanted), 'of another kind')}"


def _choice(wanted: Any, _schema: Any) -> str:
    return "must be one of " + ", ".join(str(each) for each in wanted if each is not None)


def _bounds(_wanted: Any, schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"must be between {least} and {most}"
    return f"must be at least {least}" if most is None else f"must be at most {most}"


def _length(_wanted: Any, schema: Mapping[str, Any]) -> str:
    return f"must have {_span(schema.get('minLength'), schema.get('maxLength'))} characters"


def _count(_wanted: Any, schema: Mapping[str, Any]) -> str:
    return f"must have {_span(schema.get('minItems'), schema.get('maxItems'))} items"


def _span(least: int | None, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"at most {most}" if least is None else f"{least} to {most}"


def _pattern(wanted: Any, _schema: Any) -> str:
    return f"must match {str(wanted).replace(chr(92) + 'Z', '$')}"


def _format(wanted: Any, _schema: Any) -> str:
    return FORMATS.get(str(wanted), f"must be of the format {wanted}")


def _otherwise(_wanted: Any, _schema: Any) -> str:
    return "is not valid"


RULES: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "type": _kind,
    "enum": _choice,
    "minimum": _bounds,
    "maximum": _bounds,
    "minLength": _length,
    "maxLength": _length,
    "minItems": _count,
    "maxItems": _count,
    "pattern": _pattern,
    "format": _format,
}
