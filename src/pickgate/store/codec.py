"""Domain values to JSON and back, by class name and type hints, with personal data lifted out on the way.

A dataclass becomes an object with its class name under "_". Reading is strict about types and tolerant about age:
unknown keys are ignored, missing ones take the field's default. Text is cleaned of what PostgreSQL cannot hold (NUL
and lone surrogates become U+FFFD).
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

_TAG = "_"
_LIFTED = "~"
_EMPTY = "empty"

# What is personal: an address wherever it is, and the free texts that customers write.
_PERSONAL_TYPES = frozenset({"Address"})
_PERSONAL_FIELDS = frozenset(
    {
        ("Content", "notes"),
        ("Line", "attributes"),
        ("ShopHold", "notes"),
        ("ShopOrder", "attributes"),
        ("ShopOrder", "note"),
    }
)


class CodecError(ValueError):
    """A value cannot be written as JSON, or a stored one does not fit the type asked for."""


def encode(value: object) -> Any:
    """Return the value as plain JSON values. Raises CodecError for what has no JSON form."""
    return _write(value, None)


def split_personal(value: object) -> tuple[Any, list[Any]]:
    """Return (public, personal): the value as JSON without personal data, and the lifted parts in order."""
    lifted: list[Any] = []
    return _write(value, lifted), lifted


def join_personal(public: Any, personal: Sequence[Any] | None) -> Any:
    """Put lifted parts back. Without them (they were erased) each is left empty: an empty address, no notes."""
    match public:
        case {"~": int(index), "empty": empty}:
            return empty if personal is None else personal[index]
        case dict():
            return {key: join_personal(item, personal) for key, item in public.items()}
        case list():
            return [join_personal(item, personal) for item in public]
        case _:
            return public


def without_personal(value: object) -> Any:
    """Return the value as JSON with every personal part left empty."""
    return join_personal(split_personal(value)[0], None)


def decode(kind: Any, tree: Any) -> Any:
    """Read JSON as `kind`: a dataclass, enum, union, tuple, mapping, datetime, date or plain value.

    Raises CodecError naming the class and field that do not fit.
    """
    return _reader(kind)(tree)


def clean_text(text: str) -> str:
    """Return the text with NUL and lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in text)
    return text


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(value: Any, lifted: list[Any] | None) -> Any:
    kind: Any = type(value)
    if value is None or kind is bool or kind is int or kind is float:
        return value
    if kind is str:
        return clean_text(value)
    names = _field_names(kind)
    if names is not None:
        if lifted is not None and kind.__name__ in _PERSONAL_TYPES:
            return _lift(_write_fields(value, names, None), {_TAG: kind.__name__}, lifted)
        return _write_fields(value, names, lifted)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): _write(item, lifted) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_write(item, lifted) for item in value]
    if isinstance(value, (frozenset, set)):
        return sorted((_write(item, lifted) for item in value), key=repr)
    raise CodecError(f"{kind.__name__} has no JSON form.")


def _write_fields(value: Any, names: tuple[str, ...], lifted: list[Any] | None) -> dict[str, Any]:
    owner = type(value).__name__
    written: dict[str, Any] = {_TAG: owner}
    for name in names:
        item = getattr(value, name)
        if lifted is not None and item and (owner, name) in _PERSONAL_FIELDS:
            written[name] = _lift(_write(item, None), "" if isinstance(item, str) else [], lifted)
        else:
            written[name] = _write(item, lifted)
    return written


def _lift(written: Any, empty: Any, lifted: list[Any]) -> dict[str, Any]:
    lifted.append(written)
    return {_LIFTED: len(lifted) - 1, _EMPTY: empty}


def _key(key: object) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise CodecError(f"{key!r} cannot be a key in JSON.")
    return clean_text(key)


@cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(item.name for item in dataclasses.fields(kind))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_Reader = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> _Reader:
    if kind is Any or kind is object:
        return lambda tree: tree
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_union(arguments)
    if origin is tuple:
        return _read_tuple(arguments)
    if origin in (frozenset, set):
        item = _reader(arguments[0])
        return lambda tree: frozenset(item(part) for part in _expect(list, tree))
    if origin in (Sequence, list):
        item = _reader(arguments[0])
        return lambda tree: [item(part) for part in _expect(list, tree)]
    if origin in (Mapping, dict):
        item = _reader(arguments[1])
        return lambda tree: {key: item(part) for key, part in _expect(dict, tree).items()}
    if isinstance(kind, type):
        return _read_class(kind)
    raise CodecError(f"{kind!r} cannot be read from JSON.")


def _read_class(kind: type) -> _Reader:
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind)
    if issubclass(kind, Enum):
        return lambda tree: _converted(kind, tree)
    if kind is datetime or kind is date:
        return lambda tree: _converted(kind.fromisoformat, _expect(str, tree))
    if kind is timedelta:
        return lambda tree: timedelta(seconds=tree)
    if kind is Decimal:
        return lambda tree: Decimal(_expect(str, tree))
    if kind is float:
        return lambda tree: float(tree) if type(tree) in (int, float) else _expect(float, tree)
    if kind in (str, int, bool, type(None)):
        return lambda tree: _expect(kind, tree)
    raise CodecError(f"{kind.__name__} cannot be read from JSON.")


def _read_dataclass(kind: type) -> _Reader:
    hints: dict[str, _Reader] | None = None
    required = {
        item.name
        for item in dataclasses.fields(kind)
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    }

    def read(tree: Any) -> Any:
        nonlocal hints
        if hints is None:  # not before the first use, so that classes may name each other
            all_hints = typing.get_type_hints(kind)
            hints = {item.name: _reader(all_hints[item.name]) for item in dataclasses.fields(kind) if item.init}
        if not isinstance(tree, dict) or tree.get(_TAG) != kind.__name__:
            found = tree.get(_TAG) if isinstance(tree, dict) else type(tree).__name__
            raise CodecError(f"Expected {kind.__name__}, found {found}.")
        values: dict[str, Any] = {}
        for name, reader in hints.items():
            if name in tree:
                try:
                    values[name] = reader(tree[name])
                except CodecError as error:
                    raise CodecError(f"{kind.__name__}.{name}: {error}") from error
            elif name in required:
                raise CodecError(f"{kind.__name__}.{name} is missing.")
        return kind(**values)

    return read


def _read_union(members: tuple[Any, ...]) -> _Reader:
    classes: list[Any] = [member for member in members if dataclasses.is_dataclass(member)]
    tagged = {member.__name__: _reader(member) for member in classes}
    others = [_reader(member) for member in members if not dataclasses.is_dataclass(member)]

    def read(tree: Any) -> Any:
        if isinstance(tree, dict) and tree.get(_TAG) in tagged:
            return tagged[tree[_TAG]](tree)
        for reader in others:
            try:
                return reader(tree)
            except CodecError:
                continue
        known = ", ".join([*tagged, *(str(member) for member in members if not dataclasses.is_dataclass(member))])
        raise CodecError(f"{tree!r:.80} is none of {known}.")

    return read


def _read_tuple(arguments: tuple[Any, ...]) -> _Reader:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _reader(arguments[0])
        return lambda tree: tuple(item(part) for part in _expect(list, tree))
    readers = [_reader(argument) for argument in arguments]

    def read(tree: Any) -> Any:
        parts = _expect(list, tree)
        if len(parts) != len(readers):
            raise CodecError(f"Expected {len(readers)} parts, found {len(parts)}.")
        return tuple(reader(part) for reader, part in zip(readers, parts, strict=True))

    return read


def _expect(kind: type, tree: Any) -> Any:
    if type(tree) is not kind:
        raise CodecError(f"Expected {kind.__name__}, found {type(tree).__name__}.")
    return tree


def _converted(convert: Callable[[Any], Any], tree: Any) -> Any:
    try:
        return convert(tree)
    except (ValueError, TypeError) as error:
        raise CodecError(str(error)) from error
