"""The `neondba` command."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and exit with its status."""
    from neondba.surfaces.cli import run

    status = run(sys.argv[1:])
    gc.disable()  # At exit, a search for cycles among a million syntax nodes takes seconds for nothing.
    sys.exit(status)


if __name__ == "__main__":
    main()
