"""Rotate a role's credential under load, and kill rotations; print what failed and what works afterwards.

CLIENTS (200) clients, half through the pooler, read the credential from `.env` at each connect, log in, read
under row-level security, leave, and come again after THINK (5) seconds on average, first alone, then while
`neondba role rotate app` runs as a program of its own. Then
KILLS (10) rotations are ended by SIGKILL at random moments: after each the credential in the file is tried,
pooled and direct, and a second run has to finish. With POINTS=1 one is killed before each statement and
login that it sends and each file that it writes, one after the other; POINTS=5 takes every fifth.

Run: python bench/rotation.py
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.neon.throwaway import reached
from neondba.project import env_file

POOLED, DIRECT = "DATABASE_URL", "DATABASE_URL_UNPOOLED"
THINK = float(os.environ.get("THINK", "5"))
SCHEMA = """
create table note (id bigserial primary key, owner text not null, body text not null);
alter table note enable row level security;
create policy own on note to app using (owner = current_setting('app.user', true));
insert into note (owner, body) select 'user' || i % 10, 'text' from generate_series(1, 1000) i
"""


@dataclass
class World:
    """A local Neon, a project, and a folder with an application's `.env`."""

    root: Path
    folder: Path = field(init=False)
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder, self.state = self.root / "app", self.root / "state"
        self.folder.mkdir()

    def call(self, operation: str, /, *, dry_run: bool = False, **arguments: object) -> Any:
        """Run an operation in this process, with consent."""
        project = None if operation == "project.create" else "shop"
        settings = Settings(state_dir=self.state, project=project)
        ctx = Context(settings=settings, folder=self.folder, dry_run=dry_run, ask=lambda _plan: True)
        return capabilities.load()[operation].call(ctx, arguments)

    def rotate(self) -> Any:
        return self.call("role.rotate", name="app", wait="1s")

    def command(self, wait: str) -> list[str]:
        """Give the command that rotates, with consent to the plan of this moment."""
        plan = self.call("role.rotate", dry_run=True, name="app", wait=wait)
        common = ["--project", "shop", "--state-dir", str(self.state), "--quiet", "--format", "json"]
        words = ["role", "rotate", "app", "--wait", wait, "--confirm", plan.hash]
        return [sys.executable, "-m", "neondba", *words, *common]

    def url(self, name: str) -> str:
        return env_file.read(self.folder / ".env").value(name).reveal()

    def works(self) -> bool:
        return all(opens(self.url(name)) for name in (POOLED, DIRECT))


def opens(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=30) as session:
            session.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


async def client(
    world: World, name: str, number: int, stop: asyncio.Event, seen: Counter, faults: list
) -> None:
    """Come and go until told to stop."""
    while not stop.is_set():
        # Pausing first spreads the beginning too: all at once would meet the proxy's limit on logins.
        await asyncio.sleep(random.uniform(0, 2 * THINK))
        url = world.url(name)
        try:
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=60) as session:
                await session.execute("select set_config('app.user', %s, true)", [f"user{number % 10}"])
                row = await (await session.execute("select count(*), session_user from note")).fetchone()
                assert row[0] == 100, row
                seen[name, row[1]] += 1
        except Exception as error:  # noqa: BLE001
            faults.append((time.time(), name, str(error).strip().splitlines()[-1][:150]))


async def under_load(world: World, clients: int) -> None:
    stop, seen, faults = asyncio.Event(), Counter(), []
    command = world.command("60s")
    old = world.url(POOLED), world.url(DIRECT)
    tasks = [
        asyncio.create_task(client(world, (POOLED, DIRECT)[n % 2], n, stop, seen, faults))
        for n in range(clients)
    ]
    await asyncio.sleep(20)
    print(f"before: {sum(seen.values())} requests in 20 s, {len(faults)} failed")
    began = time.time()
    process = await asyncio.create_subprocess_exec(*command, cwd=world.folder, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    took = time.time() - began
    await asyncio.sleep(5)
    stop.set()
    await asyncio.gather(*tasks)
    result = json.loads(said)
    print(
        f"{clients} clients, load {os.getloadavg()[0]:.1f}: {sum(seen.values())} requests, "
        f"{len(faults)} failed"
    )
    for (name, role), count in sorted(seen.items()):
        print(f"  {name:22} as {role:6} {count}")
    print(f"  rotation took {took:.1f} s, closed: {result['closed']}", *result["checks"], sep="\n    ")
    print("  old credential opens:", [opens(url) for url in old])
    kinds = Counter((("before", "after the start of")[at > began], said) for at, _, said in faults)
    for (when, said), count in kinds.items():
        print(f"  {count} failed {when} the rotation: {said}")


def killed(world: World, kills: int, seconds: float) -> None:
    chance = random.Random(6)
    for number in range(kills):
        command = world.command("1s")
        after = chance.uniform(0.3, seconds)
        process = subprocess.Popen(
            command, cwd=world.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(after)
        ended = process.poll()
        process.send_signal(signal.SIGKILL)
        process.wait()
        works, before = world.works(), world.url(POOLED)
        result = world.rotate()
        old_works = opens(before) if world.url(POOLED) != before else "same"
        print(
            f"  kill {number + 1} after {after:.2f} s{' (it was done)' if ended is not None else ''}: file's "
            f"credential works {works}; second run closed {result.closed}, {result.old} -> "
            f"{result.new}, file's credential works {world.works()}, the one before: {old_works}"
        )


def killed_everywhere(world: World, step: int) -> None:
    number, tried, bad = 1 - step, 0, []
    while True:
        number += step
        tried += 1
        command = world.command("1s")
        code = CHILD.format(number=number)
        process = subprocess.run(
            [sys.executable, "-c", code, *command[3:]],
            cwd=world.folder,
            capture_output=True,
            check=False,
        )
        works = world.works()
        result = world.rotate()
        if not (works and result.closed and world.works()):
            bad.append(number)
        if process.returncode != -signal.SIGKILL:
            break
    print(f"  killed before {tried - 1} of {number} statements, logins and writes: bad {bad}")


CHILD = """
import os, signal, sys
import psycopg
from neondba.core import whole_file
left = {number}
def counted(function):
    def wrapped(*arguments, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **more)
    return wrapped
psycopg.Connection.execute = counted(psycopg.Connection.execute)
psycopg.Connection.connect = psycopg.connect = counted(psycopg.connect)
whole_file.put = counted(whole_file.put)
from neondba.__main__ import main
sys.argv[0] = "neondba"
main()
"""


def main() -> None:
    root = Path(tempfile.mkdtemp(prefix="ndb-rotation-"))
    root.chmod(0o755)
    world = World(root)
    try:
        world.call("project.create", name="shop")
        world.call("role.create", name="app", application=True, write_env=POOLED)
        owner = owner_url(world, units=2)
        with psycopg.connect(owner, autocommit=True) as session:
            session.execute(SCHEMA)
            print("max_connections", session.execute("show max_connections").fetchone()[0])
        text = env_file.read(world.folder / ".env")
        direct = env_file.Secret(text.value(POOLED).reveal().replace("-pooler", ""))
        env_file.write(world.folder / ".env", text.with_values({DIRECT: direct}))
        if clients := int(os.environ.get("CLIENTS", "200")):
            asyncio.run(under_load(world, clients))
        command = world.command("1s")
        began = time.time()
        subprocess.run(command, cwd=world.folder, check=True, stdout=subprocess.DEVNULL)
        took = time.time() - began
        print(f"a rotation alone, waiting 1 s: {took:.1f} s")
        killed(world, int(os.environ.get("KILLS", "10")), took)
        if step := int(os.environ.get("POINTS", "0")):
            killed_everywhere(world, step)
    finally:
        launch.stop(world.state)
        shutil.rmtree(root, ignore_errors=True)


def owner_url(world: World, units: float) -> str:
    """Give the compute room for all clients, and the owner's connection string."""
    with platform.client(Context(settings=Settings(state_dir=world.state))) as client:
        found = client.find_project("shop")
        endpoint = client.endpoints(found.id)[0]
        client.update_endpoint(found.id, endpoint.id, min_cu=units, max_cu=units)
        return reached(client, found.id, client.find_branch(found, "main")).direct.reveal()


if __name__ == "__main__":
    main()
