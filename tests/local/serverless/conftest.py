"""One local Neon and one project for each module of this folder."""

from __future__ import annotations

import pytest
from driver import Driver, api

from neondba.local.launch import Status


@pytest.fixture(scope="module")
def project(server: Status):
    return api(server.api_port, "POST", "/projects", {"project": {"name": "shop"}})


@pytest.fixture(scope="module")
def driver(server: Status, project) -> Driver:
    url = project["connection_uris"][0]["connection_uri"]
    return Driver(url, server.api_port, getattr(server, "https_port", 0), server.ca)
