"""Columns whose values nobody else should read, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from neondba.project.catalog_objects import Access

SENSITIVE = re.compile(
    r"^(\w+_)?(password|passwd|password_hash|hashed_password|pin_code|ssn|social_security(_number)?|tax_id|"
    r"passport(_number)?|national_id|drivers?_licen[sc]e|credit_card(_number)?|card_number|cvv|cvc|iban|"
    r"bank_account(_number)?|routing_number|secret|secret_key|secret_token|api_key|api_secret|private_key|"
    r"access_token|refresh_token|totp_secret|otp_secret|mfa_secret|recovery_codes?|date_of_birth|diagnosis|"
    r"medical_record)$",
    re.IGNORECASE,
)


def sensitive(columns: Iterable[str], open_to: list[Access]) -> list[str]:
    """Name the columns with such values that one of the roles may read."""
    return [
        column
        for column in columns
        if SENSITIVE.match(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column))
        and any(access.can_read(column) for access in open_to)
    ]
