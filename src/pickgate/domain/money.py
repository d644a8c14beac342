"""Money in minor units. No float ever touches an amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# ISO 4217 currencies whose minor unit is not a hundredth.
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)


def minor_exponent(currency: str) -> int:
    """Return how many decimal places the currency's minor unit has: 2 unless ISO 4217 says otherwise."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency. Arithmetic across currencies raises ValueError."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        exponent = minor_exponent(self.currency)
        return f"{Decimal(self.minor).scaleb(-exponent):.{exponent}f} {self.currency}"

    def split(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Split by largest remainder, so that the parts add up to the whole; equal remainders go to the earlier part.

        Raises ValueError when the weights are empty, negative, or add up to nothing.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("Money can be split only by weights that add up to more than nothing.")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        floors = [whole * weight // total for weight in weights]
        order = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for i in order[: whole - sum(floors)]:
            floors[i] += 1
        return tuple(Money(sign * part, self.currency) for part in floors)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are in different currencies.")


def parse_money(amount: str, currency: str) -> Money:
    """Parse a decimal string such as "12.50". Raises ValueError when it is not one.

    What is finer than the minor unit is rounded half up.
    """
    try:
        value = Decimal(amount)
        if not value.is_finite() or abs(value.adjusted()) > 18:
            raise ValueError(f"{amount!r} is not an amount of money.")
        scaled = value.scaleb(minor_exponent(currency))
        if scaled != scaled.to_integral_value():
            # Some tax shares come finer than a cent; half up, as they are displayed.
            scaled = scaled.quantize(Decimal(1), rounding="ROUND_HALF_UP")
    except InvalidOperation as error:
        raise ValueError(f"{amount!r} is not an amount of money.") from error
    return Money(int(scaled), currency)
