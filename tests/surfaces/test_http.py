"""HTTP on this machine: the token, the host, bodies, statuses."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.surfaces import door, http, http_app
from neondba.surfaces.calls import Answer

Toys = dict[str, Operation]
TOKEN = "k" * 43
HEADERS = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(ctx: Context, toys: Toys) -> Iterator[TestClient]:
    application = http_app.application(ctx, TOKEN)
    with TestClient(application, base_url="http://127.0.0.1:8410", headers=HEADERS) as made:
        yield made


def test_an_operation_is_a_path(client: TestClient) -> None:
    response = client.post("/v1/toy/show", json={"name": "ball"})
    assert (response.status_code, response.json()["name"]) == (200, "ball")
    assert response.headers["neondba-findings"] == "0"
    assert client.post("/v1/toy/inspect", json={"faults": 2}).headers["neondba-findings"] == "2"


def test_an_empty_body_is_no_arguments(client: TestClient) -> None:
    assert [toy["name"] for toy in client.post("/v1/toy/list").json()] == ["ball", "kite"]


def test_the_operations_are_listed_with_their_schemas(client: TestClient) -> None:
    listed = {one["name"]: one for one in client.get("/v1/operations").json()}
    assert set(listed) == set(capabilities.load())
    assert listed["toy.break"]["path"] == "/v1/toy/break"
    assert listed["toy.break"]["effect"] == "destroy"
    assert listed["toy.break"]["arguments"]["required"] == ["name"]


@pytest.mark.parametrize(
    ("path", "arguments", "status", "code"),
    [
        ("/v1/toy/show", {"name": "lost"}, 404, "toy-not-found"),
        ("/v1/toy/show", {}, 400, "argument-invalid"),
        ("/v1/toy/break", {"name": "top"}, 428, "confirmation-needed"),
        ("/v1/toy/crash", {"secret": "private words"}, 500, "unexpected"),
        ("/v1/toy/fly", {}, 404, "path-not-found"),
    ],
)
def test_a_problem_has_its_status(
    client: TestClient, path: str, arguments: dict[str, Any], status: int, code: str
) -> None:
    response = client.post(path, json=arguments)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert set(response.json()) == {"code", "message", "hint", "facts"}
    assert "Traceback" not in response.text
    assert "private words" not in response.text


def test_another_method_is_refused(client: TestClient) -> None:
    response = client.get("/v1/toy/show")
    assert (response.status_code, response.json()["code"]) == (405, "request-refused")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/toy/show", content=body)
    assert (response.status_code, response.json()["code"]) == (400, "body-not-an-object")


def test_a_large_body_is_not_read(client: TestClient) -> None:
    response = client.post("/v1/toy/show", content=b" " * (http_app.MOST_BYTES + 1))
    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("given", ["query", "header"])
def test_consent_and_dry_runs_come_as_query_or_header(client: TestClient, given: str) -> None:
    def call(**running: str) -> Any:
        headers = {f"neondba-{name.replace('_', '-')}": value for name, value in running.items()}
        kind = {"params": running} if given == "query" else {"headers": headers}
        return client.post("/v1/toy/break", json={"name": "top"}, **kind)

    planned = call(dry_run="true")
    assert planned.json()["steps"] == ["Break top.", "Sweep the floor."]
    done = call(confirm=planned.headers["neondba-plan"])
    assert (done.status_code, done.json()["name"]) == (200, "top")
    assert call(confirm="0" * 12).json()["code"] == "plan-changed"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", "Bearer ÿ"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/operations"), ("POST", "/v1/toy/show")])
def test_nobody_enters_without_the_token(
    ctx: Context, toys: Toys, authorization: str | None, method: str, path: str
) -> None:
    headers = {} if authorization is None else {"authorization": authorization.encode("latin-1")}
    with TestClient(http_app.application(ctx, TOKEN), base_url="http://127.0.0.1") as made:
        response = made.request(method, path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "token-refused")
    assert response.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in response.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:9", 200),
        ("localhost:8410", 200),
        ("[::1]:8410", 200),
        ("LOCALHOST", 200),
        ("evil.example", 401),
        ("evil.example:8410", 401),
        ("127.0.0.1.evil.example", 401),
        ("localhost@evil.example", 401),
        ("[::1", 401),
        ("", 401),
    ],
)
def test_another_host_name_is_refused(client: TestClient, host: str, status: int) -> None:
    assert client.get("/v1/operations", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:3000", 200), ("https://evil.example", 401), ("null", 401)]
)
def test_another_page_s_script_is_refused(client: TestClient, origin: str, status: int) -> None:
    assert client.get("/v1/operations", headers={"origin": origin}).status_code == status


def test_a_fault_in_the_server_itself_shows_no_trace(ctx: Context, toys: Toys) -> None:
    application = http_app.application(ctx, TOKEN)

    async def broken(_request: Any) -> Any:
        raise RuntimeError("private words")

    application.router.routes.insert(0, Route("/broken", broken))
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as made:
        response = made.get("/broken")
    assert (response.status_code, response.json()["code"]) == (500, "unexpected")
    assert "private words" not in response.text


def test_an_answer_that_cannot_be_written_shows_no_trace(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Answer, "data", {"name": "\udcff"})
    response = client.post("/v1/toy/show", json={"name": "ball"})
    assert (response.status_code, response.json()["code"]) == (500, "unexpected")
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("port", ["x", "70000", "-1"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert http.command([f"--port={port}"]) == 2
    assert "is not a port" in capsys.readouterr().err


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert http.command(["--port", str(port)]) == 5
    err = capsys.readouterr().err
    assert f"Port {port} of 127.0.0.1 cannot be used" in err
    assert "neondba serve --port 0" in err


def test_help_of_a_serving_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert http.command(["--help"]) == 0
    assert "--port PORT" in capsys.readouterr().out


def test_an_unknown_option_of_a_serving_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert http.command(["--nope"]) == 2
    assert "Usage: neondba serve [--port PORT]" in capsys.readouterr().err


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    state = tmp_path / "state"
    argv = [sys.executable, "-m", "neondba", "serve", "--port", "0", "--state-dir", str(state)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = server.stdout.readline() + server.stdout.readline()
            base = re.search(r"http://127\.0\.0\.1:\d+", lines)
            assert base
            file = state / "http-token"
            assert str(file) in lines
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            token = file.read_text().strip()
            headers = {"authorization": f"Bearer {token}"}
            response = httpx2.post(f"{base[0]}/v1/operation/list", json={}, headers=headers, timeout=60)
            server.send_signal(signal.SIGINT)
            out, err = server.communicate(timeout=60)
        finally:
            server.kill()
    assert response.status_code == 200
    assert "operation.list" in response.text
    assert "server" not in response.headers
    assert token not in lines + out + err
    assert "Traceback" not in err
    assert server.returncode in (0, 130)


def test_a_state_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert http.command(["--port", "0", "--state-dir", str(tmp_path / "file" / "state")]) == 2
    assert "cannot be written: Not a directory.\nChoose another one" in capsys.readouterr().err


def test_each_start_makes_a_new_token(ctx: Context) -> None:
    first, path = door.token(ctx, "http-token")
    Path(path).chmod(0o644)
    second, _ = door.token(ctx, "http-token")
    assert first != second
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert json.dumps(Path(path).read_text().strip()) == json.dumps(second)
