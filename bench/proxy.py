"""`pgbench -S` through the proxy beside the way without it, in one run; prints the ratios.

The bare Unix socket costs neither TCP nor TLS, which every client of the proxy pays. So, where Debian's
PostgreSQL is installed, the like of it is measured too: straight to a server with `ssl = on`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from load import Way, compare, fill, through
from proxied import ENDPOINT, PASSWORD, Running, postgres, running

from neondba.local.proxy.fast import why_not
from neondba.local.proxy.tls import CertificatePaths, ensure_certificates
from neondba.postgres.scratch import SUPERUSER

CLIENTS = (1, 4, 32)
PORT = 7301


@contextmanager
def encrypting(folder: Path, certificates: CertificatePaths) -> Iterator[Path]:
    """Run Debian's PostgreSQL with TLS and with the proxy's own certificate; give its socket folder."""
    (programs,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    data, sockets = folder / "data", folder / "sockets"
    for each in (folder, data, sockets):
        each.mkdir()
    for name in ("certificate", "key"):
        shutil.copy(getattr(certificates, name), sockets / name)
        (sockets / name).chmod(0o600)
    for path in (folder, data, sockets, *sockets.iterdir()):
        shutil.chown(path, "postgres")
    (sockets / "password").write_text(PASSWORD)

    def run(*command: str | Path) -> None:
        subprocess.run(
            ["runuser", "-u", "postgres", "--", *command], check=True, stdout=subprocess.DEVNULL, cwd="/"
        )

    run(programs / "initdb", "-D", data, "-U", "app", "-A", "trust", f"--pwfile={sockets / 'password'}")
    settings = {
        "port": PORT,
        "unix_socket_directories": sockets,
        "ssl": "on",
        "ssl_cert_file": sockets / "certificate",
        "ssl_key_file": sockets / "key",
        "max_connections": 200,
        "fsync": "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    run(programs / "pg_ctl", "-D", data, "-w", "-l", sockets / "log", "-o", options, "start")
    try:
        create = [programs / "createdb", "-h", sockets, "-p", str(PORT), "-U", "app", "shop"]
        subprocess.run(create, check=True)
        # The tests' directory asks for verifiers as this role.
        maker = [programs / "createuser", "-s", "-h", sockets, "-p", str(PORT), "-U", "app", SUPERUSER]
        subprocess.run(maker, check=True)
        (sockets / ".s.PGSQL.5432").symlink_to(sockets / f".s.PGSQL.{PORT}")
        yield sockets
    finally:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def main(sockets: Path, proxy: Running, slow: Running, direct: str | None) -> None:
    """Measure all ways, alternating."""
    bare = f"host={sockets} user=app dbname=shop"
    fill(bare)
    relay = "C" if why_not() is None else "Python"
    ways = [Way("bare socket", bare)]
    ways += [Way("TCP and TLS, no proxy", direct)] if direct else []
    bases = list(range(len(ways)))
    ways.append(Way(f"our proxy, TLS ({relay})", through(proxy, ENDPOINT), 0))
    if relay == "C":
        ways.append(Way("our proxy, TLS (Python)", through(slow, ENDPOINT), 0))
    for mode in ("simple", "prepared"):
        for clients in CLIENTS:
            compare(ways, clients, mode, bases)


def both(sockets: Path, folder: Path, direct: str | None) -> None:
    """Measure over one server, through both relays."""
    with running(sockets, folder) as proxy, running(sockets, folder, relay="python") as slow:
        main(sockets, proxy, slow, direct)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, postgres() as wheel:
        Path(place).chmod(0o755)
        print("PostgreSQL from the wheel:")
        both(wheel, Path(place), None)
        if Path("/usr/lib/postgresql").is_dir() and os.getuid() == 0:
            print("Debian's PostgreSQL, which has TLS itself:")
            with encrypting(Path(place) / "debian", ensure_certificates(Path(place))) as sockets:
                direct = f"host=127.0.0.1 port={PORT} user=app dbname=shop sslmode=require"
                both(sockets, Path(place), direct)
