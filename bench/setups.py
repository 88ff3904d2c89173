"""`neondba setup` on real projects: does what it writes start them, and does it leave the rest alone?

    python bench/setups.py bench/support/setups.toml TREES ENVIRONMENTS [--only NAME]... [--keep FOLDER]

TREES holds the projects, ENVIRONMENTS a virtual environment for each that needs one. Each project is copied,
set up on a local Neon of this run, set up a second time, given its schema by its own means, started, and
asked for something that queries. Prints a table; the exit status is the number of projects that did not pass.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds for a program to answer; Next.js compiles first."""
KEPT = {"PATH", "HOME", "LANG", "TERM", "TMPDIR", "LD_LIBRARY_PATH"}
SETTLES = 15.0
"""Seconds in which a wrong answer may still become right."""
LEFT_OUT = {"__pycache__", ".next", ".git"}
Files = Mapping[str, tuple[str, int]]


@dataclass
class Row:
    """What became of one project."""

    name: str
    kind: str
    setup: str = "-"
    wrote: str = "-"
    answer: str = "-"
    second: str = "-"
    lost: str = "-"
    why: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Say whether all four held."""
        return (self.answer, self.second, self.lost) == ("yes", "nothing", "none")


@dataclass(frozen=True)
class Place:
    """Where one project is tried."""

    spec: dict[str, Any]
    root: Path
    folder: Path
    python: str
    port: int
    state: Path
    log: Path

    def filled(self, text: str) -> str:
        """Put this place's values into a word of the manifest."""
        for name, value in (("python", self.python), ("port", str(self.port)), ("root", str(self.root))):
            text = text.replace("{" + name + "}", value)
        return secrets.token_hex(24) if text == "random" else text

    def environment(self) -> dict[str, str]:
        """Give what the program sees: nothing about a database but what setup wrote to files."""
        kept = {k: v for k, v in os.environ.items() if k in KEPT}
        given = {k: self.filled(v) for k, v in self.spec.get("environment", {}).items()}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **given}

    @property
    def inside(self) -> Path:
        """Give the folder that its commands run in."""
        return self.folder / str(self.spec.get("folder", "."))


def files_of(folder: Path, links: list[str]) -> Files:
    """Give hash and time of every file, without what is linked in."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and not LEFT_OUT & set(inner.parts) and inner.parts[0] not in links:
            found[str(inner)] = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
    return found


def lost_lines(before: bytes, after: bytes) -> list[str]:
    """Give the lines of the first text that are not in the second; one that is a comment now is kept."""
    old, new = before.decode("utf-8", "replace").splitlines(), after.decode("utf-8", "replace").splitlines()
    gone = [line[2:] for line in difflib.ndiff(old, new) if line.startswith("- ")]
    return [line for line in gone if f"# {line}" not in new and line.strip()]


def copied(place: Place, trees: Path) -> dict[str, bytes]:
    """Copy a project, link what is heavy, and keep what its files held."""
    source = trees / place.spec["tree"] if "tree" in place.spec else None
    links = place.spec.get("links", [])
    if source is None:
        place.folder.mkdir(parents=True)
    else:
        shutil.copytree(
            source, place.folder, ignore=lambda _, names: [n for n in names if n in (*links, *LEFT_OUT)]
        )
        for link in links:
            (place.folder / link).symlink_to((source / link).resolve())
    return {name: (place.folder / name).read_bytes() for name in files_of(place.folder, links)}


def command(place: Place, words: list[str], *, stdin: str = "", outside: bool = False) -> tuple[int, str]:
    """Run something to its end; give its status and what it printed."""
    environment = {**os.environ, "NEONDBA_STATE_DIR": str(place.state)} if outside else place.environment()
    done = subprocess.run(
        [place.filled(w) for w in words],
        cwd=place.folder if outside else place.inside,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
    )
    with place.log.open("a") as log:
        log.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}\n= {done.returncode}\n")
    return done.returncode, done.stdout + done.stderr


def setup(place: Place, row: Row) -> str:
    """Run `neondba setup`; give `ok` or its status, with the seconds."""
    began = time.monotonic()
    words = [str(Path(sys.executable).parent / "neondba"), "setup", *place.spec.get("arguments", [])]
    status, said = command(place, words, outside=True)
    row.why += [line.strip() for line in said.splitlines() if line.startswith("FAILS") or "rror" in line[:20]]
    return f"{'ok' if status == 0 else f'exit {status}'} {time.monotonic() - began:.1f} s"


def compare(place: Place, before: dict[str, bytes], row: Row) -> None:
    """Say which files are new or changed, and which lines went."""
    now = files_of(place.folder, place.spec.get("links", []))
    new = sorted(now.keys() - before.keys())
    gone = sorted(before.keys() - now.keys())
    changed = [n for n in before if n in now and (place.folder / n).read_bytes() != before[n]]
    lines = [
        f"{n}: {line}" for n in changed for line in lost_lines(before[n], (place.folder / n).read_bytes())
    ]
    row.wrote = ", ".join([*new, *(f"{n} (changed)" for n in changed)]) or "nothing"
    row.lost = "none" if not gone and not lines else f"{len(gone)} files, {len(lines)} lines"
    row.why += [f"gone: {n}" for n in gone] + [f"line gone: {masked(line)}" for line in lines]


def masked(text: str) -> str:
    """Hide what may be a secret in somebody's file."""
    return re.sub(r"=.*", "=…", re.sub(r"://[^@\s]*@", "://***@", text))


def written_url(place: Place) -> str:
    """Give the first address that setup wrote, as somebody at a terminal would take it."""
    for name in (".env", ".env.local", ".env.development.local"):
        for folder in (place.inside, place.folder):
            path = folder / name
            text = path.read_text() if path.is_file() else ""
            if found := re.search(r"^\w+\s*=\s*[\"']?(postgres\S*?)[\"']?\s*$", text, re.MULTILINE):
                url = re.sub(r"[?&]schema=\w+", "", found[1])
                return re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", url)
    raise LookupError("setup wrote no address")


def statements_of(place: Place) -> list[str]:
    """Give the SQL that a project tells its users to run, from its own files."""
    texts = [p.read_text() for g in place.spec.get("statements", []) for p in sorted(place.folder.glob(g))]
    for name in place.spec.get("tables_in", []):
        text = re.sub(r"^\s*//\s?", "", (place.folder / name).read_text(), flags=re.MULTILINE)
        texts += [
            m[0] for m in re.finditer(r"create table [^(;]*\((?:[^()]|\([^()]*\))*\)", text, re.IGNORECASE)
        ]
    return texts


def make_schema(place: Place, row: Row) -> bool:
    """Make the tables by the project's own means."""
    for words in [*place.spec.get("build", []), *place.spec.get("schema", [])]:
        status, said = command(place, words)
        if status:
            row.why += [f"schema: {masked(said.strip().splitlines()[-1] if said.strip() else str(status))}"]
            return False
    if texts := statements_of(place):
        import psycopg

        try:
            with psycopg.connect(written_url(place), autocommit=True) as session:
                for text in texts:
                    session.execute(text)
        except (psycopg.Error, LookupError) as error:
            row.why += [f"schema: {str(error).splitlines()[0]}"]
            return False
    return True


@contextmanager
def running(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program, wait for its port, and end it with its children."""
    with place.log.open("ab") as log:
        words = [place.filled(w) for w in place.spec["start"]]
        program = subprocess.Popen(
            words, cwd=place.inside, env=place.environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and program.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", place.port)) == 0:
                    break
            time.sleep(0.2)
        yield program
    finally:
        if program.poll() is None:
            os.killpg(program.pid, 15)
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, 9)
            program.wait()


def asked(place: Place, question: dict[str, Any]) -> str | None:
    """Send one request; give what was wrong with the answer."""
    body = question.get("body")
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.port}{question['path']}",
        method=question.get("method", "GET"),
        data=body.encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            status, text = answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        return f"{question['path']}: {error}"
    if status != question.get("status", 200) or question["holds"] not in re.sub(
        r'(?<=[:,]) (?=["\[{0-9])', "", text
    ):
        return f"{question['path']}: {status} {masked(text[:160])}"
    return None


def answers(place: Place, row: Row) -> str:
    """Start the program and ask it; give `yes`, or `no` with a reason in the row."""
    if "run" in place.spec:
        status, said = command(place, place.spec["run"], stdin="\n".join(place.spec.get("input", [])) + "\n")
        if status == 0 and place.spec["holds"] in said:
            return "yes"
        row.why += [f"ran: {status} {masked(' / '.join(said.strip().splitlines()[-2:]))}"]
        return "no"
    with running(place) as program:
        for question in place.spec["ask"]:
            # Some make their tables after they listen.
            until = time.monotonic() + SETTLES
            while (wrong := asked(place, question)) and program.poll() is None and time.monotonic() < until:
                time.sleep(1)
            if wrong:
                row.why += [wrong]
                return "no"
    return "yes"


def second(place: Place, row: Row) -> str:
    """Set up again; give `nothing`, or the files that were touched."""
    links = place.spec.get("links", [])
    before = files_of(place.folder, links)
    setup(place, Row("", ""))
    after = files_of(place.folder, links)
    touched = [n for n in before.keys() | after.keys() if before.get(n) != after.get(n)]
    row.why += [f"second run touched {n}" for n in touched]
    return "nothing" if not touched else f"{len(touched)} files"


def tried(place: Place, trees: Path) -> Row:
    """Take one project through all of it."""
    row = Row(place.spec["name"], place.spec["kind"])
    before = copied(place, trees)
    row.setup = setup(place, row)
    compare(place, before, row)
    row.second = second(place, row)
    row.answer = answers(place, row) if make_schema(place, row) else "no"
    return row


def free_port() -> int:
    """Give a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def place_for(spec: dict[str, Any], work: Path, environments: Path) -> Place:
    """Decide where a project is tried."""
    root = work / spec["name"]
    python = environments / spec.get("interpreter", spec["name"]) / "bin" / "python"
    folder = root / spec.get("under", spec["name"])
    root.mkdir()
    return Place(
        spec, root, folder, str(python), spec.get("port") or free_port(), work / "state", root / "log"
    )


def main() -> int:
    """Try every project of the manifest and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("trees", type=Path)
    parser.add_argument("environments", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--keep", type=Path, help="Folder that stays afterwards, for a look.")
    given = parser.parse_args()
    specs = tomllib.loads(given.manifest.read_text())["project"]
    work = given.keep.absolute() if given.keep else Path(tempfile.mkdtemp(prefix="setups-"))
    work.mkdir(parents=True, exist_ok=True)
    rows = []
    try:
        for spec in specs:
            if not given.only or spec["name"] in given.only:
                rows.append(
                    tried(place_for(spec, work, given.environments.absolute()), given.trees.absolute())
                )
                shown(rows[-1])
    finally:
        neondba = str(Path(sys.executable).parent / "neondba")
        stopping = {**os.environ, "NEONDBA_STATE_DIR": str(work / "state")}
        subprocess.run([neondba, "local", "stop", "--quiet"], env=stopping, check=False, capture_output=True)
        if not given.keep:
            shutil.rmtree(work, ignore_errors=True)
    failed = [row.name for row in rows if not row.passed]
    print(json.dumps({"projects": len(rows), "passed": len(rows) - len(failed), "failed": failed}))
    return len(failed)


def shown(row: Row) -> None:
    """Print one line, and below it what was wrong."""
    print(
        f"{row.name:17} {row.kind:25} {row.setup:14} "
        f"answers {row.answer:4} second {row.second:9} lost {row.lost}"
    )
    print(f"{'':17} wrote {row.wrote}", flush=True)
    for why in row.why:
        print(f"{'':17} - {why}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
