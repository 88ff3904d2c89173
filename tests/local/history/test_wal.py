"""Our reading of the write-ahead log is PostgreSQL's own."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from past import Counter

from neondba.local.storage import control_file, wal


@given(st.integers(0, (1 << 64) - 1))
def test_positions_are_written_and_read_alike(position):
    assert wal.number(wal.text(position)) == position


@pytest.mark.parametrize("wrong", ["", "0", "/", "1/", "/1", "0/123456789", "x/1", "0/1/2", "-1/2", "0/ 1"])
def test_what_is_no_position_is_refused(wrong):
    with pytest.raises(ValueError, match=r".*"):
        wal.number(wrong)


@given(st.integers(0, 1 << 30))
def test_names_of_segments_are_written_and_read_alike(segment):
    assert wal.segment_number(wal.segment_name(segment)) == segment


@pytest.mark.parametrize("other", ["archive_status", "00000001.history", "000000010000000000000003.partial"])
def test_other_files_beside_segments_are_none(other):
    assert wal.segment_number(other) is None


def test_records_and_endings_are_those_that_pg_waldump_shows(inside):
    """Large records, switches, aborted and prepared work, and a crash in the middle of writing."""
    counter = Counter(inside, inside.project())
    counter.count(1, 50, filler=1500)
    with inside.sql(counter.branch) as session:
        session.execute("begin; insert into counted select 7, repeat('y', 5000); savepoint a; rollback")
        compute = inside.plane.computes.running(counter.timeline)
        with compute.admin() as admin:
            admin.execute("select pg_switch_wal()")
        session.execute("create index on counted (number)")
        session.execute("select pg_logical_emit_message(false, 'big', repeat('z', 3000000))")
        session.execute("insert into counted select g, repeat('w', 700) from generate_series(1, 9000) g")
        os.killpg(compute.process.pid, signal.SIGKILL)
        compute.process.wait()
    counter.count(51, 60)
    archive = inside.plane.history.archive(counter.timeline)
    first = archive.segments()[0]
    ours = list(wal.records(archive.content, first))
    theirs = _dumped(inside, archive, range(first, ours[-1].start // wal.SEGMENT + 1))
    assert [record.start for record in ours] == [position for position, _ in theirs]
    ended = {record.start: record.ended for record in ours if record.ended}
    for position, line in theirs:
        if "desc: COMMIT " in line or "desc: ABORT " in line:
            assert ended.pop(position).strftime("%Y-%m-%d %H:%M:%S.%f UTC") in line
    assert ended == {}
    assert any(record.switches for record in ours)


def _dumped(inside, archive, segments):
    folder = inside.plane.folder / "dumped"
    folder.mkdir()
    for segment in segments:
        (folder / wal.segment_name(segment)).write_bytes(archive.content(segment))
    ends = [wal.segment_name(segment) for segment in (segments[0], segments[-1])]
    done = subprocess.run(
        [inside.plane.binaries.program("pg_waldump"), "-p", str(folder), *ends],
        capture_output=True,
        text=True,
        check=False,
        env={"TZ": "UTC"},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("rmgr")]
    return [(wal.number(line.split("lsn: ")[1].split(",")[0]), line) for line in lines]


def test_the_control_file_says_how_a_server_stopped(inside):
    counter = Counter(inside, inside.project())
    counter.count(1, 2)
    data = inside.plane.branches.data(counter.timeline)
    assert not control_file.read(data).shut_down
    inside.plane.computes.stop(counter.timeline)
    control = control_file.read(data)
    assert control.shut_down
    shown = subprocess.run(
        [inside.plane.binaries.program("pg_controldata"), str(data)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"Latest checkpoint location:           {wal.text(control.checkpoint)}\n" in shown
    assert f"Latest checkpoint's REDO location:    {wal.text(control.redo)}\n" in shown
