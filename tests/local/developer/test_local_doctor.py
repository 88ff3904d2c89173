"""What the doctor says of a machine, and that its advice works."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.settings import load
from neondba.local import doctor, launch
from neondba.local.operations import local_doctor
from neondba.local.server_file import ServerFile


def over(folder: Path) -> Context:
    return Context(settings=load({"state_dir": folder}, environment={}))


def verdicts(found: doctor.Doctor) -> dict[str, str]:
    return {check.name: check.verdict for check in found.checks}


def test_a_machine_that_runs_these_tests_is_fit(tmp_path):
    found = local_doctor(over(tmp_path / "state"))
    assert found.broken == 0
    assert "broken" not in verdicts(found).values()
    text = found.as_text(80)
    assert "It works here." in text
    assert not (tmp_path / "state").exists(), "it only looks"
    if verdicts(found)["cloning"] == "slow":
        assert "mkfs.xfs -q -m reflink=1" in text
        assert "--state-dir" in text


def test_a_folder_that_cannot_be_used_is_broken(tmp_path):
    (tmp_path / "file").touch()
    found = local_doctor(over(tmp_path / "file" / "state"))
    assert verdicts(found)["state folder"] == "broken"
    assert found.broken >= 1
    assert "It does not work here" in found.as_text(80)


def test_a_port_that_another_program_has_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        folder = tmp_path / "local"
        folder.mkdir()
        ServerFile(pid=1, api_port=port, postgres_port=1, ca="", state_dir=str(tmp_path)).write(folder)
        (folder / "server.json").unlink()
        found = next(check for check in local_doctor(over(tmp_path)).checks if check.name == "ports")
    assert found.verdict == "broken"
    assert str(port) in found.says
    assert "--port 0" in found.do[0]


@pytest.fixture
def cloning_volume() -> Iterator[Path]:
    """A volume made by the doctor's own commands; only root can mount one."""
    if os.geteuid() != 0 or shutil.which("mkfs.xfs") is None:
        pytest.skip("a volume needs root and xfsprogs")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        image, place = Path(name) / "image", Path(name) / "volume"
        place.mkdir()
        make, mount = doctor._fast_path()[1:3], doctor._fast_path()[3]
        for line in (*make, mount):
            line = line.partition("   #")[0].replace("sudo ", "").replace("20G", "1G")
            line = line.replace("/var/lib/neondba.img", str(image)).replace("/srv/neondba", str(place))
            if subprocess.run(line.split(), capture_output=True, check=False).returncode:
                pytest.skip(f"this machine does not let us: {line}")
        yield place
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_on_the_volume_that_it_recommends_files_are_cloned(cloning_volume):
    found = local_doctor(over(cloning_volume / "state"))
    assert verdicts(found)["cloning"] == "good"
    try:
        assert launch.ensure(cloning_volume / "state").cloned_by == "ficlone"
    finally:
        launch.stop(cloning_volume / "state")
