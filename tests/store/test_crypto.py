"""What is sealed opens in its own place, with its own key, unchanged; otherwise it says why it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickgate.crypto import SealBroken, Sealer, SealKeyUnknown, place

OLD, NEW = "o" * 32, "n" * 32
HERE, THERE = place("inbox", "body", "1"), place("inbox", "body", "2")


@given(st.binary(max_size=200))
def test_sealed_bytes_come_back(plain: bytes) -> None:
    sealer = Sealer([NEW])
    assert sealer.open(sealer.seal(plain, HERE), HERE) == plain


def test_the_same_bytes_are_sealed_differently_each_time() -> None:
    sealer = Sealer([NEW])
    first, second = sealer.seal(b"secret", HERE), sealer.seal(b"secret", HERE)
    assert first != second
    assert b"secret" not in first


def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    sealer = Sealer([NEW])
    with pytest.raises(SealBroken, match="belong to another row"):
        sealer.open(sealer.seal(b"secret", HERE), THERE)


@pytest.mark.parametrize("at", [1, 8, 9, 20, 21, -1])
def test_a_changed_byte_is_found(at: int) -> None:
    sealer = Sealer([NEW])
    broken = bytearray(sealer.seal(b"secret", HERE))
    broken[at] ^= 1
    with pytest.raises(SealBroken):
        sealer.open(bytes(broken), HERE)


@pytest.mark.parametrize("text", [b"", b"\x01", b"plain text that nobody sealed at all"])
def test_what_was_never_sealed_is_refused(text: bytes) -> None:
    with pytest.raises(SealBroken, match="Not something that was sealed"):
        Sealer([NEW]).open(text, HERE)


def test_keys_rotate() -> None:
    old = Sealer([OLD]).seal(b"secret", HERE)
    both = Sealer.from_setting(f"{NEW}, {OLD}")
    assert both.open(old, HERE) == b"secret"
    assert not both.is_current(old)
    again = both.seal(b"secret", HERE)
    assert both.is_current(again)
    assert Sealer([NEW]).open(again, HERE) == b"secret"


def test_a_lost_key_is_named() -> None:
    sealed = Sealer([OLD]).seal(b"secret", HERE)
    with pytest.raises(SealKeyUnknown, match=f"key {sealed[1:9].hex()}.*Put the former key back"):
        Sealer([NEW]).open(sealed, HERE)


def test_a_key_is_needed() -> None:
    with pytest.raises(ValueError, match="secret_key"):
        Sealer.from_setting(" , ")


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_two_places_are_never_written_alike(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (place(*one) == place(*other)) == (one == other)


def test_digests_need_the_key() -> None:
    assert Sealer([NEW]).digest(b"x") == Sealer([NEW, OLD]).digest(b"x") != Sealer([OLD]).digest(b"x")
