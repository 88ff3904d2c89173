"""Pin every dependency with hashes into requirements/*.txt, without any address.

Resolved for the lowest supported Python, whose set is the largest; wheels of all versions are hashed.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ["setuptools>=77", "wheel"]
"""What `pip install --no-build-isolation -e .` needs; it is locked like the rest."""


def lock(name: str, extras: list[str]) -> None:
    build = ROOT / "requirements" / "build.in"
    build.write_text("\n".join(BUILD) + "\n")
    try:
        subprocess.run(
            [
                sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--strip-extras",
                "--allow-unsafe", "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links",
                "--no-header", "--annotation-style=line", f"--output-file=requirements/{name}.txt",
                *[f"--extra={extra}" for extra in extras], "pyproject.toml", str(build.relative_to(ROOT)),
            ],
            cwd=ROOT, check=True, env={**os.environ, "PIP_FIND_LINKS": ""},
        )  # fmt: skip
    finally:
        build.unlink()


if __name__ == "__main__":
    lock("runtime", [])
    lock("demo", ["demo"])
    lock("dev", ["demo", "dev"])
