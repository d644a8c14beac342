"""`token` and `user`: who may come in."""

from __future__ import annotations

import getpass
import secrets
import sys
from datetime import timedelta

import click

from pickgate.api.tokens import hash_secret, make_token
from pickgate.bootstrap import Installation
from pickgate.cli.runtime import AnswerIsNo, Refusal, ago, json_option, print_json, print_table, with_installation
from pickgate.operations.passwords import PasswordRefused, hash_password
from pickgate.store.access import NameTaken

ROLES = click.Choice(["viewer", "ops", "cx", "finance", "ecommerce", "admin"])


def _me() -> str:
    return f"cli:{getpass.getuser()}"


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=ROLES, default="viewer", show_default=True)
@click.option("--shop", "shops", multiple=True, help="Only these shops; default: all.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="Valid for so many days.")
@click.option("--delegating", is_flag=True, help="Believe X-Pickgate-Actor: for a program that people use, as Retool.")
@json_option
@with_installation
async def create_token(
    installation: Installation,
    name: str,
    role: str,
    shops: tuple[str, ...],
    days: int,
    *,
    delegating: bool,
    as_json: bool,
) -> None:
    """Make a token. It is shown once, and only its hash is kept."""
    text = make_token(secrets.token_bytes)
    now = installation.clock.now()
    expires = now + timedelta(days=days)
    number = await installation.access.create_token(
        name=name,
        token_hash=hash_secret(text),
        role=role,
        shops=list(shops),
        delegating=delegating,
        expires_at=expires,
        by=_me(),
        now=now,
    )
    if as_json:
        print_json(
            {"id": number, "token": text, "role": role, "delegating": delegating, "expires_at": expires.isoformat()}
        )
    else:
        click.echo(text)
        click.echo(
            f"Token {number} ({name}, {role}) is valid until {expires:%Y-%m-%d}. It is not shown again.", err=True
        )


@token.command("list")
@json_option
@with_installation
async def list_tokens(installation: Installation, *, as_json: bool) -> None:
    """List the tokens, without their text."""
    rows = await installation.access.list_tokens()
    if as_json:
        print_json(rows)
        return
    print_table(
        ["id", "name", "role", "shops", "delegating", "last used", "expires", "revoked"],
        [
            [
                row["id"], row["name"], row["role"], ", ".join(row["shops"]) or "all",
                "yes" if row["delegating"] else "", ago(row["last_used_at"]),
                ago(row["expires_at"]), ago(row["revoked_at"]),
            ]
            for row in rows
        ],
        empty="There are no tokens. Make one with `pickgate token create NAME --role viewer`.",
    )  # fmt: skip


@token.command("revoke")
@click.argument("number", type=int)
@with_installation
async def revoke_token(installation: Installation, number: int) -> None:
    """Let a token in no more, at once."""
    if not await installation.access.revoke_token(number, by=_me(), now=installation.clock.now()):
        raise AnswerIsNo(f"there is no token {number}, or it is revoked already; see `pickgate token list`")
    click.echo(f"Token {number} is revoked.")


@click.group()
def user() -> None:
    """People who may log in to the console."""


@user.command("create")
@click.argument("name")
@click.option("--role", type=ROLES, default="ops", show_default=True)
@click.option("--shop", "shops", multiple=True, help="Only these shops; default: all.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_installation
async def create_user(
    installation: Installation, name: str, role: str, shops: tuple[str, ...], *, password_stdin: bool
) -> None:
    """Make a user. The password is asked for, never given on the command line."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("Password: ")
    try:
        hashed = hash_password(password, login=name)
    except PasswordRefused as error:
        raise Refusal(str(error)) from error
    try:
        await installation.access.create_user(
            name=name, password_hash=hashed, role=role, shops=list(shops), by=_me(), now=installation.clock.now()
        )
    except NameTaken as error:
        raise AnswerIsNo(str(error)) from error
    click.echo(f"{name} may log in as {role}.")


@user.command("list")
@json_option
@with_installation
async def list_users(installation: Installation, *, as_json: bool) -> None:
    """List the users."""
    rows = await installation.access.list_users()
    if as_json:
        print_json(rows)
        return
    print_table(
        ["name", "role", "shops", "created", "disabled"],
        [
            [
                row["name"],
                row["role"],
                ", ".join(row["shops"]) or "all",
                ago(row["created_at"]),
                ago(row["disabled_at"]),
            ]
            for row in rows
        ],
        empty="There are no users. Make one with `pickgate user create NAME --role admin`.",
    )
