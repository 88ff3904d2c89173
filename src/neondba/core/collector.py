"""Let the garbage collector rest while much is built that lives on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_resting() -> Iterator[None]:
    """Keep the collector from looking through millions of living nodes again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            # What was built counts as old at once: the next collection would go through all of it.
            gc.freeze()
            gc.unfreeze()
            gc.enable()
