"""Commands → requests: exact bodies, nothing empty, nothing cut."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.clarus_stub import amend, content, create
from pickgate.connectors.clarus.outgoing import (
    CompanyIn,
    FieldTooLong,
    Ids,
    NotRenderable,
    decide_fit,
    render_address,
    render_amend,
    render_create,
    wire_id,
    with_required_fields,
)
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import Content, ContentLine

IDS = Ids(
    account="1", warehouse="21", carrier="41", service="61", products={"MUG": "1001", "CAP": "1002", "PEN": "1003"}
)


def line(line_id: str, code: str, units: int) -> ContentLine:
    return ContentLine(line_id=line_id, product_code=code, units=units)


def test_a_creation_in_full() -> None:
    body = render_create(create(), IDS, company_in="name")
    assert body == {
        "data": {
            "type": "goods_outs",
            "attributes": {
                "goods_out_type": "sales_order",
                "account_id": 1,
                "warehouse_id": 21,
                "reference": "1031-1",
                "expected_date_of_dispatch": "2026-03-10T16:00:00+00:00",
                "external_system_reference1": "5500011",
                "external_system_reference2": "6600022",
                "external_system_reference3": "1",
                "carrier_id": 41,
                "carrier_service_id": 61,
                "priority": 5,
                "packing_notes": "Gift",
                "string1": "VIP",
                "lines_changes": [
                    {
                        "type": "ADD",
                        "attributes": {
                            "product_id": 1001,
                            "order_quantity": 2,
                            "external_system_reference1": "71",
                            "alt_product_code": "mug-blue",
                        },
                    },
                    {
                        "type": "ADD",
                        "attributes": {"product_id": 1002, "order_quantity": 1, "external_system_reference1": "72"},
                    },
                ],
            },
            "relationships": {
                "address": {
                    "data": {
                        "type": "addresses",
                        "attributes": {
                            "name": "Ada Byron, Engines Ltd",
                            "address_1": "1 High Street",
                            "address_3": "Leeds",
                            "postcode": "LS1 1AA",
                            "country_code": "GB",
                            "email_address": "ada@example.com",
                            "phone_number": "+441130000000",
                        },
                    }
                }
            },
        }
    }


def test_what_has_no_value_is_left_out() -> None:
    bare = content(carrier=None, service=None, priority=None, notes=(("order_notes", ""),), address=Address())
    ids = dataclasses.replace(IDS, carrier=None, service=None)
    data = render_create(create(content=bare), ids, company_in="name")["data"]
    assert "relationships" not in data
    assert set(data["attributes"]) == {
        "goods_out_type", "account_id", "warehouse_id", "reference", "expected_date_of_dispatch", "lines_changes",
        "external_system_reference1", "external_system_reference2", "external_system_reference3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("required_on", "expected"),
    [
        (None, "2026-03-10T23:30:00+01:00"),
        (date(2026, 3, 12), "2026-03-12T12:00:00+00:00"),
        (date(2026, 3, 10), "2026-03-10T23:30:00+01:00"),
        (date(2026, 3, 1), "2026-03-10T23:30:00+01:00"),
    ],
)
def test_the_day_it_should_leave(required_on: date | None, expected: str) -> None:
    soonest = datetime(2026, 3, 10, 23, 30, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    command = create(content=content(required_on=required_on), expected_despatch_at=soonest)
    attributes = render_create(command, IDS, company_in="name")["data"]["attributes"]
    assert attributes["expected_date_of_dispatch"] == expected


@pytest.mark.parametrize(
    ("company_in", "name", "address_2"),
    [("name", "Ada, Engines", "Flat 1"), ("address_2", "Ada", "Engines, Flat 1"), ("omit", "Ada", "Flat 1")],
)
def test_where_the_company_goes(company_in: CompanyIn, name: str, address_2: str) -> None:
    rendered = render_address(Address(name="Ada", company="Engines", line2="Flat 1"), company_in)
    assert rendered == {"name": name, "address_2": address_2}
    assert render_address(Address(company="Engines"), "name") == {"name": "Engines"}


@pytest.mark.parametrize(
    ("part", "field", "limit"),
    [
        ("line1", "address_1", 80),
        ("line2", "address_2", 80),
        ("city", "address_3", 80),
        ("province", "address_4", 80),
        ("postcode", "postcode", 10),
        ("country", "country_code", 6),
        ("email", "email_address", 254),
        ("phone", "phone_number", 50),
    ],
)
def test_address_limits(part: str, field: str, limit: int) -> None:
    at_limit = content(address=Address(**{part: "x" * limit}))
    assert decide_fit(at_limit, company_in="name") == ()
    over = content(address=Address(**{part: "x" * (limit + 1)}))
    (problem,) = decide_fit(over, company_in="name")
    assert (problem.field, problem.limit, problem.length, problem.in_address) == (field, limit, limit + 1, True)
    with pytest.raises(FieldTooLong, match=f"^{field} has {limit + 1} characters, and Clarus takes {limit}$"):
        render_create(create(content=over), IDS, company_in="name")


def test_other_limits() -> None:
    long = content(notes=(("packing_notes", "x" * 200), ("packing_notes", "y" * 55), ("order_notes", "z" * 999)))
    problems = decide_fit(long, company_in="name", reference="r" * 51)
    assert [(n.field, n.limit, n.length, n.in_address) for n in problems] == [
        ("reference", 50, 51, False),
        ("packing_notes", 255, 256, False),
    ]


def test_what_cannot_be_written() -> None:
    with pytest.raises(NotRenderable, match="'gift' is not a field for notes"):
        render_create(create(content=content(notes=(("gift", "yes"),))), IDS, company_in="name")
    with pytest.raises(NotRenderable, match="0 units of MUG"):
        render_create(create(content=content(lines=(line("71", "MUG", 0),))), IDS, company_in="name")


def test_an_amendment_names_only_what_changed() -> None:
    wanted = content(notes=(("string1", "VIP"), ("pick_notes", "Fragile")))
    assert render_amend(amend(wanted), IDS, company_in="name", delete_verb="DESTROY") == {
        "data": {
            "type": "goods_outs",
            "attributes": {"packing_notes": None, "string1": "VIP", "pick_notes": "Fragile"},
        }
    }


def test_an_amended_address_clears_what_is_gone() -> None:
    wanted = content(address=Address(name="Ada", line1="2 Low Road", city="York", postcode="YO1", country="GB"))
    data = render_amend(amend(wanted), IDS, company_in="omit", delete_verb="DESTROY")["data"]
    assert data["attributes"] == {}
    assert data["relationships"]["address"]["data"]["attributes"] == {
        "name": "Ada",
        "address_1": "2 Low Road",
        "address_3": "York",
        "postcode": "YO1",
        "country_code": "GB",
        "email_address": None,
        "phone_number": None,
    }


def test_an_amended_service_is_cleared_with_null() -> None:
    wanted = content(carrier=None, service=None, priority=1, required_on=date(2026, 4, 1))
    ids = dataclasses.replace(IDS, carrier=None, service=None)
    assert render_amend(amend(wanted), ids, company_in="name", delete_verb="DESTROY")["data"]["attributes"] == {
        "carrier_id": None,
        "carrier_service_id": None,
        "priority": 1,
        "expected_date_of_dispatch": "2026-04-01T12:00:00+00:00",
    }


@pytest.mark.parametrize("verb", ["DESTROY", "REMOVE"])
def test_lines_are_changed_added_and_removed_by_the_warehouses_ids(verb: str) -> None:
    wanted = content(lines=(line("71", "MUG", 5), line("73", "PEN", 3)))
    body = render_amend(amend(wanted), IDS, company_in="name", delete_verb=verb)  # type: ignore[arg-type]
    assert body["data"]["attributes"] == {
        "lines_changes": [
            {"type": "UPDATE", "id": 60781, "attributes": {"order_quantity": 5, "external_system_reference1": "71"}},
            {
                "type": "ADD",
                "attributes": {"product_id": 1003, "order_quantity": 3, "external_system_reference1": "73"},
            },
            {"type": verb, "id": 60782},
        ]
    }


def test_a_line_whose_id_was_never_read_is_not_changed() -> None:
    wanted = content(lines=(line("71", "MUG", 5),))
    with pytest.raises(NotRenderable, match="line of CAP was never read"):
        render_amend(amend(wanted, line_ids=(("MUG", "60781"),)), IDS, company_in="name", delete_verb="DESTROY")


def test_several_lines_of_one_product_all_get_their_units_anew() -> None:
    previous = content(lines=(line("71", "MUG", 2), line("72", "MUG", 3)))
    wanted = content(lines=(line("71", "MUG", 2), line("72", "MUG", 5)))
    command = amend(wanted, previous=previous, line_ids=(("MUG", "8"), ("MUG", "9")))
    body = render_amend(command, IDS, company_in="name", delete_verb="DESTROY")
    assert body["data"]["attributes"]["lines_changes"] == [
        {"type": "UPDATE", "id": 8, "attributes": {"order_quantity": 2, "external_system_reference1": "71"}},
        {"type": "UPDATE", "id": 9, "attributes": {"order_quantity": 5, "external_system_reference1": "72"}},
    ]


UNITS = st.dictionaries(
    st.tuples(st.sampled_from(["71", "72", "73"]), st.sampled_from(["MUG", "CAP", "PEN"])),
    st.integers(1, 9),
    min_size=1,
    max_size=6,
)


def _lines(units: dict[tuple[str, str], int]) -> tuple[ContentLine, ...]:
    return tuple(line(line_id, code, count) for (line_id, code), count in units.items())


@given(UNITS, UNITS, st.randoms(use_true_random=False))
def test_whatever_changes_the_warehouse_ends_with_the_wanted_units(
    old: dict[tuple[str, str], int], new: dict[tuple[str, str], int], rng: object
) -> None:
    previous, wanted = content(lines=_lines(old)), content(lines=_lines(new))
    held = {str(900 + n): (row.product_code, row.units) for n, row in enumerate(previous.lines)}
    ids = [(code, id_) for id_, (code, _) in held.items()]
    rng.shuffle(ids)  # type: ignore[attr-defined]
    body = render_amend(
        amend(wanted, previous=previous, line_ids=tuple(ids)), IDS, company_in="name", delete_verb="DESTROY"
    )
    code_of = {int(id_): code for code, id_ in IDS.products.items()}
    for number, change in enumerate(body["data"]["attributes"].get("lines_changes", [])):
        match change["type"]:
            case "ADD":
                added = change["attributes"]
                held[f"new{number}"] = (code_of[added["product_id"]], added["order_quantity"])
            case "UPDATE":
                held[str(change["id"])] = (held[str(change["id"])][0], change["attributes"]["order_quantity"])
            case "DESTROY":
                del held[str(change["id"])]
    units: dict[str, int] = {}
    for code, count in held.values():
        units[code] = units.get(code, 0) + count
    assert units == wanted.units_by_product()


def test_the_four_fields_are_added_and_what_was_said_stays() -> None:
    body = render_amend(amend(content(required_on=date(2026, 4, 1))), IDS, company_in="name", delete_verb="DESTROY")
    full = with_required_fields(body, reference="1031-1", account="1", expected_date_of_dispatch="2026-03-11T12:00:00Z")
    assert full["data"]["attributes"] == {
        "goods_out_type": "sales_order",
        "account_id": 1,
        "reference": "1031-1",
        "expected_date_of_dispatch": "2026-04-01T12:00:00+00:00",
        "carrier_id": 41,
        "carrier_service_id": 61,
        "priority": 5,
    }
    assert "expected_date_of_dispatch" in body["data"]["attributes"]
    assert "reference" not in body["data"]["attributes"]


def test_ids_are_integers_where_they_can_be() -> None:
    assert [wire_id(text) for text in ("12", "a1", "٣")] == [12, "a1", "٣"]


TEXTS = st.text(max_size=300)


@given(st.builds(Address, line1=TEXTS, postcode=TEXTS, city=TEXTS, company=TEXTS), st.sampled_from(["name", "omit"]))
def test_a_content_fits_exactly_when_it_can_be_rendered_uncut(address: Address, company_in: CompanyIn) -> None:
    wanted: Content = content(address=address)
    if decide_fit(wanted, company_in=company_in):
        with pytest.raises(FieldTooLong):
            render_create(create(content=wanted), IDS, company_in=company_in)
        return
    data = render_create(create(content=wanted), IDS, company_in=company_in)["data"]
    written = data.get("relationships", {}).get("address", {}).get("data", {}).get("attributes", {})
    assert written.get("address_1", "") == address.line1
    assert written.get("postcode", "") == address.postcode


def test_a_naive_time_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        naive = datetime(2026, 3, 10, tzinfo=UTC).replace(tzinfo=None)
        render_create(create(expected_despatch_at=naive), IDS, company_in="name")
