"""Money in integers: amounts in the minor unit of a currency (ISO 4217)."""

from __future__ import annotations

import re

_UNUSUAL_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_TWO_DIGITS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
MINOR_DIGITS: dict[str, int] = dict.fromkeys(_TWO_DIGITS.split(), 2) | {
    code: digits for digits, codes in _UNUSUAL_DIGITS.items() for code in codes.split()
}
"""Digits after the decimal point, by currency code (ISO 4217, list one)."""

AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]+))?")


def parse_amount(text: str, currency: str) -> int:
    """`"5.00"` in EUR is 500.

    Raises ValueError, with a sentence for people, for anything that is not a plain decimal number, has more
    digits than the currency's minor unit, or names an unknown currency.
    """
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise ValueError(f"{currency!r} is not a currency code of ISO 4217, such as EUR or INR")
    match = AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is not an amount: write a plain number such as "5" or "5.00"')
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > digits:
        raise ValueError(f"{text!r} has {len(fraction)} digits after the point; {currency} has {digits}")
    return int(whole + fraction.ljust(digits, "0"))


def format_amount(minor: int, currency: str | None) -> str:
    """500 in EUR is `"5.00 EUR"`; without a currency there was never a penalty, and 0 is `"0"`."""
    if currency is None:
        return str(minor)
    digits = MINOR_DIGITS[currency]
    sign, minor = ("-" if minor < 0 else ""), abs(minor)
    whole, fraction = divmod(minor, 10**digits)
    return f"{sign}{whole}{f'.{fraction:0{digits}d}' if digits else ''} {currency}"
