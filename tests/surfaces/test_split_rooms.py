"""A room whose operations lie in several files."""

from __future__ import annotations

from neondba import capabilities
from neondba.surfaces import index


def test_operations_of_a_file_of_their_own_are_found_with_and_without_importing() -> None:
    index.listed.cache_clear()
    item = index.listed()["project", "create"]
    assert item.module == "neondba.branches.operations_projects"
    assert index.loaded(item).function.__module__ == item.module
    assert capabilities.load()["project.create"] is index.loaded(item)
