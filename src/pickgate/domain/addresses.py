"""An address as the warehouse can hold it: laid into its fields without losing a word, or refused by field."""

from __future__ import annotations

from dataclasses import replace

from pickgate.domain.shop import Address

# The warehouse's limits (its published schema). An address is never cut.
ADDRESS_LIMITS = {"line1": 80, "line2": 80, "city": 80, "province": 80, "postcode": 10, "email": 254, "phone": 50}
ADDRESS_NEEDS = ("name", "line1", "city", "country")
FIELD_NAMES = {
    "name": "name",
    "line1": "first address line",
    "line2": "second address line",
    "city": "town",
    "province": "county or region",
    "postcode": "postcode",
    "country": "country",
    "email": "e-mail address",
    "phone": "phone number",
}
# Countries that are one town: shops leave the town out there, and couriers are given one all the same.
ONE_TOWN = {
    "GI": "Gibraltar",
    "HK": "Hong Kong",
    "MC": "Monaco",
    "MO": "Macao",
    "SG": "Singapore",
    "VA": "Vatican City",
}


def fit_address(address: Address) -> Address:
    """Lay an address into the warehouse's fields. Says the same as before; what cannot be laid out stays as it is."""
    if not address.city.strip() and (town := ONE_TOWN.get(address.country.upper())):
        address = replace(address, city=town)
    limit = ADDRESS_LIMITS["line1"]
    if len(address.line1) > limit and not address.line2.strip():
        first, _, second = address.line1[: limit + 1].rpartition(" ")
        second += address.line1[limit + 1 :]
        if first.strip() and len(second) <= ADDRESS_LIMITS["line2"]:
            address = replace(address, line1=first.rstrip(" ,"), line2=second.strip())
    return address


def decide_address(address: Address) -> tuple[str, str] | None:
    """Say which field makes an address unusable, and why; None when the warehouse can hold it."""
    for name in ADDRESS_NEEDS:
        value = getattr(address, name) or (address.company if name == "name" else "")
        if not value.strip():
            return name, f"The address has no {FIELD_NAMES[name]}."
    if len(address.country) != 2 or not address.country.isalpha():
        return "country", "The country is not a code of two letters."
    for name, limit in ADDRESS_LIMITS.items():
        length = len(getattr(address, name))
        if length > limit:
            return name, f"The {FIELD_NAMES[name]} has {length} characters; the warehouse takes {limit}."
    return None
