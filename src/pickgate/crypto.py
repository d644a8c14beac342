"""Encryption of what must not be readable in the database or its backups: raw bodies, addresses, notes, secrets.

AES-256-GCM. A ciphertext is bound to its place (table, column, row), so one that was moved to another row does not
open. Several keys may be known at once: the first encrypts, all decrypt; that is how keys are rotated.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORMAT = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD_BYTES = len(_FORMAT) + _ID_BYTES + _NONCE_BYTES


class SealBroken(Exception):
    """The bytes do not open here: damaged, or sealed for another place."""


class SealKeyUnknown(SealBroken):
    """Sealed with a key that is not among the ones given."""


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    id: bytes
    cipher: AESGCM
    digest_key: bytes = field(repr=False)


class Sealer:
    """Seals and opens bytes. `keys`: secret texts, newest first; the first one seals.

    Raises ValueError when there is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        texts = [key.strip() for key in keys if key.strip()]
        if not texts:
            raise ValueError("No key to seal with: set `secret_key`.")
        self._keys = tuple(_derive(text) for text in texts)
        self._by_id = {key.id: key for key in self._keys}

    @classmethod
    def from_setting(cls, secret_key: str) -> Sealer:
        """Make one from the setting `secret_key`: several keys are separated by commas."""
        return cls(secret_key.split(","))

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Return format byte, key id, nonce and ciphertext with tag. `aad` as made by `place`."""
        key = self._keys[0]
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + key.id + nonce + key.cipher.encrypt(nonce, plain, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the plain bytes. Raises SealKeyUnknown for a key that is not given, SealBroken for all else."""
        if len(sealed) < _HEAD_BYTES or sealed[:1] != _FORMAT:
            raise SealBroken("Not something that was sealed by this version.")
        key_id = sealed[1 : 1 + _ID_BYTES]
        key = self._by_id.get(key_id)
        if key is None:
            raise SealKeyUnknown(
                f"Sealed with key {key_id.hex()}, which is not in `secret_key`. Put the former key back, after a comma."
            )
        nonce = sealed[1 + _ID_BYTES : _HEAD_BYTES]
        try:
            return key.cipher.decrypt(nonce, sealed[_HEAD_BYTES:], aad)
        except InvalidTag:
            raise SealBroken("Does not open: the bytes were changed, or belong to another row.") from None

    def is_current(self, sealed: bytes) -> bool:
        """Say whether it was sealed with the first key; one that was not should be sealed again."""
        return sealed[1 : 1 + _ID_BYTES] == self._keys[0].id

    def digest(self, plain: bytes) -> bytes:
        """Return a keyed hash of 32 bytes: equal for equal bytes under one first key, meaningless without it."""
        return hmac.digest(self._keys[0].digest_key, plain, "sha256")


def place(table: str, column: str, row: str) -> bytes:
    """Name the place that a ciphertext belongs to, unambiguously. `row` is a natural key, known before the insert."""
    parts = [part.encode("utf-8", "surrogatepass") for part in (table, column, row)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _derive(text: str) -> _Key:
    def expand(purpose: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=b"pickgate", info=purpose).derive(text.encode())

    return _Key(
        id=sha256(expand(b"key id v1", 32)).digest()[:_ID_BYTES],
        cipher=AESGCM(expand(b"seal v1", 32)),
        digest_key=expand(b"digest v1", 32),
    )
