"""The exact difference between what the warehouse holds and what the order wants now, in words a person can act on."""

from __future__ import annotations

from pickgate.domain.shop import Address, ShopOrder
from pickgate.domain.warehouse import Content, Part

_ADDRESS_FIELDS = ("name", "company", "line1", "line2", "city", "province", "postcode", "country", "phone", "email")


def describe_difference(order: ShopOrder, held: Content | None, wanted: Content | None) -> tuple[str, ...]:
    """Return one sentence for each thing that differs. `held` None: not in the warehouse; `wanted` None: not wanted.

    Addresses are named by field, never by value: these sentences are stored and shown to everybody.
    """
    sentences = list(_lines(order, held, wanted))
    if held is None or wanted is None:
        return tuple(sentences)
    if held.warehouse != wanted.warehouse:
        sentences.append(f"It should leave {wanted.warehouse}, not {held.warehouse}.")
    if held.account != wanted.account:
        sentences.append(f"It belongs to account {wanted.account}, not {held.account}.")
    changed = held.changed_parts(wanted)
    if Part.ADDRESS in changed:
        sentences.append(f"The address changed: {', '.join(_changed_fields(held.address, wanted.address))}.")
    if Part.SERVICE in changed:
        sentences.append(f"The service is now {_service(wanted)}; the warehouse has {_service(held)}.")
    if Part.NOTES in changed:
        fields = sorted({name for name, text in set(held.notes) ^ set(wanted.notes)})
        sentences.append(f"The notes changed: {', '.join(fields)}.")
    return tuple(sentences)


def line_differences(held: Content | None, wanted: Content | None) -> dict[tuple[str, str], tuple[int, int]]:
    """Return {(line id, product code): (held units, wanted units)} where they differ."""
    have = {(n.line_id, n.product_code): n.units for n in held.lines} if held else {}
    want = {(n.line_id, n.product_code): n.units for n in wanted.lines} if wanted else {}
    keys = dict.fromkeys([*have, *want])
    pairs = {key: (have.get(key, 0), want.get(key, 0)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _lines(order: ShopOrder, held: Content | None, wanted: Content | None) -> list[str]:
    sentences = []
    for (line_id, code), (have, want) in line_differences(held, wanted).items():
        line = order.line(line_id)
        name = f"{line.title} ({code})" if line else code
        if want == 0:
            sentences.append(f"{have} × {name}: no longer wanted.")
        elif have == 0:
            sentences.append(f"{want} × {name}: added, and not in the warehouse's order.")
        else:
            sentences.append(f"{name}: the warehouse has {have}, the order now wants {want}.")
    return sentences


def _changed_fields(held: Address, wanted: Address) -> list[str]:
    return [name for name in _ADDRESS_FIELDS if getattr(held, name) != getattr(wanted, name)]


def _service(content: Content) -> str:
    carrier = f"{content.carrier}/{content.service}" if content.carrier else "the warehouse's default"
    extras = [f"priority {content.priority}"] if content.priority is not None else []
    extras += [f"for {content.required_on.isoformat()}"] if content.required_on is not None else []
    return ", ".join([carrier, *extras])
