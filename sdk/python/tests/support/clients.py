"""Both clients behind one interface, so that each test runs with both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from muster import AsyncClient, Client

Ask: TypeAlias = Callable[..., Any]


def ask_blocking(address: str, method: str, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    """Calls a method of a `Client`; an iterator becomes a list."""
    with Client(address, **(options or {})) as client:
        answer = getattr(client, method)(*args, **kwargs)
        return list(answer) if inspect.isgenerator(answer) else answer


def ask_awaiting(address: str, method: str, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    """Calls a method of an `AsyncClient`; an iterator becomes a list."""

    async def ask() -> Any:
        async with AsyncClient(address, **(options or {})) as client:
            answer = getattr(client, method)(*args, **kwargs)
            return [item async for item in answer] if inspect.isasyncgen(answer) else await answer

    return asyncio.run(ask())


CLIENTS = [ask_blocking, ask_awaiting]
