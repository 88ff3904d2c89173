"""One HTTP call to the Neon API, patient, with problems instead of statuses.

423, 429 and 503 mean that nothing was done, so any call is repeated; a lost connection says nothing
about what was done, so only GET is. Waits are random up to a growing bound ("full jitter"), so that
many callers do not come back together; Retry-After outranks them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, Final

import httpx2

from neondba.core.context import Clock
from neondba.core.duration import spell
from neondba.core.problem import (
    ArgumentProblem,
    ConflictProblem,
    CredentialsProblem,
    NotFoundProblem,
    Problem,
    RemoteProblem,
)
from neondba.core.secret import Secret
from neondba.neon.connection_string import mask_text

BUSY: Final = frozenset({423, 429, 503})
FIRST_WAIT: Final = 0.25
LONGEST_WAIT: Final = 10.0
UNREACHABLE: Final = 10.0
"""Seconds after which a host that takes no connections is given up, whatever our patience."""
USABLE_KEY: Final = re.compile(r"[!-~]*")
_LISTED: Final = ("project", "branch", "snapshot")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Transport:
    """Send calls to one base address with one key."""

    def __init__(
        self, base_url: str, api_key: Secret, *, clock: Clock, chance: random.Random, patience: float
    ) -> None:
        url = httpx2.URL(base_url.rstrip("/") + "/")
        self.is_local = url.host in LOOPBACK
        if url.scheme != "https" and not self.is_local:
            raise ArgumentProblem(
                "api-host-insecure",
                f"{url.host or base_url} would be sent the API key without encryption.",
                hint="Set the API host to an https address: --api-host https://console.neon.tech/api/v2",
            )
        if not USABLE_KEY.fullmatch(api_key.reveal()):
            raise CredentialsProblem(
                "neon-key-unusable",
                "The API key holds a space, a line break or a letter that no key of Neon's has.",
                hint="Copy it again from the Neon Console and set NEON_API_KEY to it.",
            )
        self._key, self._clock, self._chance, self._patience = api_key, clock, chance, patience
        self._http = httpx2.Client(
            base_url=url,
            headers={"Accept": "application/json", "User-Agent": f"neondba/{version('neondba')}"},
            timeout=httpx2.Timeout(60.0, connect=10.0),
            trust_env=not self.is_local,
        )

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        thing: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make one call and give its JSON object; an empty answer gives an empty object.

        `thing` names what is acted on, such as `branch dev`: problems speak of it.

        Raises:
            Problem: the call was refused, or could not be made within our patience.
        """
        began = self._clock.monotonic()
        bound = FIRST_WAIT
        while True:
            response, problem = self._once(method, path, thing, params, body)
            if problem is None:
                return self._object(response, thing)
            wait = self._wait(method, response, bound)
            unreachable = problem.code == "neon-unreachable"
            patience = min(self._patience, UNREACHABLE) if unreachable else self._patience
            if wait is None or self._clock.monotonic() + wait > began + patience:
                raise problem
            self._clock.sleep(wait)
            bound = min(bound * 2, LONGEST_WAIT)

    def _once(
        self,
        method: str,
        path: str,
        thing: str,
        params: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> tuple[httpx2.Response | None, Problem | None]:
        given = {k: v for k, v in (params or {}).items() if v is not None}
        try:
            response = self._http.request(
                method,
                path,
                params=given,
                json=body,
                headers={"Authorization": f"Bearer {self._key.reveal()}"},
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return None, self._unreachable(error)
        except httpx2.TimeoutException:
            return None, self._lost(method, thing, "did not answer in time")
        except httpx2.HTTPError as error:
            return None, self._lost(method, thing, f"broke off the call ({type(error).__name__})")
        return response, None if response.is_success else self._refusal(response, thing)

    def _wait(self, method: str, response: httpx2.Response | None, bound: float) -> float | None:
        """Say how long to wait before the next try; nothing when there should be none."""
        if response is None:
            return self._chance.uniform(0, bound) if method == "GET" else None
        if response.status_code not in BUSY:
            return None
        asked = self._retry_after(response.headers.get("retry-after", ""))
        return self._chance.uniform(0, bound) if asked is None else asked

    def _retry_after(self, header: str) -> float | None:
        if header.strip().isdigit():
            return float(header)
        try:
            moment = parsedate_to_datetime(header)
            return max(0.0, (moment - self._clock.now()).total_seconds())
        except (TypeError, ValueError):
            return None

    def _refusal(self, response: httpx2.Response, thing: str) -> Problem:
        status = response.status_code
        message, request = self._said(response)
        facts = {"status": status, "request_id": request, "neon_message": message}
        host = self._http.base_url.host
        if status in (401, 403):
            return CredentialsProblem(
                "neon-key-refused",
                f"{host} does not let this API key act on {thing}: {message}.",
                hint="Make a key in the Neon Console under Account settings > API keys "
                "and set NEON_API_KEY to it.",
                **facts,
            )
        if status == 404:
            kind = thing.split(" ")[0]
            hint = f"neondba {kind} list shows what there is." if kind in _LISTED else None
            return NotFoundProblem(
                f"{kind}-not-found", f"There is no {thing}: {message}.", hint=hint, **facts
            )
        if status in (409, 423):
            return ConflictProblem(
                "neon-busy" if status == 423 else "neon-conflict",
                f"{thing} cannot be changed now: {message}.",
                hint="Another change to this project is still running; try again in a minute."
                if status == 423
                else "Read what stands in the way in the message, then try again.",
                **facts,
            )
        trace = f" (request {request})" if request else ""
        return RemoteProblem(
            "neon-refused" if status < 500 else "neon-failed",
            f"{host} answered {status} for {thing}: {message.rstrip('.')}{trace}.",
            hint=self._later(response) if (status >= 500 and status != 507) or status == 429 else None,
            **facts,
        )

    def _later(self, response: httpx2.Response) -> str:
        asked = self._retry_after(response.headers.get("retry-after", ""))
        return f"Try again in {spell(timedelta(seconds=asked))}." if asked else "Try again later."

    def _said(self, response: httpx2.Response) -> tuple[str, str | None]:
        try:
            body = response.json()
        except ValueError:
            body = None
        body = body if isinstance(body, dict) else {}
        message = str(body.get("message") or response.reason_phrase or "no reason given")
        request = body.get("request_id") or response.headers.get("x-request-id")
        return self._clean(message), self._clean(str(request)) if request else None

    def _clean(self, text: str) -> str:
        key = self._key.reveal()
        # The local Neon takes any word as its key: that one is no secret.
        return mask_text(text.replace(key, "***") if len(key) > 8 else text).rstrip(".")

    def _object(self, response: httpx2.Response | None, thing: str) -> dict[str, Any]:
        if response is None or not response.content:
            return {}
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RemoteProblem(
                "neon-answer-unknown",
                f"{self._http.base_url.host} answered for {thing} with something that is not a JSON object.",
                hint="Check that --api-host names a Neon API and ends in /api/v2.",
            )
        return body

    def _unreachable(self, error: Exception) -> RemoteProblem:
        url = self._http.base_url
        return RemoteProblem(
            "neon-unreachable",
            f"{url.host} does not take connections: {error}.",
            hint="neondba local status shows whether the local Neon runs."
            if self.is_local
            else "Check the network, and --api-host if it is set.",
        )

    def _lost(self, method: str, thing: str, what: str) -> RemoteProblem:
        doubt = "" if method == "GET" else " It may have been done or not."
        return RemoteProblem(
            "neon-timeout" if "time" in what else "neon-connection-lost",
            f"{self._http.base_url.host} {what} about {thing}.{doubt}",
            hint="Look at the present state before you try again." if doubt else "Try again.",
        )
