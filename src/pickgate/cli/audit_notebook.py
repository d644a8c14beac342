"""What an unfinished audit has read so far, in a folder of `data_dir`, sealed: it holds names and addresses."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pickgate.crypto import Sealer, place
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.flows.audit_ports import MoneyAnswer
from pickgate.store.codec import decode, encode

_STATE = "state"
_MONEY = "money"


class FolderNotebook:
    """Satisfies `flows.audit_ports.Notebook`. Each piece is a file, written beside its place and then moved there.

    `subject`: what is audited, as text: another subject never goes on from these notes.
    """

    def __init__(self, folder: Path, sealer: Sealer, *, subject: str) -> None:
        self.folder = folder / f"audit-{sha256(subject.encode()).hexdigest()[:12]}"
        self._sealer = sealer

    def load(self) -> dict[str, Any]:
        """Return what was saved last; empty for a new one."""
        if not self._path(_STATE, 0).exists():
            return {}
        state: dict[str, Any] = json.loads(self._read(_STATE, 0))
        return state

    def save(self, state: Mapping[str, Any]) -> None:
        self._write(_STATE, 0, json.dumps(state).encode())

    def add(self, name: str, piece: bytes) -> None:
        self._write(name, len(self._numbers(name)), piece)

    def pieces(self, name: str) -> Iterator[bytes]:
        for number in self._numbers(name):
            yield self._read(name, number)

    def count(self, name: str) -> tuple[int, int]:
        """Return how many pieces there are, and their bytes."""
        sizes = [len(piece) for piece in self.pieces(name)]
        return len(sizes), sum(sizes)

    def clear(self, name: str) -> None:
        for number in reversed(self._numbers(name)):
            self._path(name, number).unlink()

    def add_money(self, shop: str, answers: Mapping[str, MoneyAnswer]) -> None:
        tree = {order_id: encode(answer) for order_id, answer in answers.items()}
        self.add(f"{shop}-{_MONEY}", json.dumps(tree).encode())

    def money(self, shop: str) -> dict[str, MoneyAnswer]:
        found: dict[str, MoneyAnswer] = {}
        for piece in self.pieces(f"{shop}-{_MONEY}"):
            for order_id, tree in json.loads(piece).items():
                found[order_id] = decode(OrderMoney | Unusable | Missing | Unreadable, tree)
        return found

    def discard(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _numbers(self, name: str) -> list[int]:
        files = self.folder.glob(f"{name}.*.sealed") if self.folder.is_dir() else ()
        return sorted(int(file.name.split(".")[-2]) for file in files)

    def _path(self, name: str, number: int) -> Path:
        return self.folder / f"{name}.{number}.sealed"

    def _read(self, name: str, number: int) -> bytes:
        return self._sealer.open(self._path(name, number).read_bytes(), place("audit", name, str(number)))

    def _write(self, name: str, number: int, plain: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(name, number)
        beside = path.with_suffix(".new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self._sealer.seal(plain, place("audit", name, str(number))))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
