"""The handlers of a worker, and the versions of definitions that they support."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.v1.worker_pb2 import Handler


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Range of supported versions; 0 leaves an end open."""

    lowest: int = 0
    highest: int = 0

    def has(self, version: int) -> bool:
        """Whether the range includes this version."""
        return version >= self.lowest and (self.highest == 0 or version <= self.highest)


class HandlerSet:
    """Decides whether the worker can run an assignment."""

    def __init__(self, ranges: Mapping[str, VersionRange]) -> None:
        self._ranges = dict(ranges)

    @classmethod
    def of(cls, handlers: Iterable[Handler]) -> HandlerSet:
        """Reads the handlers of an OpenSession request."""
        return cls({handler.name: VersionRange(handler.min_version, handler.max_version) for handler in handlers})

    def serves(self, name: str, version: int) -> bool:
        """Whether a handler of this name supports this version of the definition."""
        versions = self._ranges.get(name)
        return versions is not None and versions.has(version)
