"""The settings, read once: `pickgate.toml`, then `PICKGATE__SECTION__KEY`, then `…_file` for secrets.

A wrong setting is refused at start with the key, the reason and the remedy; an unknown key with the nearest known one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pickgate.domain.policy import LockPolicy, Policy, RecreatePolicy, WindowPolicy
from pickgate.domain.stock_policy import StockPolicy, make_stock_policy, parse_buffer, parse_formula
from pickgate.domain.warehouse import Part, Stage
from pickgate.settings_sources import lay_environment_over, read_secret_files


class SettingsRefused(Exception):
    """A setting cannot be used. `problems`: one line each, with the key, the reason and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: object) -> timedelta:
    """Parse "500ms", "20s", "30m", "2h" or "7d". Raises ValueError with the remedy."""
    if isinstance(text, timedelta):
        return text
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'{text!r} is not a duration; write it as "500ms", "20s", "30m", "2h" or "7d"')
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8080"
    hint_delay: Duration = timedelta(seconds=3)  # a burst of webhooks about one order is looked at once


class WindowSettings(_Section):
    edit_window: Duration = timedelta(minutes=30)
    guard: Duration = timedelta(seconds=60)
    min_age: Duration = timedelta(minutes=2)
    quiet: Duration = timedelta(seconds=20)
    cutoff_metafield: str = "orderediting.editing_cutoff_date"
    hold_tags: tuple[str, ...] = ("OE-HOLD", "ON-HOLD", "HOLD", "om:edit-order-hold")
    release_tags: tuple[str, ...] = ()
    stop_tags: tuple[str, ...] = ("orderediting:cancellation_requested",)
    payment_states: tuple[str, ...] = ("PAID",)
    place_shopify_hold: bool = False
    stuck_after: Duration = timedelta(hours=24)
    unpaid_after: Duration = timedelta(minutes=15)


class LockSettings(_Section):
    tag: str = "pickgate-locked"
    metafield: str = "$app:pickgate.lock"
    report_progress: bool = True


class RecreateSettings(_Section):
    cancelled_tags: tuple[str, ...] = ("Edit Order - Cancelled",)
    successor_tags: tuple[str, ...] = ("Edit Order", "orderediting:duplicated")
    name_suffix: bool = True


Strategy = Literal["reissue", "amend"]


class EditSettings(_Section):
    """How a change before work has begun reaches the warehouse, by kind; None: as `clarus.edit_strategy` says."""

    lines: Strategy | None = None
    address: Strategy | None = None
    service: Strategy | None = None
    notes: Strategy | None = None
    cancel_while_picking: bool = True
    delivery_date_attribute: str = ""
    ship_test_orders: bool = False


class ShopSettings(_Section):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    domain: str
    api_base: str
    api_version: str = Field(default="2026-07", pattern=r"^(\d{4}-\d{2}|unstable)$")
    access_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_secrets: tuple[SecretStr, ...] = ()
    subscribe_webhooks: bool = True
    mode: Literal["act", "observe"] = "act"
    reference_prefix: str = Field(default="", max_length=12)  # before the order's name, where shops share order names
    window: WindowSettings = WindowSettings()
    lock: LockSettings = LockSettings()
    recreate: RecreateSettings = RecreateSettings()
    edits: EditSettings = EditSettings()

    @field_validator("api_base")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return _http_url(value)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The HMAC keys, newest first; the app's client secret counts when none is listed."""
        listed = tuple(secret.get_secret_value() for secret in self.client_secrets)
        if listed or self.client_secret is None:
            return listed
        return (self.client_secret.get_secret_value(),)


class ClarusSettings(_Section):
    base_url: str = "https://clarus-api.com"
    api_prefix: str = "/api"
    graphql_path: str = "/graphql"
    token_url: str = "https://clarus-api.com/oauth/token"  # noqa: S105 - an address, not a secret
    subdomain: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    scopes: str = ""
    webhook_token: SecretStr = SecretStr("")
    requests_per_second: float = Field(default=5, gt=0)
    line_delete_verb: Literal["DESTROY", "REMOVE"] = "DESTROY"
    edit_strategy: Strategy = "reissue"
    work_begins_at: tuple[str, ...] = ("PICK", "PART", "COMPLETED")
    poll_open_orders_every: Duration = timedelta(seconds=60)
    page_size: int = Field(default=100, ge=1, le=250)
    company_in: Literal["name", "address_2", "omit"] = "name"
    # How long after its sending a creation may still come to light: its time-out of 30 s, and its way into the lists.
    create_settle: Duration = timedelta(seconds=60)

    @field_validator("base_url", "token_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return _http_url(value)

    @field_validator("work_begins_at")
    @classmethod
    def _known_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if code.upper() not in STAGE_BY_CODE:
                raise ValueError(f"{code!r} is not a status code; known: {', '.join(STAGE_BY_CODE)}")
        return value


STAGE_BY_CODE: Mapping[str, Stage] = {
    "DRAFT": Stage.DRAFT,
    "PENDING": Stage.PENDING,
    "PICK": Stage.PICKING,
    "PART": Stage.PART,
    "ALLOCATED": Stage.ALLOCATED,
    "COMPLETED": Stage.COMPLETED,
    "PART_ALLOCATED": Stage.PART_ALLOCATED,
    "CANCELLED": Stage.CANCELLED,
}


class StockSettings(_Section):
    publish_every: Duration = timedelta(minutes=5)
    buffer_units: int = Field(default=0, ge=0)
    buffer_percent: int = Field(default=0, ge=0, le=100)
    buffers: Mapping[str, int | str] = Field(default={})
    quantity_name: Literal["available", "on_hand"] = "available"
    formula: str = "available"
    counts_from: Literal["created", "allocated"] = "created"
    shared: Literal["whole", "split"] = "whole"
    hysteresis_units: int = Field(default=0, ge=0)
    hysteresis_for: Duration = timedelta(minutes=15)
    most_changed_share: float = Field(default=0.5, gt=0, le=1)
    most_zero_share: float = Field(default=0.2, gt=0, le=1)
    snapshot_max_age: Duration = timedelta(minutes=10)

    @field_validator("formula", "buffers")
    @classmethod
    def _usable(cls, value: Any) -> Any:
        _ = parse_formula(value) if isinstance(value, str) else [parse_buffer(one) for one in value.values()]
        return value


class WorkerSettings(_Section):
    """`lease`: after so long without a sign of life a worker's orders are taken over by another."""

    lease: Duration = timedelta(seconds=20)
    concurrency: int = Field(default=64, ge=1, le=1000)

    @field_validator("lease")
    @classmethod
    def _not_too_short(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=2) <= value <= timedelta(minutes=10):
            raise ValueError("give between 2s and 10m; 20s is right for nearly everybody")
        return value


class MoneySettings(_Section):
    zone: str = "UTC"  # the time zone in which months and days are counted

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f'{value!r} is not a time zone; write one such as "Europe/London"')
        return value


class SweepSettings(_Section):
    every: Duration = timedelta(minutes=10)
    sample: int = Field(default=50, ge=0)


class RetoolSettings(_Section):
    """`api_token` is ours, delegating; `access_token` and `rpc_token` are Retool's, by their scopes."""

    url: str = ""
    access_token: SecretStr = SecretStr("")
    api_token: SecretStr = SecretStr("")
    resource_name: str = Field(default="Pickgate", min_length=1, max_length=100)
    resource_uuid: str = Field(default="", pattern=r"^$|^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    rpc_token: SecretStr = SecretStr("")
    rpc_resource_id: str = ""
    rpc_environment: str = "production"
    rpc_groups: tuple[str, ...] = ()  # Retool groups that may call the functions; empty: whom the app lets in
    rpc_concurrency: int = Field(default=4, ge=1, le=64)
    rpc_poll: Duration = timedelta(seconds=1)

    @field_validator("url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return _http_url(value) if value else value

    @field_validator("rpc_poll")
    @classmethod
    def _not_too_often(cls, value: timedelta) -> timedelta:
        if value < timedelta(milliseconds=100):
            raise ValueError("give 100ms or more: Retool is asked that often by each agent")
        return value


class AuditSettings(_Section):
    reference: str = "{name}"
    match_by: Literal["reference", "external_system_reference1"] = "reference"
    settled_after: Duration = timedelta(hours=24)


class Settings(_Section):
    database_url: str = ""
    data_dir: Path = Path("pickgate-data")
    secret_key: SecretStr
    server: ServerSettings = ServerSettings()
    worker: WorkerSettings = WorkerSettings()
    shops: tuple[ShopSettings, ...] = ()
    clarus: ClarusSettings = ClarusSettings()
    stock: StockSettings = StockSettings()
    sweep: SweepSettings = SweepSettings()
    audit: AuditSettings = AuditSettings()
    retool: RetoolSettings = RetoolSettings()
    money: MoneySettings = MoneySettings()

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if any(len(key.strip()) < 32 for key in value.get_secret_value().split(",")):
            raise ValueError("each key needs at least 32 characters; make one with `pickgate secret`")
        return value

    @field_validator("shops")
    @classmethod
    def _distinct(cls, value: tuple[ShopSettings, ...]) -> tuple[ShopSettings, ...]:
        keys = [shop.key for shop in value]
        domains = [shop.domain for shop in value]
        for name, seen in (("key", keys), ("domain", domains)):
            if len(set(seen)) != len(seen):
                raise ValueError(f"two shops have the same {name}; each needs its own")
        return value

    def shop(self, key: str) -> ShopSettings:
        """Return one shop's settings. Raises KeyError when there is none with that key."""
        for shop in self.shops:
            if shop.key == key:
                return shop
        raise KeyError(key)


def policy_of(shop: ShopSettings, clarus: ClarusSettings) -> Policy:
    """Turn settings into the policy that a decision looks at."""
    by_part = {
        Part.LINES: shop.edits.lines,
        Part.ADDRESS: shop.edits.address,
        Part.SERVICE: shop.edits.service,
        Part.NOTES: shop.edits.notes,
    }
    window = shop.window
    return Policy(
        window=WindowPolicy(
            edit_window=window.edit_window,
            guard=window.guard,
            min_age=window.min_age,
            quiet=window.quiet,
            hold_tags=window.hold_tags,
            release_tags=window.release_tags,
            stop_tags=window.stop_tags,
            payment_states=tuple(state.upper() for state in window.payment_states),
            place_shop_hold=window.place_shopify_hold,
            stuck_after=window.stuck_after,
            unpaid_after=window.unpaid_after,
        ),
        lock=LockPolicy(**shop.lock.model_dump()),
        recreate=RecreatePolicy(**shop.recreate.model_dump()),
        work_begins_at=frozenset(STAGE_BY_CODE[code.upper()] for code in clarus.work_begins_at),
        amend=frozenset(part for part, way in by_part.items() if (way or clarus.edit_strategy) == "amend"),
        create_settle=clarus.create_settle,
        cancel_while_picking=shop.edits.cancel_while_picking,
        ship_test_orders=shop.edits.ship_test_orders,
        delivery_date_attribute=shop.edits.delivery_date_attribute,
        company_in=clarus.company_in,
        reference_prefix=shop.reference_prefix,
        observe=shop.mode == "observe",
    )


def stock_policy_of(stock: StockSettings) -> StockPolicy:
    """Turn settings into the policy that a stock decision looks at."""
    return make_stock_policy(**stock.model_dump(exclude={"publish_every"}))


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the file (when given), lay the environment over it, read `…_file` secrets, and check the whole.

    Raises SettingsRefused with every problem found, not only the first.
    """
    raw: dict[str, Any] = {}
    if path is not None:
        try:
            raw = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise SettingsRefused(
                [f"{path}: cannot be read ({error.strerror}). Give --config FILE or set PICKGATE_CONFIG."]
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsRefused([f"{path}: not valid TOML: {error}"]) from error
    problems = lay_environment_over(raw, environment)
    problems += read_secret_files(raw, "")
    if problems:
        raise SettingsRefused(problems)
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsRefused([_explain(item) for item in error.errors()]) from error


def _explain(item: Any) -> str:
    path = ".".join(f"[{step}]" if isinstance(step, int) else str(step) for step in item["loc"]).replace(".[", "[")
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(item["loc"][-1]), _known_keys(item["loc"][:-1]), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " Remove it, or see the settings reference."
        return f"{path}: unknown setting.{hint}"
    if item["type"] == "missing":
        return f"{path}: is required and missing. Add it to the file, or set it in the environment."
    return f"{path}: {item['msg'].removeprefix('Value error, ')}."


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    model: Any = Settings
    for step in location:
        if isinstance(step, int):
            continue
        annotation = model.model_fields[step].annotation
        inner = getattr(annotation, "__args__", ())
        model = next((t for t in (annotation, *inner) if isinstance(t, type) and issubclass(t, BaseModel)), None)
        if model is None:
            return []
    return list(model.model_fields)


def _http_url(value: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise ValueError(f"{value!r} is not an http(s) address; write it whole, such as https://example.com")
    return value.rstrip("/")
