"""The sizes to set: what fits the compute, shared among the processes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from neondba.connections.pool_figures import Figure
from neondba.connections.pool_fit import APART
from neondba.connections.pool_inputs import Inputs

MOST_EACH: Final = 20
"""Connections that one process rarely uses more of."""
CONNECT_TIMEOUT: Final = 15.0
POOL_TIMEOUT: Final = 30.0


@dataclass(frozen=True)
class Sizes:
    """What to set in each process."""

    most: int
    """Connections in all, overflow included."""
    kept: int
    """Of these, kept open where a library tells the two apart."""
    pool_timeout: float
    connect_timeout: float
    pooled: bool
    """Through the pooler: for serverless and where the direct address is too small, always."""
    why: str

    @property
    def overflow(self) -> int:
        """Connections beyond those that are kept."""
        return self.most - self.kept


def advised(inputs: Inputs) -> Sizes:
    """Share what is there among the processes."""
    size = inputs.compute.size
    pooled = inputs.pooled or bool(inputs.serverless)
    room = (size.pool_size if pooled else size.usable_connections) - APART
    if not pooled and room // inputs.processes < 1:
        pooled, room = True, size.pool_size - APART
    share = max(1, room // inputs.processes)
    most = 1 if inputs.serverless else min(share, MOST_EACH)
    why = f"({_budget(inputs, pooled=pooled)} - {APART} kept free) / {inputs.processes} processes"
    why += f", at most {MOST_EACH}" if share > MOST_EACH else ""
    if inputs.serverless:
        why = f"an instance of {inputs.serverless.name} answers one request at a time"
    if inputs.threads is not None:
        most = min(most, max(1, inputs.threads.whole)) if not inputs.serverless else inputs.threads.whole
        why += f", no more than its {inputs.threads.whole} threads"
    wake = (inputs.compute.wake.value or 0) / 1000
    return Sizes(
        most=most,
        kept=max(1, math.ceil(most / 2)),
        pool_timeout=max(POOL_TIMEOUT, math.ceil(4 * wake)),
        connect_timeout=max(CONNECT_TIMEOUT, math.ceil(4 * wake)),
        pooled=pooled,
        why=why,
    )


def _budget(inputs: Inputs, *, pooled: bool) -> str:
    size = inputs.compute.size
    return f"{size.pool_size} of the pooler" if pooled else f"{size.usable_connections} usable"


def with_sizes(inputs: Inputs, sizes: Sizes) -> Inputs:
    """Give the inputs as they are when the advice is followed."""

    def now(figure: Figure, value: float) -> Figure:
        return figure.model_copy(update={"value": value, "origin": "given", "where": "advised"})

    return replace(
        inputs,
        pools=inputs.pools[:1],
        size=now(inputs.size, sizes.kept),
        overflow=now(inputs.overflow, sizes.overflow),
        pool_timeout=now(inputs.pool_timeout, sizes.pool_timeout),
        connect_timeout=now(inputs.connect_timeout, sizes.connect_timeout),
        pooled=sizes.pooled,
    )
