"""Each question to the rulebook is asked with all that its table may look at, and its row is kept as evidence."""

from __future__ import annotations

from decimal import Decimal

from cast import PlainRules, decided, facts, fulfilment_order, line, order
from pickgate.domain.decision import Reason
from pickgate.domain.projection import product_codes_of
from pickgate.domain.rules import Found, Ignored, NotListed, Place, Product, RuleRow, Service


class Recording(PlainRules):
    """A rulebook that remembers what it was asked, and answers everything."""

    def __init__(self) -> None:
        super().__init__(ignored_skus=frozenset({"SKU-I"}), groups={"SKU-A": "cold"}, hold_reason="over 500")
        self.asked: list[tuple[object, ...]] = []

    def place(self, *, shop: str, location_id: str, location_name: str) -> Found[Place] | Ignored | NotListed:
        self.asked.append(("place", shop, location_id, location_name))
        return super().place(shop=shop, location_id=location_id, location_name=location_name)

    def service(self, *, shop: str, shipping_title: str, country: str, warehouse: str) -> Found[Service] | NotListed:
        self.asked.append(("service", shop, shipping_title, country, warehouse))
        return super().service(shop=shop, shipping_title=shipping_title, country=country, warehouse=warehouse)

    def priority(self, *, shop: str, tags: tuple[str, ...], shipping_title: str, country: str) -> Found[int] | None:
        self.asked.append(("priority", shop, tags, shipping_title, country))
        return Found(5, self._row("priorities"))

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]] | Ignored | NotListed:
        self.asked.append(("products", shop, sku))
        return super().products(shop=shop, sku=sku)

    def note_field(self, *, shop: str, attribute: str) -> Found[str] | None:
        self.asked.append(("note_field", shop, attribute))
        return None

    def group(self, *, shop: str, sku: str, tags: tuple[str, ...]) -> Found[str] | None:
        self.asked.append(("group", shop, sku, tags))
        return super().group(shop=shop, sku=sku, tags=tags)

    def hold(self, *, shop: str, tags: tuple[str, ...], country: str, total: Decimal) -> Found[str] | None:
        self.asked.append(("hold", shop, tags, country, total))
        return super().hold(shop=shop, tags=tags, country=country, total=total)


def test_what_is_asked() -> None:
    rules = Recording()
    lines = (line("A"), line("I", attributes=(("engraving", "x"),)))
    some = order(lines=lines, tags=("VIP",), note="Ring", fulfilment_orders=(fulfilment_order("F1", {"A": 1, "I": 1}),))

    decided(facts(some), rules=rules)

    assert rules.asked == [
        ("place", "uk", "L1", "Location L1"),
        ("products", "uk", "SKU-A"),
        ("group", "uk", "SKU-A", ("VIP",)),
        ("products", "uk", "SKU-I"),
        ("group", "uk", "SKU-I", ("VIP",)),
        ("service", "uk", "Standard", "GB", "LEEDS"),
        ("priority", "uk", ("VIP",), "Standard", "GB"),
        ("hold", "uk", ("VIP",), "GB", Decimal("20.00")),
        ("note_field", "uk", "note"),
    ]


def test_which_products_to_ask_about_is_asked_of_the_shops_own_table() -> None:
    rules = Recording()

    assert product_codes_of(order(), rules, shop="uk") == ("SKU-A",)
    assert rules.asked == [("products", "uk", "SKU-A")]


def test_each_answer_is_kept_with_its_row() -> None:
    lines = (line("A"), line("I"))
    some = order(lines=lines, fulfilment_orders=(fulfilment_order("F1", {"A": 1, "I": 1}),))

    def row(table: str) -> RuleRow:
        return RuleRow(table=table, row=1, version=1)

    assert decided(facts(some), rules=Recording()).reasons == (
        Reason(text="Location L1 → ACME/LEEDS", row=row("locations")),
        Reason(text="SKU-A → 1 × SKU-A", row=row("skus")),
        Reason(text="SKU-A goes in group cold", row=row("splits")),
        Reason(text="Thing I (SKU-I) is not sent", row=row("skus")),
        Reason(text="Standard → DPD/ND", row=row("services")),
        Reason(text="Priority 5", row=row("priorities")),
        Reason(text="Held: over 500", row=row("holds")),
    )


def test_lines_after_one_that_is_left_out_are_still_looked_at() -> None:
    lines = (line("G", is_gift_card=True), line("A"), line("N", 0), line("B"))
    shares = {"G": 1, "Z": 1, "A": 1, "N": 0, "B": 1}
    some = order(lines=lines, fulfilment_orders=(fulfilment_order("F1", shares),))

    (wanted,) = decided(facts(some)).wanted

    assert [n.line_id for n in wanted.content.lines] == ["A", "B"]
