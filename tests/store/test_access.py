"""Users, sessions and tokens: in time, until they are ended, and never by a hash that is not known."""

from __future__ import annotations

import pytest

from contracts.keeping import NOON, after
from pickgate.store.access import Access, Identity, NameTaken, UserRow
from pickgate.store.postgres import PostgresStore
from pickgate.store.reads import Reads

pytestmark = pytest.mark.postgres


@pytest.fixture
async def access(postgres_store: PostgresStore) -> Access:
    access = Access(postgres_store.database)
    await access.create_user(name="Ann", password_hash="h1", role="ops", shops=["uk"], by="cli", now=NOON)
    return access


async def test_a_name_is_taken_whatever_its_case(access: Access) -> None:
    with pytest.raises(NameTaken):
        await access.create_user(name="aNN", password_hash="h", role="admin", shops=[], by="cli", now=NOON)
    assert await access.find_user("ANN") == UserRow(name="Ann", password_hash="h1", role="ops")
    assert await access.find_user("Bo") is None
    assert [(row["name"], row["shops"], row["disabled_at"]) for row in await access.list_users()] == [
        ("Ann", ["uk"], None)
    ]


async def test_a_session_ends_when_idle_and_after_a_day_of_work(access: Access) -> None:
    ann = Identity(name="Ann", role="ops", shops=frozenset({"uk"}))
    await access.create_session("s1", login="ann", now=NOON)
    assert await access.find_session("s1", now=after(minutes=29)) == ann
    assert await access.find_session("s1", now=after(minutes=58)) == ann
    assert await access.find_session("s1", now=after(minutes=88)) is None
    await access.create_session("s2", login="ann", now=NOON)
    for minutes in range(20, 12 * 60, 20):
        assert await access.find_session("s2", now=after(minutes=minutes)) == ann
    assert await access.find_session("s2", now=after(hours=12)) is None
    assert await access.find_session("never", now=NOON) is None


async def test_a_session_ends_with_log_out_a_new_password_and_the_user(access: Access) -> None:
    for number in range(3):
        await access.create_session(f"s{number}", login="Ann", now=NOON)
    await access.end_session("s0", now=after(1))
    alive = [await access.find_session(f"s{number}", now=after(2)) is not None for number in range(3)]
    assert alive == [False, True, True]
    assert await access.set_password(name="ann", password_hash="h2", by="Ann", now=after(3))
    assert await access.find_session("s1", now=after(4)) is None
    await access.create_session("s4", login="Ann", now=after(5))
    assert await access.disable_user(name="ann", by="cli", now=after(6))
    assert not await access.disable_user(name="ann", by="cli", now=after(6))
    assert (await access.find_session("s4", now=after(7)), await access.find_user("ann")) == (None, None)
    with pytest.raises(LookupError):
        await access.create_session("s5", login="Ann", now=after(8))
    assert not await access.set_password(name="Bo", password_hash="h", by="cli", now=NOON)


async def test_a_token_lives_until_it_expires_or_is_revoked(access: Access, postgres_store: PostgresStore) -> None:
    values = {"role": "viewer", "by": "Ann", "now": NOON, "expires_at": after(days=30)}
    token = await access.create_token(name="bi", token_hash="t1", shops=[], **values)  # type: ignore[arg-type]
    assert await access.find_token("t1", now=after(10)) == Identity(name="bi", role="viewer", shops=None)
    await access.find_token("t1", now=after(69))
    assert [row["last_used_at"] for row in await access.list_tokens()] == [after(10)]
    await access.find_token("t1", now=after(70))
    assert [row["last_used_at"] for row in await access.list_tokens()] == [after(70)]
    assert await access.find_token("t1", now=after(days=30)) is None
    assert await access.find_token("t2", now=NOON) is None
    assert await access.revoke_token(token, by="Ann", now=after(80))
    assert not await access.revoke_token(token, by="Ann", now=after(81))
    assert await access.find_token("t1", now=after(82)) is None
    audit = await Reads(postgres_store.database, postgres_store.sealer).list_audit(
        q="token", actor="Ann", since=None, shops=None, limit=9, offset=0
    )
    assert [row["action"] for row in audit.items] == ["revoke_token", "create_token"]
    assert "t1" not in repr(audit.items)
