"""The registry's operations as the functions of the Retool agent, each run for the person whom Retool names."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from pickgate import __version__
from pickgate.api.problems import Problem
from pickgate.api.tokens import act_for, hash_secret
from pickgate.clock import Clock
from pickgate.connectors.retool.arguments import describe_function
from pickgate.connectors.retool.rpc import FunctionRefused
from pickgate.connectors.retool.wire import RpcFunction, RpcLink, RpcQuery, render_registration
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import OperationRefused
from pickgate.operations.ports import Access
from pickgate.operations.registry import REGISTRY, run_operation
from pickgate.operations.roles import Actor
from pickgate.store.connection import StoreUnavailable


def list_functions() -> list[RpcFunction]:
    """Return every operation as a function, in the registry's order."""
    return [describe_function(operation.id, operation.input.model_json_schema()) for operation in REGISTRY]


def version_of(functions: Sequence[RpcFunction]) -> str:
    """Return a version that changes whenever a function or an argument does."""
    link = RpcLink(url="", token="", resource_id="", environment="", agent_id="", version="")
    said = json.loads(render_registration(link, functions, ()))["operations"]
    return f"{__version__}-{sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:10]}"


def runner(
    *, token: str, access: Access, context: Callable[[Actor], OperationContext], clock: Clock
) -> Callable[[RpcQuery, Mapping[str, Any]], Awaitable[Any]]:
    """
    Return what runs a call: with the role of our delegating token, in the name of the person whom Retool names.

    The token is looked up for every call, so that revoking it ends them at once.
    """
    hashed = hash_secret(token)

    async def run(query: RpcQuery, values: Mapping[str, Any]) -> Any:
        try:
            identity = await access.find_token(hashed, now=clock.now())
            if identity is None:
                raise FunctionRefused(
                    "UNAUTHENTICATED",
                    "The agent's own token is not valid. Make one with `pickgate token create --delegating` and set "
                    "`retool.api_token`.",
                )
            answer = await run_operation(context(act_for(identity, query.person)), query.method, values)
        except OperationRefused as refused:
            raise FunctionRefused(
                refused.code, f"{refused.problem} {refused.remedy}", details=dict(refused.detail) or None
            ) from refused
        except Problem as problem:
            raise FunctionRefused(problem.code, f"{problem.detail} {problem.remedy}") from problem
        except StoreUnavailable as error:
            raise FunctionRefused(
                "UNAVAILABLE", "The database cannot be reached. Nothing was changed; try again in a few seconds."
            ) from error
        return answer.model_dump(mode="json")

    return run
