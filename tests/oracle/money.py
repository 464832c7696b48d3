"""Rule 22: amounts are integers in the currency's minor unit."""

from __future__ import annotations

from decimal import Decimal

# ISO 4217: the currencies whose minor unit is not a hundredth.
WHOLE = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
    "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
DIGITS = {**dict.fromkeys(WHOLE, 0), **dict.fromkeys(THOUSANDTHS, 3), "CLF": 4, "UYW": 4}


def digits(currency: str) -> int:
    """How many decimal places the currency has."""
    return DIGITS.get(currency, 2)


def too_precise(amount: str, currency: str) -> bool:
    """Whether the amount is written with more decimal places than the currency has."""
    _, _, decimals = amount.partition(".")
    return len(decimals) > digits(currency)


def minor(amount: str, currency: str) -> int:
    """The amount in minor units."""
    return int(Decimal(amount).scaleb(digits(currency)))
