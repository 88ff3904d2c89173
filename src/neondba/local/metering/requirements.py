"""What is metered, and how it differs from Neon's bill."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import Requirement

BEHAVIOURS: Final = (
    Requirement(
        "metering.time",
        "Active seconds, and compute units times seconds, are counted per branch and hour.",
        "A compute counts at its smallest size: nothing scales by itself here. Autosuspend ends the count.",
    ),
    Requirement(
        "metering.storage",
        "A root branch pays for its size, a child for what it wrote, at most its size.",
        "Read every 30 s from computes in use; a killed server forgets up to 15 s. A server that did not "
        "run for more than 60 days leaves a hole.",
    ),
    Requirement(
        "metering.transfer",
        "Bytes that the proxy sends to clients are counted.",
        "All count as public: there is no private network.",
    ),
    Requirement(
        "metering.quota",
        "A used-up quota suspends the project's computes until the period ends.",
    ),
    Requirement(
        "metering.size-quota",
        "Writes fail on a branch over its logical size.",
        "Its sessions begin read-only; one that frees space says set default_transaction_read_only = off.",
    ),
)
