"""What spreadsheets do to codes, and the apostrophe that says "this is text, leave it alone".

A spreadsheet opens a CSV and turns Mar-01 into a date, 123456789012 into 1.23E+11 and 00123 into 123; saving keeps
the damage. Those shapes are refused in columns of codes. A leading apostrophe, which spreadsheets themselves use for
it, lets them through; it also disarms a cell that a spreadsheet would run as a formula.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)"
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+)?E[+-]\d{1,3}")
_DATE = re.compile(
    rf"\d{{1,2}}-{_MONTH}(?:-\d{{2,4}})?|{_MONTH}-\d{{2,4}}|\d{{1,2}}/\d{{1,2}}/(?:\d{{2}}|\d{{4}})"
    r"|\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?"
)
_ERROR = re.compile(r"#(?:N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|#+)")


def describe_spoiled(text: str) -> str | None:
    """Return how a spreadsheet has changed this code, or None."""
    if _SCIENTIFIC.fullmatch(text):
        return "is a long number that a spreadsheet has rounded"
    if _DATE.fullmatch(text):
        return "is a code that a spreadsheet has turned into a date"
    return None


def is_spreadsheet_error(text: str) -> bool:
    """Say whether a cell holds what a formula leaves behind when it fails."""
    return _ERROR.fullmatch(text) is not None


def find_lost_zeros(codes: Iterable[str]) -> frozenset[str]:
    """Return the codes that look as if a spreadsheet had cut their leading zeros.

    That is so when at least two codes of digits start with a zero and all of those have one length: a code of
    digits that is shorter and starts otherwise is then a suspect.
    """
    digits = {code for code in codes if code.isascii() and code.isdigit()}
    lengths = Counter(len(code) for code in digits if code.startswith("0"))
    if len(lengths) != 1:
        return frozenset()
    [(length, count)] = lengths.items()
    return frozenset(code for code in digits if len(code) < length) if count >= 2 else frozenset()


def protect(text: str, *, suspects: frozenset[str] = frozenset()) -> str:
    """Return a cell as it is written to a file: with an apostrophe where a spreadsheet or our reader needs one."""
    if text[:1] in ("=", "+", "-", "@") or text in suspects or describe_spoiled(text) or is_spreadsheet_error(text):
        return "'" + text
    return "'" + text if text.startswith("'") and needs_apostrophe(text[1:]) else text


def unprotect(text: str) -> tuple[str, bool]:
    """Return a cell as it was meant, and whether an apostrophe vouches for it."""
    if text.startswith("'") and needs_apostrophe(text[1:]):
        return text[1:], True
    return text, False


def needs_apostrophe(text: str) -> bool:
    """Say whether an apostrophe before this text is ours, not part of the text ('s-Hertogenbosch keeps its own)."""
    return (
        text[:1] in ("=", "+", "-", "@", "'")
        or (text.isascii() and text.isdigit())
        or describe_spoiled(text) is not None
        or is_spreadsheet_error(text)
    )
