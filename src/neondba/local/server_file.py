"""What a running server tells others: `server.json`, there only while it is ready."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel


def folder_of(state_dir: Path) -> Path:
    """Give the local Neon's folder inside the state folder."""
    return state_dir.absolute() / "local"


def holder(folder: Path) -> int | None:
    """Give the process that has taken the folder's lock last."""
    try:
        return int((folder / "server.lock").read_text())
    except (OSError, ValueError):
        return None


class ServerFile(BaseModel):
    """Where a server listens."""

    pid: int
    api_port: int
    postgres_port: int
    ca: str
    """Path of the certificate authority's certificate."""
    state_dir: str
    https_port: int = 0
    """Where the API, `/sql` and WebSockets are answered over TLS."""

    @property
    def api(self) -> str:
        """The base address of the API."""
        return f"http://127.0.0.1:{self.api_port}/api/v2"

    @property
    def postgres(self) -> str:
        """The address for PostgreSQL clients."""
        return f"127.0.0.1:{self.postgres_port}"

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Give what the last server wrote, if it has not ended in good order."""
        try:
            return cls.model_validate_json((folder / "server.json").read_text())
        except (OSError, ValueError):
            return None

    def write(self, folder: Path) -> None:
        """Write it whole, and remember the ports: connection strings hold them."""
        ports = {"api": self.api_port, "postgres": self.postgres_port, "https": self.https_port}
        for name, content in [("ports.json", json.dumps(ports)), ("server.json", self.model_dump_json())]:
            part = folder / f"{name}.part"
            part.write_text(content)
            os.replace(part, folder / name)  # noqa: PTH105 - names the atomic call

    @staticmethod
    def ports(folder: Path) -> dict[str, int]:
        """Give the ports used last."""
        try:
            found = json.loads((folder / "ports.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
