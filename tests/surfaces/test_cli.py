"""The command line: words, statuses, problems, consent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from toys import Colour

from neondba import __version__
from neondba.core.operation import Operation
from neondba.surfaces import cli, command, consent, described, options, output

Toys = dict[str, Operation]
Captured = pytest.CaptureFixture[str]


def run(capsys: Captured, *argv: str) -> tuple[int, str, str]:
    status = cli.run(list(argv))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(capsys: Captured, toys: Toys, argv: list[str]) -> None:
    status, out, err = run(capsys, *argv)
    assert (status, err) == (0, "")
    for expected in ("toy show", "Break a toy for good.", "operation list", "mcp ", "serve ", "Exit status:"):
        assert expected in out


def test_the_version_is_told(capsys: Captured) -> None:
    assert run(capsys, "--version") == (0, f"neondba {__version__}\n", "")


def test_a_group_lists_its_verbs(capsys: Captured, toys: Toys) -> None:
    status, out, _ = run(capsys, "toy", "--help")
    assert status == 0
    assert "show" in out
    assert "Show a toy." in out
    assert "neondba mcp" not in out
    assert "List toys.\n" in out
    status, out, err = run(capsys, "toy")
    assert (status, out) == (2, "")
    assert "Show a toy." in err


def test_a_command_s_help_shows_all_that_derives(capsys: Captured, toys: Toys) -> None:
    status, out, _ = run(capsys, "toy", "show", "--help")
    assert status == 0
    assert "Usage: neondba toy show NAME [--colour COLOUR] [--tags TAGS]" in out
    assert "With all that is known of it." in out
    assert "one of: red, blue; default: red" in out
    assert "--boxed, --no-boxed" in out
    assert "--shiny  " in out
    assert "may be repeated" in out
    assert "[required]" in out
    assert "--state-dir" in out
    assert "neondba toy show ball --colour=blue --tags=x '--tags=y z' --weight=2.5 --shiny" in out


def test_help_shows_only_what_applies(capsys: Captured, toys: Toys) -> None:
    reading = run(capsys, "toy", "list", "--help")[1]
    assert "--confirm" not in reading
    assert "one of: terminal, json; default: terminal" in " ".join(reading.split())
    assert "Problems:" not in reading
    assert "--confirm" in run(capsys, "toy", "make", "--help")[1]


def test_help_tells_which_problems_end_it(capsys: Captured) -> None:
    shown = run(capsys, "operation", "show", "--help")[1]
    assert "Raises:" not in shown
    assert shown.endswith("Problems:\n  exit 4  no operation is called so.\n")


def test_an_unknown_kind_of_problem_has_the_common_status() -> None:
    assert described.Ending("OSError", "the disk is full").exit_status == 7


def test_a_text_that_begins_with_a_dash_is_no_option(capsys: Captured) -> None:
    status, out, _ = run(capsys, "ask", "-pooler stands twice in the host", "--no-project")
    assert status == 0
    assert "Sources:" in out
    status, _, err = run(capsys, "ask", "--jsno", "why is it slow?")
    assert status == 2
    assert "Unknown option: --jsno" in err


def test_secrets_are_no_options() -> None:
    assert "api_key" not in {argument.name for argument in options.every()}
    assert "project" in {argument.name for argument in options.every()}


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["toi", "show"], "Did you mean: neondba toy show?"),
        (["toy", "shov"], "Did you mean: neondba toy show?"),
        (["toyy", "fly"], "Did you mean: neondba toy"),
        (["oparation"], "Did you mean: neondba operation"),
        (["zzzzzz"], "neondba --help lists the commands."),
        (["--project", "x"], "neondba --help lists the commands."),
    ],
)
def test_an_unknown_command_suggests_the_nearest(
    capsys: Captured, toys: Toys, argv: list[str], hint: str
) -> None:
    status, out, err = run(capsys, *argv)
    assert (status, out) == (2, "")
    assert hint in err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--nope"], "Unknown option: --nope."),
        (["ball", "extra"], "extra is more than this command takes.\nUsage: neondba toy show NAME"),
        (
            ["a", "red", "ball"],
            "red ball is more than this command takes. Put words that belong together in quotes.\n"
            "Usage: neondba toy show NAME",
        ),
        (["ball", "--colour"], "--colour requires an argument"),
        (["ball", "--grade", "a", "--grade", "b"], "specified multiple times"),
        (["ball", "--extra", "{"], "--extra takes JSON"),
        ([], "toy.show: name: it is missing."),
        (["ball", "--weight", "heavy"], "toy.show: weight: "),
        (["ball", "--format", "poem"], "--format: poem is not a format."),
        (["ball", "--format", "sarif"], "It can be shown as: terminal, json."),
        (
            ["ball", "--step-limit", "soon"],
            "step_limit from --step-limit is not usable: it should be a valid number.",
        ),
    ],
)
def test_a_wrong_call_is_refused_with_what_it_takes(
    capsys: Captured, toys: Toys, argv: list[str], said: str
) -> None:
    status, out, err = run(capsys, "toy", "show", *argv)
    assert (status, out) == (2, "")
    assert said in err


def test_a_flag_may_turn_a_command_into_another(capsys: Captured, toys: Toys) -> None:
    turned = run(capsys, "toy", "inspect", "--heap", "--count=1", "--format", "json")
    assert turned == run(capsys, "toy", "heap", "--count=1", "--format", "json")
    assert "--heap  " in run(capsys, "toy", "inspect", "--help")[1]
    assert "Show a heap of toys. See: neondba toy heap" in run(capsys, "toy", "inspect", "--help")[1]
    assert "Usage: neondba toy heap" in run(capsys, "toy", "inspect", "--heap", "--help")[1]


def test_a_group_s_word_may_stand_for_one_of_its_verbs(capsys: Captured) -> None:
    assert run(capsys, "rule", "NDB203") == run(capsys, "rule", "show", "NDB203")
    assert run(capsys, "rule", "NDB203")[0] == 0
    assert run(capsys, "rule", "NDB000")[0] == 4
    assert run(capsys, "rule", "--help")[1].startswith("Usage: neondba rule VERB")
    assert run(capsys, "rule")[0] == 2


def test_problems_are_json_where_json_was_wanted(capsys: Captured, toys: Toys) -> None:
    status, out, err = run(capsys, "toy", "show", "lost", "--format=json")
    assert (status, err) == (4, "")
    assert json.loads(out) == {
        "code": "toy-not-found",
        "message": "No toy is called lost.",
        "hint": "neondba toy list",
        "facts": {"toy": "lost"},
    }
    for argv in (["toy", "show", "--nope", "--format", "json"], ["zzz", "--format", "json"]):
        assert json.loads(run(capsys, *argv)[1])["code"] in {"argument-invalid", "command-unknown"}


def test_problems_are_a_sentence_then_a_hint(capsys: Captured, toys: Toys) -> None:
    assert run(capsys, "toy", "show", "lost") == (4, "", "No toy is called lost.\nneondba toy list\n")


def test_findings_are_status_one(capsys: Captured, toys: Toys) -> None:
    assert run(capsys, "toy", "inspect")[0] == 0
    assert run(capsys, "toy", "inspect", "2")[0] == 1


def test_options_may_stand_before_the_command(capsys: Captured, toys: Toys) -> None:
    status, out, _ = run(capsys, "--format", "json", "--quiet", "--project=x", "toy", "show", "ball")
    assert (status, json.loads(out)["name"]) == (0, "ball")


def test_after_two_dashes_everything_is_a_value(capsys: Captured, toys: Toys) -> None:
    status, out, _ = run(capsys, "toy", "list", "--format", "json", "--", "--help")
    assert (status, json.loads(out)[0]["name"]) == (0, "--help")


def test_an_own_form_is_printed_as_it_is(capsys: Captured, toys: Toys) -> None:
    assert run(capsys, "toy", "inspect", "--format", "markdown")[1] == "# Faults\n"
    assert json.loads(run(capsys, "toy", "inspect", "--format", "sarif")[1]) == {"version": "2.1.0"}


def test_without_a_terminal_consent_is_a_command_to_repeat(capsys: Captured, toys: Toys) -> None:
    status, out, err = run(capsys, "toy", "break", "my top", "--confirm", "0" * 12)
    assert (status, out) == (6, "")
    assert "1. Break my top." in err
    again = next(line.split() for line in err.splitlines() if "--confirm" in line)
    assert err.rstrip().splitlines()[-1].startswith("  neondba toy break 'my top' --confirm ")
    status, out, _ = run(capsys, "toy", "break", "my top", "--confirm", again[-1], "--format", "json")
    assert (status, json.loads(out)["name"]) == (0, "my top")


def test_a_dry_run_prints_the_plan(capsys: Captured, toys: Toys) -> None:
    status, out, _ = run(capsys, "toy", "make", "top", "--dry-run")
    assert status == 0
    assert "1. Make top." in out
    assert "project    toys" in out


def test_an_interrupt_is_status_130(capsys: Captured, toys: Toys) -> None:
    assert run(capsys, "toy", "interrupt") == (130, "", "Interrupted.\n")


def test_an_unforeseen_error_shows_no_trace(capsys: Captured, toys: Toys) -> None:
    status, out, err = run(capsys, "toy", "crash", "very private")
    assert (status, out) == (7, "")
    assert "RuntimeError at " in err
    assert "Traceback" not in err
    assert "private" not in err


def test_a_developer_may_see_the_trace(monkeypatch: pytest.MonkeyPatch, toys: Toys) -> None:
    monkeypatch.setenv("NEONDBA_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="boom"):
        cli.run(["toy", "crash"])


class Person:
    """Standard input and error as a terminal with somebody who types."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
        import io

        monkeypatch.setattr(output, "is_terminal", lambda stream: stream is not sys.stdout)
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer + "\n"))


@pytest.mark.parametrize(("answer", "expected"), [("shelf", 0), ("toys", 6), ("", 6)])
def test_a_person_types_the_target_s_name(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, toys: Toys, answer: str, expected: int
) -> None:
    Person(monkeypatch, answer)
    status, _, err = run(capsys, "toy", "break", "top")
    assert status == expected
    assert "2. Sweep the floor." in err
    assert "Type shelf to go on, anything else to stop: " in err


def test_a_target_without_a_name_takes_a_yes() -> None:
    from neondba.core.plan import Effect, Plan, Target

    plan = Plan(operation="x", effect=Effect.DESTROY, target=Target(protected=True), steps=())
    assert consent.name_to_type(plan) == "yes"


@pytest.mark.parametrize(
    ("operation", "branch", "typed"),
    [
        ("branch.delete", "dev", "dev"),
        ("role.delete", "dev", "app"),
        ("project.create", "main", "shop"),
        ("isolation.prove", "neondba-isolation-…", "shop"),
    ],
)
def test_what_is_typed_is_the_name_of_what_the_operation_touches(
    operation: str, branch: str, typed: str
) -> None:
    from neondba.core.plan import Effect, Plan, Target

    target = Target(project="shop", branch=branch, role="app")
    plan = Plan(operation=operation, effect=Effect.DESTROY, target=target, steps=())
    assert consent.name_to_type(plan) == typed


def test_progress_is_one_live_line_for_a_person(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, toys: Toys
) -> None:
    Person(monkeypatch, "")
    _, _, err = run(capsys, "toy", "make", "top")
    assert err == "\r\x1b[2K 50 % Carving\r\x1b[2KPainting\r\x1b[2K"
    assert run(capsys, "toy", "make", "top", "--quiet")[2] == ""


def test_progress_is_silent_in_a_pipe(capsys: Captured, toys: Toys) -> None:
    assert run(capsys, "toy", "make", "top")[2] == ""


def program(*argv: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, *argv], capture_output=True, env=env, check=False)


def imported(heavy: str, *argv: str) -> list[str]:
    """Run a command and say which of the modules it has imported."""
    code = (
        "import sys; from neondba.surfaces.cli import run; run(sys.argv[2:])\n"
        "print([name for name in sys.argv[1].split() if name in sys.modules])"
    )
    found: list[str] = json.loads(
        program("-c", code, heavy, *argv).stdout.splitlines()[-1].replace(b"'", b'"')
    )
    return found


def test_help_imports_nothing_heavy() -> None:
    heavy = "mcp starlette uvicorn psycopg sqlalchemy pydantic cyclopts rich httpx2 cryptography"
    assert imported(f"{heavy} inspect importlib.metadata", "--help") == []


def test_a_command_imports_only_what_it_needs() -> None:
    heavy = "mcp starlette uvicorn sqlalchemy httpx2 cryptography rich.table"
    assert imported(heavy, "operation", "list") == []


def test_a_reader_who_goes_away_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "neondba", "operation", "list"],
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_result_that_cannot_be_written_is_a_problem() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "neondba", "operation", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 7
    assert done.stderr.startswith(b"The result could not be written to standard output: ")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m neondba rule show NDB000 {closed}', sys.executable],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 4
    assert b"of its own" not in done.stderr


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$1" && "$0" -m neondba rule list', sys.executable, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.split(b"\n")[0]) == (4, b"The current folder no longer exists.")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("form", ["terminal", "json"])
def test_any_terminal_encoding_takes_any_text(encoding: str, form: str) -> None:
    code = (
        "import sys; from toys import registered; from neondba.surfaces import command, output\n"
        "output.prepare()\n"
        "with registered() as made:\n"
        "    sys.exit(command.run(made['toy.list'], ['日本é', '--format', sys.argv[1]], []))"
    )
    here = str(Path(__file__).parent)
    done = program("-c", code, form, PYTHONIOENCODING=encoding, PYTHONPATH=here)
    assert (done.returncode, done.stderr) == (0, b"")
    if form == "json":
        assert json.loads(done.stdout.decode(encoding))[0]["name"] == "日本é"


def test_the_module_is_the_command() -> None:
    done = program("-m", "neondba", "zzzzzz")
    assert done.returncode == 2
    assert b"no command called zzzzzz" in done.stderr


def test_the_choices_of_an_enumeration_are_checked_by_the_model(capsys: Captured, toys: Toys) -> None:
    status, _, err = run(capsys, "toy", "show", "ball", "--colour", "green")
    assert status == 2
    assert all(repr(colour.value) in err for colour in Colour)


def test_ctrl_c_before_the_operation_starts_is_heard(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_given: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", interrupted)
    assert run(capsys, "operation", "list") == (130, "", "Interrupted.\n")


def plugin(folder: Path, body: str) -> dict[str, str]:
    """Install a package that brings operations; give the environment that sees it."""
    (folder / "guest.py").write_text(body)
    (folder / "guest-1.dist-info").mkdir()
    (folder / "guest-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1\n")
    (folder / "guest-1.dist-info" / "entry_points.txt").write_text("[neondba.operations]\nguest = guest\n")
    return {"PYTHONPATH": str(folder)}


def test_another_package_brings_operations(tmp_path: Path) -> None:
    environment = plugin(
        tmp_path,
        "from neondba.core.context import Context\n"
        "from neondba.core.operation import operation\n"
        "from neondba.core.plan import Effect\n"
        "@operation('guest.greet', effect=Effect.READ)\n"
        "def greet(ctx: Context) -> str:\n"
        "    'Greet the user.'\n"
        "    return 'hello'\n",
    )
    shown = program("-m", "neondba", "--help", **environment).stdout.decode().split()
    assert "guest greet Greet the user." in " ".join(shown)
    assert program("-m", "neondba", "guest", "greet", **environment).stdout == b"hello\n"
    assert b"guest.greet" in program("-m", "neondba", "operation", "list", **environment).stdout


def test_a_package_that_cannot_be_imported_is_no_crash(tmp_path: Path) -> None:
    done = program("-m", "neondba", "--help", **plugin(tmp_path, "import nothing_like_this\n"))
    assert done.returncode == 7
    assert b"ModuleNotFoundError" in done.stderr
    assert b"Traceback" not in done.stderr
