"""`pgbench -S` through the pooler beside a real PgBouncer, in one run; prints the ratios.

Ours always encrypts towards the client, as Neon does. PgBouncer runs twice: without TLS, and with it, which
is the like of ours.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from load import Way, compare, fill, pgbouncer, through
from proxied import ENDPOINT, Running, postgres, running

from neondba.local.proxy.fast import why_not

CLIENTS = (1, 32)
MODES = ("simple", "extended")
CONNECTIONS = 300


def main(sockets: Path, folder: Path, proxy: Running, slow: Running) -> None:
    """Measure all ways, alternating."""
    fill(f"host={sockets} user=app dbname=shop")
    relay = "C" if why_not() is None else f"Python: {why_not()}"
    ways = [Way(f"our pooler, TLS ({relay})", through(proxy, f"{ENDPOINT}-pooler"), 0)]
    if relay == "C":
        ways.append(Way("our pooler, TLS (Python)", through(slow, f"{ENDPOINT}-pooler"), 0))
    with (
        pgbouncer(folder / "plain", sockets, 7201, 50, None) as plain,
        pgbouncer(folder / "tls", sockets, 7202, 50, proxy) as tls,
    ):
        for mode in MODES:
            for clients in CLIENTS:
                compare([plain, tls, *ways], clients, mode, [0, 1])


if __name__ == "__main__":
    if shutil.which("pgbouncer") is None:
        sys.exit("There is no pgbouncer to compare with: apt-get install pgbouncer")
    with (
        tempfile.TemporaryDirectory() as place,
        postgres(max_connections=CONNECTIONS) as sockets,
        running(sockets, Path(place)) as proxy,
        running(sockets, Path(place), relay="python") as slow,
    ):
        Path(place).chmod(0o755)
        sockets.chmod(0o755)
        main(sockets, Path(place), proxy, slow)
