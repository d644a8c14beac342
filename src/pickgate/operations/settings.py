"""The settings in force, to read. Secrets are never shown, only whether they are set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Unavailable
from pickgate.operations.inputs import Nothing
from pickgate.operations.models import Shape
from pickgate.operations.operation import Operation
from pickgate.operations.roles import Role, only

_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):\S*(?=@)|(?<=[?&]password=)[^&]*|(?<=password=)\S*", re.IGNORECASE)
SET, NOT_SET = "set, not shown", "not set"


class SettingShape(Shape):
    """One setting, with its place in the file, such as `shops[0].window.edit_window`."""

    section: str = Field(description="Its table in the file; empty: at the top")
    key: str
    value: str = Field(description="As a person would write it; of a secret only whether it is set")
    is_default: bool
    is_secret: bool = False


class SettingsShape(Shape):
    """Every setting of this process. Some take effect only in the worker."""

    items: list[SettingShape]
    total: int


async def _get_settings(context: OperationContext, _: Nothing) -> SettingsShape:
    if context.settings is None:
        raise Unavailable("This process was not started from settings.", remedy="Ask the API of a running Pickgate.")
    items = list(describe_settings(context.settings))
    return SettingsShape(items=items, total=len(items))


def describe_settings(node: BaseModel, where: str = "") -> Iterator[SettingShape]:
    """Yield each setting of a model and of the models inside it, in the order in which they are declared."""
    for name, field in type(node).model_fields.items():
        value, key = getattr(node, name), f"{where}{name}"
        if isinstance(value, BaseModel):
            yield from describe_settings(value, f"{key}.")
        elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
            for number, item in enumerate(value):
                yield from describe_settings(item, f"{key}[{number}].")
        else:
            secret = _is_secret(field.annotation)
            default = not field.is_required() and value == field.get_default(call_default_factory=True)
            yield SettingShape(
                section=where.rstrip("."),
                key=key,
                value=_shown(value, secret=secret),
                is_default=default,
                is_secret=secret,
            )


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in getattr(annotation, "__args__", ()))


def _shown(value: Any, *, secret: bool) -> str:
    if secret:
        several: Sequence[Any] = value if isinstance(value, tuple) else [value]
        count = sum(bool(item.get_secret_value()) for item in several if isinstance(item, SecretStr))
        return NOT_SET if not count else SET if count == 1 else f"{count} {SET}"
    match value:
        case None | "":
            return ""
        case bool():
            return "true" if value else "false"
        case timedelta():
            return _duration(value)
        case tuple() | list():
            return ", ".join(_shown(item, secret=False) for item in value)
        case dict():
            return ", ".join(f"{name} = {_shown(item, secret=False)}" for name, item in value.items())
    return _PASSWORD.sub(lambda found: f"{found[1]}:***" if found[1] is not None else "***", str(value))


def _duration(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 or not seconds else f"{seconds * 1000:g}ms"


SETTINGS = (
    Operation(
        id="get_settings",
        title="Show the settings",
        about="Every setting in force in this process. Secrets are masked.",
        input=Nothing,
        output=SettingsShape,
        roles=only(Role.OPS, Role.ECOMMERCE),
        handler=_get_settings,
    ),
)
