"""The door where clients log in: those who are in it together share the processors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False)
class Login:
    """One client at the door."""

    done: Callable[[], None]
    until: float = 0.0
    """Progress at which it is through."""


@dataclass(eq=False)
class Door:
    """All in it go on equally fast: so they come out in the order in which they came, one progress later."""

    apart: float
    """Seconds of processor time of each: so long it takes at least from one to the next."""
    at: Callable[[float, Callable[[], None]], None]
    """Have something happen at a time."""
    _inside: list[Login] = field(default_factory=list)
    _progress: float = 0.0
    _seen: float = 0.0
    _changes: int = 0

    def enter(self, now: float, done: Callable[[], None]) -> Login:
        """Let one in; `done` is called when it is through."""
        self._move(now)
        login = Login(done, self._progress + 1.0)
        self._inside.append(login)
        self._plan(now)
        return login

    def leave(self, now: float, login: Login) -> bool:
        """Take out one that gives up; tell whether it was still inside."""
        if login not in self._inside:
            return False
        self._move(now)
        self._inside.remove(login)
        self._plan(now)
        return True

    @property
    def _pace(self) -> float:
        """Seconds that a whole login takes with so many inside."""
        return self.apart * len(self._inside)

    def _move(self, now: float) -> None:
        if self._inside and self._pace:
            self._progress += (now - self._seen) / self._pace
        self._seen = now

    def _plan(self, now: float) -> None:
        """Look again when the first one is through, unless somebody comes or goes before."""
        self._changes += 1
        if not self._inside:
            return
        change = self._changes
        left = max(0.0, self._inside[0].until - self._progress)
        when = now + left * self._pace

        def look() -> None:
            if change == self._changes:
                self._through(when)

        self.at(when, look)

    def _through(self, now: float) -> None:
        self._move(now)
        first = self._inside[0].until
        out = [each for each in self._inside if each.until <= first + 1e-9]
        self._inside = self._inside[len(out) :]
        self._plan(now)
        for each in out:
            each.done()
