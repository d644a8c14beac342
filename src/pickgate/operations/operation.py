"""What an operation is, and the one way to run it: check the role, check the input, run, count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import InputInvalid, NotAllowed, NotFound, OperationRefused
from pickgate.operations.roles import Role

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[In, Out]):
    """One thing that people can ask or do. Its `id` never changes.

    `changes`: it records something; its input then has `reason` and `dry_run`. `audit_words`: the past form in which
    the audit tells it, such as "released"; empty when it changes nothing.
    """

    id: str
    title: str
    about: str
    input: type[In]
    output: type[Out]
    roles: frozenset[Role]
    handler: Callable[[OperationContext, In], Awaitable[Out]]
    changes: bool = False
    audit_words: str = ""


class Registry:
    """Operations by id, in the order in which they are documented."""

    def __init__(self, operations: tuple[Operation[Any, Any], ...]) -> None:
        self._by_id = {operation.id: operation for operation in operations}
        if len(self._by_id) != len(operations):
            raise ValueError("two operations have the same id")

    def __iter__(self) -> Iterator[Operation[Any, Any]]:
        return iter(self._by_id.values())

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, operation_id: str) -> Operation[Any, Any]:
        """Return an operation. Raises NotFound."""
        try:
            return self._by_id[operation_id]
        except KeyError:
            raise NotFound(
                f"There is no operation {operation_id!r}.", remedy="See /openapi.json for the operations."
            ) from None


async def run(
    registry: Registry,
    context: OperationContext,
    operation_id: str,
    values: Mapping[str, Any],
) -> BaseModel:
    """Run one operation for one actor.

    Raises OperationRefused, having changed nothing. The audit row of a change is written by the store in the
    transaction that makes the change.
    """
    operation = registry.get(operation_id)
    result = "done"
    try:
        if context.actor.role not in operation.roles:
            raise NotAllowed(
                f"The role {context.actor.role.value} may not do this: {operation.title}.",
                remedy="Ask one of: " + ", ".join(sorted(role.value for role in operation.roles)) + ".",
            )
        checked = check_input(operation, values)
        if operation.changes and checked.model_dump().get("dry_run"):
            result = "previewed"
        output: BaseModel = await operation.handler(context, checked)
        return output
    except OperationRefused as refused:
        result = refused.code.lower()
        raise
    except Exception:
        result = "failed"
        raise
    finally:
        context.metrics.operations.labels(operation.id, result).inc()


def check_input(operation: Operation[In, Any], values: Mapping[str, Any]) -> In:
    """Turn loose values (query strings, form fields, JSON) into the operation's input. Raises InputInvalid."""
    try:
        return operation.input.model_validate(values)
    except ValidationError as error:
        raise InputInvalid(
            [
                {
                    "field": ".".join(str(step) for step in item["loc"]) or "input",
                    "problem": item["msg"].removeprefix("Value error, "),
                }
                for item in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from error
