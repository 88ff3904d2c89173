"""Runs the `run:` steps of a workflow as GitHub would, without GitHub and without a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
HANDED = re.compile(r"^([A-Za-z_]\w*)<<(\w+)\n(.*?)\n\2\n|^([A-Za-z_]\w*)=(.*)\n", re.MULTILINE | re.DOTALL)
GH = """#!{python}
# Stands in for GitHub: comments and open pull requests lie in files.
import json, pathlib, sys
MARK = "<!-- neondba rehearsal -->"
words, store = sys.argv[1:], pathlib.Path({store!r})
comments = json.loads((store / "comments.json").read_text())
if words[:2] == ["pr", "list"]:
    print((store / "open").read_text())
elif "--paginate" in words:
    asked = words[words.index("--jq") + 1]
    only = '.[] | select(.user.type == "Bot") | '
    assert asked == only + 'select(.body | startswith("' + MARK + '")) | .id', asked
    for each in comments:
        if each["bot"] and each["body"].startswith(MARK):
            print(each["id"])
else:
    body = pathlib.Path(words[words.index("-F") + 1].removeprefix("body=@")).read_text()
    if "PATCH" in words:
        (at,) = [each for each in comments if words[words.index("PATCH") + 1].endswith("/" + str(each["id"]))]
        at.update(body=body, edits=at["edits"] + 1)
    else:
        comments.append({{"id": len(comments) + 1, "bot": True, "body": body, "edits": 0}})
    (store / "comments.json").write_text(json.dumps(comments))
"""


@dataclass
class Job:
    """What became of a job."""

    failed: str | None = None
    """Name of the step that failed."""
    ran: list[str] = field(default_factory=list)
    log: str = ""
    """What everybody with access to the repository can read."""
    environment: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    summary: str = ""
    masks: set[str] = field(default_factory=set)


class Runner:
    """One repository on one machine."""

    def __init__(self, checkout: Path, place: Path, environment: dict[str, str]) -> None:
        self.checkout, self.place, self.environment = checkout, place, environment
        self.secrets: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.inputs: dict[str, str] = {}
        programs = place / "bin"
        programs.mkdir(parents=True)
        self.program("pip", f'#!/bin/sh\necho "$@" >> {place}/installed\n')
        self.program("gh", GH.format(python=sys.executable, store=str(place)))
        (place / "comments.json").write_text("[]")
        (place / "open").write_text("none")

    def program(self, name: str, text: str) -> None:
        """Put a program where the steps find it first."""
        path = self.place / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    @property
    def comments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.place / "comments.json").read_text())
        return found

    def run(self, workflow: Path, event: dict[str, Any], only: str | None = None) -> dict[str, Job]:
        """Run all jobs, or the one, one after the other."""
        written = yaml.safe_load(workflow.read_text())
        wanted = {name: job for name, job in written["jobs"].items() if only in (None, name)}
        return {name: self._job(written, job, event) for name, job in wanted.items()}

    def _job(self, workflow: dict[str, Any], job: dict[str, Any], event: dict[str, Any]) -> Job:
        done = Job()
        for number, step in enumerate(job["steps"]):
            if "run" not in step or done.failed or not self._wanted(step, done, event):
                continue
            done.ran.append(step["name"])
            if self._step(number, workflow, step, event, done) != 0:
                done.failed = step["name"]
        return done

    def _wanted(self, step: dict[str, Any], done: Job, event: dict[str, Any]) -> bool:
        return "if" not in step or self._value(step["if"], done, event) == "true"

    def _step(
        self, number: int, workflow: dict[str, Any], step: dict[str, Any], event: dict[str, Any], done: Job
    ) -> int:
        place = self.place / f"{len(list(self.place.iterdir()))}-{number}"
        place.mkdir()
        files = {f"GITHUB_{name}": place / name for name in ("ENV", "OUTPUT", "STEP_SUMMARY")}
        for path in files.values():
            path.touch()
        (place / "event.json").write_text(json.dumps(event))
        (place / "script.sh").write_text(step["run"])
        filled = {name: self._filled(str(text), done, event) for name, text in step.get("env", {}).items()}
        temporary = self.place / "temp"
        temporary.mkdir(exist_ok=True)
        environment = {
            **self.environment,
            "PATH": f"{self.place / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.place),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_ACTOR": "anna",
            "GITHUB_REPOSITORY": "team/shop",
            "GITHUB_EVENT_PATH": str(place / "event.json"),
            "RUNNER_TEMP": str(temporary),
            **{name: str(path) for name, path in files.items()},
            **done.environment,
            **filled,
        }
        folder = workflow.get("defaults", {}).get("run", {}).get("working-directory", ".")
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(place / "script.sh")],
            cwd=self.checkout / folder, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._heard(ended.stdout, done)
        done.environment |= _handed(files["GITHUB_ENV"])
        done.outputs[step.get("id", step["name"])] = _handed(files["GITHUB_OUTPUT"])
        done.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        return ended.returncode

    def _heard(self, text: str, done: Job) -> None:
        for line in text.splitlines():
            if line.startswith("::add-mask::"):
                secret = line.removeprefix("::add-mask::")
                done.masks.add(secret.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"))
                continue
            for secret in sorted({*done.masks, *self.secrets.values()} - {""}, key=len, reverse=True):
                line = line.replace(secret, "***")
            done.log += line + "\n"

    def _filled(self, text: str, done: Job, event: dict[str, Any]) -> str:
        return EXPRESSION.sub(lambda found: self._value(found[1], done, event), text)

    def _value(self, expression: str, done: Job, event: dict[str, Any]) -> str:
        for sign in ("==", "!="):
            left, found, right = expression.partition(f" {sign} ")
            if found:
                same = self._value(left, done, event) == self._value(right, done, event)
                return str(same == (sign == "==")).lower()
        if expression.startswith("'"):
            return expression.strip("'")
        github = {"event": event, "repository": "team/shop", "token": "a-token"}
        steps = {name: {"outputs": outputs} for name, outputs in done.outputs.items()}
        at: Any = {
            "github": github, "secrets": self.secrets, "vars": self.variables, "inputs": self.inputs,
            "steps": steps,
        }  # fmt: skip
        for part in expression.split("."):
            at = at.get(part) if isinstance(at, dict) else None
        return "" if at is None else str(at)


def _handed(path: Path) -> dict[str, str]:
    found = HANDED.findall(path.read_text())
    return {long or short: value if long else word for long, _, value, short, word in found}
