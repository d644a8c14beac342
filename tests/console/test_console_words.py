"""How values read: ages, lengths of time, marks, details, passwords, the limiter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pickgate.console import words
from pickgate.console.limiter import LoginLimiter
from pickgate.console.timeline import Told, told
from pickgate.domain.decision import OrderState
from pickgate.domain.findings import Severity, Team
from pickgate.operations.passwords import PasswordRefused, hash_password

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 00 min"), (86399, "23 h 59 min"),
     (86400, "1 d 0 h"), (200_000, "2 d 7 h")],
)  # fmt: skip
def test_a_length_of_time_reads_shortly(seconds: int, expected: str) -> None:
    assert words.span(timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-90, "1 min ago"), (0, "now"), (0.4, "now"), (90, "in 1 min"), (-7200, "2 h 00 min ago")]
)
def test_an_age_says_which_way(seconds: float, expected: str) -> None:
    assert words.age(NOW + timedelta(seconds=seconds), NOW) == expected


def test_a_moment_shows_the_day_only_when_it_is_another() -> None:
    assert ">06:30<" in words.moment(NOW - timedelta(minutes=30), NOW)
    assert ">23 Nov 07:00<" in words.moment(NOW - timedelta(days=1), NOW)
    assert ">2025 24 Nov 07:00<" in words.moment(NOW.replace(year=2025), NOW)
    assert words.moment(None, NOW) == '<span class="none">–</span>'


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_has_its_own_word_and_shape(state: OrderState) -> None:
    word, shape, _ = words.STATES[state.value]
    assert word
    assert [other[1] for other in words.STATES.values()].count(shape) == 1


def test_every_severity_and_team_has_a_word() -> None:
    assert {severity.value for severity in Severity} == set(words.SEVERITIES)
    assert {team.value for team in Team} == set(words.TEAMS)


def test_an_unknown_status_is_shown_as_it_is_and_escaped() -> None:
    assert "New thing" in words.mark("state", "new_thing")
    assert "<b>" not in words.mark("state", "<b>")


def test_details_of_any_shape_become_rows() -> None:
    detail = {"_": "Detail", "wanted_units": 3, "none": None, "lines": ["A", "B"], "flag": True,
              "reasons": [{"_": "Reason", "text": "Paid", "row": None}]}  # fmt: skip
    assert words.detail_rows(detail) == [
        ("Wanted units", "3"), ("Lines", "A, B"), ("Flag", "yes"), ("Reasons", "Paid"),
    ]  # fmt: skip
    assert words.detail_rows(None) == []
    assert words.detail_rows("plain") == [("", "plain")]


TOLD = [
    ("woken", {"because": "sweep"}, Told("Woken", ("sweep",))),
    ("hint", {"topic": "orders/edited", "source": "shopify"}, Told("Webhook orders/edited from shopify")),
    (
        "exception_closed",
        {"code": "LATE_EDIT", "why": "cause gone"},
        Told("Exception closed: LATE_EDIT", ("cause gone",)),
    ),
    ("effect_sent", {"kind": "take_lock", "target": "5001"}, Told("Sent: take lock 5001")),
    (
        "effect_refused",
        {"kind": "take_lock", "target": "5", "problem": "No."},
        Told("Refused: take lock 5", ("Problem: No.",)),
    ),
    (
        "hold_order",
        {"by": "ada", "reason": "Called", "until": "2026-11-24T08:00:00+00:00"},
        Told("Hold, by ada", ("Called", "until 24 Nov 08:00 UTC")),
    ),
    ("something_new", {"units": 3}, Told("Something new", ("Units: 3",))),
    ("something_new", "plain", Told("Something new", ("plain",))),
    (
        "decided",
        {
            "state": "waiting",
            "gates": [{"code": "edit_window", "until": "2026-11-24T08:00:00+00:00"}, {"code": "hold_tag"}],
            "commands": [{"kind": "take_lock", "target": "5001"}],
            "exceptions": ["LATE_EDIT"],
            "reasons": [{"text": "Paid"}, {"text": "Leeds", "row": "locations 1"}],
            "rulebook_version": 2,
            "fingerprint": "ab",
        },
        Told(
            "Decided: Waiting",
            (
                "Waits for: edit window, until 24 Nov 08:00 UTC",
                "Waits for: hold tag",
                "Sends: take lock 5001",
                "Finds: LATE_EDIT",
            ),
            ("Paid", "Leeds (locations 1)", "Rulebook version 2, content ab"),
        ),
    ),
    ("decided", {}, Told("Decided: ")),
]


@pytest.mark.parametrize(("kind", "detail", "expected"), TOLD, ids=[case[0] for case in TOLD])
def test_an_entry_of_the_history_reads_as_words(kind: str, detail: object, expected: Told) -> None:
    assert told(kind, detail) == expected


@pytest.mark.parametrize("password", ["short", "x" * 129, "aaaaaaaaaaaaaaa", "Password1234", "adas-warehouse-ada"])
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused):
        hash_password(password, login="ada")


def test_a_password_is_stored_as_argon2id() -> None:
    assert hash_password("three or four words", login="ada").startswith("$argon2id$")


def test_an_address_that_tries_many_names_is_slowed_down_too() -> None:
    limiter = LoginLimiter(per_user=5, per_address=6)
    for number in range(6):
        assert limiter.retry_after(f"user{number}", "10.0.0.1", now=NOW) == 0
        limiter.failed(f"user{number}", "10.0.0.1", now=NOW)
    assert limiter.retry_after("another", "10.0.0.1", now=NOW) == 901
    assert limiter.retry_after("another", "10.0.0.2", now=NOW) == 0
    assert limiter.retry_after("another", "10.0.0.1", now=NOW + timedelta(minutes=15)) == 0


def test_a_right_password_forgets_the_users_failures_but_not_the_addresss() -> None:
    limiter = LoginLimiter(per_user=2, per_address=3)
    for _ in range(2):
        limiter.failed("ada", "10.0.0.1", now=NOW)
    limiter.succeeded("Ada", "10.0.0.1")
    assert limiter.retry_after("ada", "10.0.0.1", now=NOW) == 0
    limiter.failed("ada", "10.0.0.1", now=NOW)
    assert limiter.retry_after("bob", "10.0.0.1", now=NOW) > 0
