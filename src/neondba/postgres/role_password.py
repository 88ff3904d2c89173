"""Set a role's password so that no log and no statistics ever hold it."""

from __future__ import annotations

import random
import string
from typing import Final

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, ask

LENGTH: Final = 32
"""Of letters and digits: about 190 bits, where Neon asks for 60."""
_LETTERS: Final = string.ascii_letters + string.digits
_SET: Final = """
do $$
declare
    wanted record;
begin
    select role, password into strict wanted from pg_temp.neondba_password;
    execute format('alter role %I password %L', wanted.role, wanted.password);
exception when others then
    -- Raised anew: the context of the first error quotes the statement.
    raise exception using errcode = sqlstate, message = sqlerrm;
end
$$
"""


def generated(chance: random.Random) -> Secret:
    """Give a new password that no shell, URL or file of variables has to quote."""
    return Secret("".join(chance.choice(_LETTERS) for _ in range(LENGTH)))


def set_unseen(session: Connection, role: str, password: Secret) -> None:
    """Give a role a new password.

    It travels as COPY data, which no server logs. Neon takes plain passwords only, since its proxy needs to
    know them; any other server gets the verifier.

    Raises:
        Refused: the server does not let this session do that.
    """
    stored = password.reveal() if _is_neon(session) else _verifier(session, role, password)
    with session.transaction():
        session.execute("create temp table neondba_password (role text, password text) on commit drop")
        with (
            session.cursor() as cursor,
            cursor.copy("copy pg_temp.neondba_password from stdin") as rows,
        ):
            rows.write_row((role, stored))
        session.execute(_SET)


def _is_neon(session: Connection) -> bool:
    return bool(ask(session, "profile_role", "neon_superuser"))


def _verifier(session: Connection, role: str, password: Secret) -> str:
    made = session.pgconn.encrypt_password(password.reveal().encode(), role.encode(), b"scram-sha-256")
    return made.decode()
