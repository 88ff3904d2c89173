"""Where a project's programs run, as its files say, and whether their addresses can be listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DATABASE: Final = re.compile(
    r"DATABASE_URL|DIRECT_URL|POSTGRES_|PG(?:HOST|PASSWORD|USER)\b|neon\.tech|postgres(?:ql)?://",
    re.IGNORECASE,
)
_RUNS_ON: Final = re.compile(r"^\s*runs-on:\s*(?P<runner>.+?)\s*$", re.MULTILINE)
_HOSTED: Final = re.compile(r"\b(?:ubuntu|windows|macos)-[\w.-]+")
_SERVICE: Final = re.compile(r"^\s*services:\s*\n(?:.*\n)*?\s*image:\s*[\"']?postgres", re.MULTILINE)
_PLATFORMS: Final = {
    "vercel.json": ("Vercel", "its functions go out by changing addresses unless static ones are bought"),
    "netlify.toml": ("Netlify", "its functions go out by changing addresses unless private connectivity is"
                     " bought"),
    "fly.toml": ("Fly.io", "a machine's outgoing address may change unless a static egress address is"
                 " allocated"),
    "render.yaml": ("Render", "a region's outgoing addresses are fixed and shared: the service's page lists"
                    " them"),
    "railway.json": ("Railway", "outgoing addresses change unless static ones are enabled"),
    "railway.toml": ("Railway", "outgoing addresses change unless static ones are enabled"),
    "Procfile": ("Heroku", "dynos go out by changing addresses unless in a private space or by an add-on"),
    "app.json": ("Heroku", "dynos go out by changing addresses unless in a private space or by an add-on"),
    "wrangler.toml": ("Cloudflare Workers", "workers have no outgoing address of their own"),
    "wrangler.jsonc": ("Cloudflare Workers", "workers have no outgoing address of their own"),
    "serverless.yml": ("AWS Lambda", "functions go out by changing addresses unless in a VPC with a NAT"
                       " gateway"),
    "template.yaml": ("AWS Lambda", "functions go out by changing addresses unless in a VPC with a NAT"
                      " gateway"),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Somewhere a program of the project runs."""

    name: str
    file: str
    line: int
    changes: bool
    """True where its address is another each time."""
    said: str


def places(folder: Path) -> list[Place]:
    """Read where programs of a folder run, from the files that platforms read."""
    found = [
        Place(name, file, 1, "changing" in said or "change" in said or "no outgoing" in said, f"{said}.")
        for file, (name, said) in _PLATFORMS.items()
        if (folder / file).is_file() and not (file == "template.yaml" and not _is_sam(folder / file))
    ]
    workflows = folder / ".github" / "workflows"
    if workflows.is_dir():
        for path in sorted([*workflows.glob("*.yml"), *workflows.glob("*.yaml")]):
            found += _workflow(path, path.relative_to(folder).as_posix())
    return found


def _workflow(path: Path, name: str) -> Iterator[Place]:
    """Give the runners of a workflow that speaks to a database that is not its own."""
    text = path.read_text(encoding="utf-8", errors="replace")
    mention = _DATABASE.search(text)
    if mention is None or (_SERVICE.search(text) and "secrets." not in text):
        return
    seen: set[str] = set()
    for match in _RUNS_ON.finditer(text):
        runner = match["runner"].strip("\"'")
        if runner in seen:
            continue
        seen.add(runner)
        line = text.count("\n", 0, match.start("runner")) + 1
        if _HOSTED.search(runner):
            yield Place("GitHub Actions", name, line, True, "a hosted runner has another address each time.")
        else:
            said = f"runner {runner[:60]} goes out by an address that only its owner knows."
            yield Place("GitHub Actions", name, line, False, said)


def _is_sam(path: Path) -> bool:
    return "AWS::Serverless" in path.read_text(encoding="utf-8", errors="replace")
