"""Which handlers a worker has, and for which versions of a definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.v1.worker_pb2 import Handler


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions of a definition that a handler serves; 0 leaves an end open."""

    lowest: int = 0
    highest: int = 0

    def has(self, version: int) -> bool:
        """Whether the handler serves this version."""
        return version >= self.lowest and (self.highest == 0 or version <= self.highest)


class HandlerSet:
    """Answers whether an assignment can be run here."""

    def __init__(self, ranges: Mapping[str, VersionRange]) -> None:
        self._ranges = dict(ranges)

    @classmethod
    def of(cls, handlers: Iterable[Handler]) -> HandlerSet:
        """Reads the handlers of an OpenSession request."""
        return cls({handler.name: VersionRange(handler.min_version, handler.max_version) for handler in handlers})

    def serves(self, name: str, version: int) -> bool:
        """Whether there is a handler of this name that serves this version of the definition."""
        versions = self._ranges.get(name)
        return versions is not None and versions.has(version)
