"""Settings of an endpoint come from a stranger and end on a command line."""

from __future__ import annotations

import os

import pytest

from neondba.local.computes.parameters import fault
from neondba.postgres.binaries import MAJOR


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_setting_is_taken_under_the_umask_of_a_server_too(mask):
    before = os.umask(mask)
    try:
        assert fault(MAJOR, {"statement_timeout": "1min"}) is None
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("work_mem", "4MB -c log_statement=all"),
        ("work_mem=4MB -c log_statement", "all"),
        ("-c", "log_statement=all"),
        ("role", "cloud_admin"),
        ("session_authorization", "cloud_admin"),
        ("archive_command", "true"),
        ("Archive_Command", "true"),
        ("unix_socket_directories", "/tmp"),
        ("shared_preload_libraries", "x"),
        ("dynamic_library_path", "/"),
        ("work_mem", "4MB\0"),
        ("timezone", "../../../etc/passwd"),
        ("a.b", "c"),
    ],
)
def test_a_setting_that_reaches_further_is_refused(name, value):
    assert fault(MAJOR, {name: value})
