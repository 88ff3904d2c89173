"""Reduce Neon's published OpenAPI document to facts: src/neondba/local/contract/operations.json.

contract.py            write the table
contract.py --check    fail when the table is not what the documents say

Facts are names, types, limits, patterns and status codes. Descriptions, examples and every other prose
stay where they are. The newer operations of @neon/sdk are known by name, method and path only.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "src" / "neondba" / "local" / "contract" / "operations.json"
MODULES = ROOT / "tests" / "clients" / "node_modules"
CLIENT = MODULES / "@neondatabase" / "api-client"
SDK = MODULES / "@neon" / "sdk"
METHODS = ("get", "post", "put", "patch", "delete")
PLAIN = (
    "type", "format", "enum", "nullable", "default", "required", "pattern", "minimum", "maximum",
    "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "discriminator",
)  # fmt: skip
WIDTH = 110
CALL = re.compile(
    r"const (\w+) = [^;]*?client\)?\.(get|post|put|patch|delete)\(\{[^;]*?url: \"([^\"]+)\"", re.DOTALL
)


def facts(schema: dict[str, Any]) -> dict[str, Any]:
    """Keep of a schema what a program can check."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    kept = {key: schema[key] for key in PLAIN if key in schema}
    if "properties" in schema:
        kept["properties"] = {name: facts(each) for name, each in schema["properties"].items()}
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            kept[key] = [facts(each) for each in schema[key]]
    if "items" in schema:
        kept["items"] = facts(schema["items"])
    if "additionalProperties" in schema:
        more = schema["additionalProperties"]
        kept["additionalProperties"] = facts(more) if isinstance(more, dict) else more
    return kept


def content(holder: dict[str, Any]) -> dict[str, Any]:
    """Give the kinds of content and their schemas."""
    return {kind: facts(each.get("schema", {})) for kind, each in holder.get("content", {}).items()}


def followed(document: dict[str, Any], holder: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to a shared parameter or response."""
    while "$ref" in holder:
        kind, name = holder["$ref"].split("/")[-2:]
        holder = document["components"][kind][name]
    return holder


def parameter(given: dict[str, Any]) -> dict[str, Any]:
    kept = {key: given[key] for key in ("name", "in", "required", "style", "explode") if key in given}
    return {**kept, "schema": facts(given["schema"])}


def operation(document: dict[str, Any], path: str, method: str, shared: list[Any]) -> dict[str, Any]:
    told = document["paths"][path][method]
    asked = [parameter(followed(document, each)) for each in [*shared, *told.get("parameters", [])]]
    made: dict[str, Any] = {"id": told["operationId"], "method": method.upper(), "path": path}
    made["parameters"] = asked
    if body := told.get("requestBody"):
        body = followed(document, body)
        made["body"] = {"required": body.get("required", False), "content": content(body)}
    made["responses"] = {
        str(status): content(followed(document, answer)) for status, answer in told["responses"].items()
    }
    return made


def published(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation(document, path, method, item.get("parameters", []))
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def newer(known: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Give what only the SDK knows: a name, a method and a path."""
    have = {(each["method"], each["path"]) for each in known}
    return [
        {"id": name, "method": method.upper(), "path": path}
        for name, method, path in CALL.findall(source)
        if (method.upper(), path) not in have
    ]


def written(value: Any, indent: int = 0) -> str:
    """Write JSON whose small parts stand on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = " " * (indent + 1)
    if isinstance(value, list):
        rows = [inner + written(each, indent + 1) for each in value]
        return "[\n" + ",\n".join(rows) + "\n" + " " * indent + "]"
    rows = [f"{inner}{json.dumps(key)}: {written(each, indent + 1)}" for key, each in value.items()]
    return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"


def version(package: Path) -> str:
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return f"{about['name']} {about['version']}"


def table() -> str:
    """Give the table as it should stand in the file."""
    document = yaml.safe_load(next(CLIENT.glob("*.yaml")).read_text(encoding="utf-8"))
    known = published(document)
    sdk = (SDK / "dist" / "client" / "sdk.gen.js").read_text(encoding="utf-8")
    schemas = {name: facts(each) for name, each in document["components"]["schemas"].items()}
    made = {
        "sources": [version(CLIENT), version(SDK)],
        "operations": known,
        "newer": newer(known, sdk),
        "schemas": schemas,
    }
    return written(made) + "\n"


def main(arguments: list[str]) -> int:
    made = table()
    if arguments == ["--check"]:
        if TABLE.read_text(encoding="utf-8") == made:
            return 0
        print("operations.json differs from the documents: run scripts/contract.py", file=sys.stderr)
        return 1
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
