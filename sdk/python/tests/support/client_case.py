"""A method of the client with the request that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Case:
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    request: Any
    reply: Any
    answer: Any

    @property
    def rpc(self) -> str:
        return type(self.request).__name__.removesuffix("Request")
