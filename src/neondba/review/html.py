"""Stub."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neondba.review.model import Review


def page(review: Review) -> str:
    """Stub."""
    return ""


def annotations(review: Review) -> str:
    """Stub."""
    return ""
