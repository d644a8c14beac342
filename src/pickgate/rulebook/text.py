"""How texts are compared: folded where people write them, exactly where machines do."""

from __future__ import annotations

import unicodedata

from pickgate.rulebook.tables import Kind


def fold(text: str) -> str:
    """Return what two texts must share to be the same to a person: trimmed, composed (NFC) and without case."""
    text = clean(text)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.casefold())


def clean(text: str) -> str:
    """Trim and compose (NFC). Half a surrogate pair, which no other program would take, becomes U+FFFD."""
    if text.isascii():
        return text.strip()
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return unicodedata.normalize("NFC", whole).strip()


def normalise_sku(sku: str, strip_characters: str = "") -> str:
    """Return a SKU as the warehouse may know it. Case, leading zeros and punctuation are part of it and stay.

    Args:
        strip_characters: Characters that the warehouse refuses; each occurrence is removed.
    """
    sku = clean(sku)
    if strip_characters:
        sku = sku.translate(dict.fromkeys(map(ord, strip_characters))).strip()
    return sku


def comparable(kind: Kind, text: str, strip_characters: str = "") -> str:
    """Return the form in which a cell and the value it is held against are compared."""
    match kind:
        case Kind.SKU:
            return normalise_sku(text, strip_characters)
        case Kind.ID:
            return clean(text).rpartition("/")[2]
        case Kind.COUNTRY:
            return clean(text).upper()
        case _:
            return fold(text)
