"""One connection to the compute, which clients use by turns."""

from __future__ import annotations

import socket
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from neondba.local.proxy import messages
from neondba.local.proxy.fast import Returned
from neondba.local.proxy.loop import Loop
from neondba.local.proxy.pooling.awaited import AWAITED, EXECUTE, HIDDEN_CLOSE, QUERY, SETTING, SYNC, Awaited
from neondba.local.proxy.pooling.naming import rewritten
from neondba.local.proxy.pooling.settings import TRACKED, Limits
from neondba.local.proxy.stream import Stream

if TYPE_CHECKING:
    from neondba.local.proxy.pooling.client import PoolClient, Taken
    from neondba.local.proxy.pooling.pool import Pool
    from neondba.local.proxy.pooling.statements import Statement, Statements

_HEEDED: Final = frozenset(b"ZESCG123TnIs")
_WHOLE: Final = frozenset(b"ZES")
_LONGEST_WHOLE: Final = 1 << 20
_FORGETTING: Final = (b"DEALLOCATE ALL\0", b"DISCARD ALL\0")
_READY, _IDLE, _ERROR, _PARAMETER, _COPY_IN, _COMPLETE = 90, 73, 69, 83, 71, 67
CRASHED: Final = messages.error("server conn crashed?", code="08P01", severity="FATAL")


@dataclass(frozen=True)
class Login:
    """What a server connection is made of when it has logged in."""

    parameters: dict[str, str]
    path: str
    pid: int
    key: bytes
    max_connections: int


class PoolServer:
    """Reads the compute's answers and knows when a transaction is over."""

    def __init__(self, loop: Loop, pool: Pool, sock: socket.socket, login: Login) -> None:
        self._pool, self.login = pool, login
        self.stream = Stream(
            loop, sock, heard=self.heard, ended=self.ended, eased=self.eased, returned=self._returned
        )
        self.parameters = {name.lower(): value for name, value in login.parameters.items()}
        self.client: PoolClient | None = None
        self.statements: OrderedDict[Statement, None] = OrderedDict()
        self.awaited: deque[Awaited] = deque()
        self.copying = False
        """The server takes data, and ignores Sync meanwhile."""
        self.cancels = 0
        """Cancel requests on their way: they must not hit the next client."""
        self.idle_since = time.monotonic()
        self.overdue = False
        """It would be free if its client had not begun to send something that nobody takes."""
        self.farewell = CRASHED
        """What its client is told when it breaks off."""
        self._failing = False
        """The server skips what comes until Sync."""
        self._status = _IDLE
        self._carry = b""
        self._skip = 0

    @property
    def free(self) -> bool:
        """Tell whether a transaction is over and nothing is owed."""
        return self._status == _IDLE and not self.awaited and not self._failing

    @property
    def quiet(self) -> bool:
        """Tell whether nothing is half read or half sent."""
        return self.free and not self._carry and not self._skip and self.stream.quiet

    def take_back(self, back: Returned) -> None:
        """Go on where the native part stopped."""
        self.awaited = deque(AWAITED[letter] for letter in back.awaited)
        self._carry, self._skip, self._status = back.carry, back.skip, back.status
        if back.to_server:
            self.stream.owe(back.to_server)
            if self.client is not None:
                self.client.stream.pause()

    def _returned(self) -> None:
        back = self.stream.reclaim()
        if back.gone:
            self._pool.lost(self)
            return
        if back.data:
            self.heard(memoryview(back.data))
        self._pool.freed(self)

    def send(self, data: memoryview | bytes) -> None:
        """Send to the compute; its client is not read while something waits."""
        if not self.stream.send(data) and self.client is not None:
            self.client.stream.pause()

    def set_parameters(self, wanted: dict[str, str]) -> None:
        """Set what the client wants to find."""
        self.awaited.append(SETTING)
        quoted = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in wanted.items()}
        words = "; ".join(f"SET {name} = E'{value}'" for name, value in quoted.items())
        self.send(messages.message(b"Q", words.encode() + b"\0"))

    def named(self, client: PoolClient, kind: int, message: memoryview, length: int) -> Taken | None:
        """Pass a message that may name a statement; see `naming`."""
        if self._failing:
            return b"", length
        return rewritten(client, self, kind, message, length)

    @property
    def limits(self) -> Limits:
        """The pooler's settings."""
        return self._pool.limits

    @property
    def texts(self) -> Statements:
        """All statements that are prepared somewhere."""
        return self._pool.texts

    def expect(self, answer: Awaited) -> None:
        """Note what is being sent and has to be answered."""
        if answer is SYNC:
            if self.copying:
                return
            self._failing = False
        if not self._failing:
            self.awaited.append(answer)

    def owe(self, fake: bytes) -> None:
        """Answer ourselves, in turn."""
        if self._failing:
            return
        if self.awaited:
            self.awaited.append(Awaited(b"", fake=fake))
        else:
            self._tell(fake)

    def prepared(self, statement: Statement, wanted: Awaited) -> bytes:
        """Give what prepares the statement here; the one used longest ago may have to go."""
        if self._failing:
            return b""
        if statement in self.statements:
            self.statements.move_to_end(statement)
            return b""
        self.expect(wanted)
        self.statements[statement] = None
        if len(self.statements) <= self._pool.limits.max_prepared_statements:
            return statement.parse()
        oldest, _ = self.statements.popitem(last=False)
        self.awaited.append(HIDDEN_CLOSE)
        return statement.parse() + oldest.close()

    def heard(self, data: memoryview) -> None:
        """Take answers apart and pass them on."""
        if self._carry:
            data = memoryview(self._carry + data)
            self._carry = b""
        try:
            done = self._pass(data)
        except (ValueError, IndexError):
            self._pool.lost(self)
            return
        if done and not self.stream.stopped:
            self._pool.release(self)

    def ended(self) -> None:
        """Note that the compute closed it."""
        self._pool.lost(self)

    def eased(self) -> None:
        """Read the client again."""
        if self.client is not None:
            self.client.stream.resume()

    def _pass(self, data: memoryview) -> bool:
        """Pass on what the client may see; tell whether the transaction is over at the end."""
        size, begin, done = len(data), 0, False
        at = min(self._skip, size)
        self._skip -= at
        while size - at >= 5:
            kind, end = data[at], at + 1 + int.from_bytes(data[at + 1 : at + 5], "big")
            if end < at + 5:
                raise ValueError("malformed message")
            if kind in _HEEDED:
                if end > size and kind in _WHOLE and end - at < _LONGEST_WHOLE:
                    break
                shown, after = self._heed(kind, data[at + 5 : end])
                if self.stream.stopped:
                    return False
                if not shown:
                    self._tell(data[begin:at])
                    begin = min(end, size)
                if after:
                    self._tell(data[begin:end])
                    self._tell(after)
                    begin = end
                if kind == _READY:
                    done = self.free
            at = end
        if at > size:
            self._skip, at = at - size, size
        self._carry = bytes(data[at:])
        self._tell(data[begin:at])
        return done

    def _tell(self, data: memoryview | bytes) -> None:
        if len(data) and self.client is not None and not self.client.stream.send(data):
            self.stream.pause()

    def _heed(self, kind: int, body: memoryview) -> tuple[bool, bytes]:
        """Note what an answer changes; tell whether the client gets it, and what follows it."""
        front = self.awaited[0] if self.awaited else None
        if kind == _PARAMETER:
            self._parameter(bytes(body))
            return front is not SETTING, b""
        if front is SETTING:
            self._while_setting(kind, bytes(body))
            return False, b""
        if kind == _ERROR:
            self._failed(bytes(body))
        elif kind == _READY:
            self._status, self.copying = body[0], False
        elif kind == _COPY_IN:
            self._copy_begins()
        elif kind == _COMPLETE and len(body) <= 15 and bytes(body) in _FORGETTING:
            self.statements.clear()
            if self.client is not None:
                self.client.statements.clear()
        if front is None or kind not in front.ends:
            return True, b""
        self.awaited.popleft()
        return front.shown, self._due()

    def _due(self) -> bytes:
        due = b""
        while self.awaited and self.awaited[0].fake:
            due += self.awaited.popleft().fake
        return due

    def _while_setting(self, kind: int, body: bytes) -> None:
        if kind == _ERROR:
            self.farewell = messages.message(b"E", body)
            self._pool.lost(self)
        elif kind == _READY:
            self.awaited.popleft()
            self._pool.was_set(self)

    def _copy_begins(self) -> None:
        self.copying = True
        if self.awaited and self.awaited[0] is EXECUTE:
            # The Syncs that came before the data: the server ignores them.
            self.awaited = deque(each for each in self.awaited if each is not SYNC)

    def _failed(self, body: bytes) -> None:
        if messages.fields_of(body).get("V") in ("FATAL", "PANIC"):
            self.farewell = b""
        self.copying = False
        front = self.awaited[0] if self.awaited else None
        if front is None or front is QUERY or front is SYNC:
            return
        while self.awaited and self.awaited[0] is not SYNC:
            gone = self.awaited.popleft()
            if gone.statement is not None:
                self.statements.pop(gone.statement, None)
                if gone.name and self.client is not None:
                    self.client.statements.pop(gone.name, None)
        self._failing = not self.awaited

    def _parameter(self, body: bytes) -> None:
        name, value, _ = body.split(b"\0", 2)
        key, text = name.decode(errors="replace").lower(), value.decode(errors="replace")
        self.parameters[key] = text
        if self.client is not None and key in TRACKED:
            self.client.parameters[key] = text
