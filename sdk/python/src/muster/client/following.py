"""Follows a server stream: when it breaks, opens it again where it stopped."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf.message import Message

from muster.errors import MusterError
from muster.transport_retry import TransportRetry

if TYPE_CHECKING:
    from muster.client.call import Method

ItemT = TypeVar("ItemT")


class Following(ABC, Generic[ItemT]):
    """The state that is kept between two streams.

    Attributes:
        method: The streaming method.
        request: The request of the next stream, which continues where the last one stopped.
        is_over: Whether nothing more will come.
    """

    def __init__(self, method: Method, request: Message, timeout: float | None) -> None:
        self.method = method
        self.request = request
        self.is_over = False
        self._end = None if timeout is None else time.monotonic() + timeout
        self._failures = 0

    @property
    def left(self) -> float | None:
        """Remaining seconds; None: there is no limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def new_items(self, reply: Any) -> Sequence[ItemT]:
        """Returns the new items of a reply."""
        self._failures = 0
        return self._take(reply)

    def wait_after(self, error: MusterError | None, retry: TransportRetry) -> float:
        """Returns the seconds until the next stream is opened.

        Args:
            error: The error of the last stream. None: it ended.
            retry: Number and delays of retries.

        Raises:
            MusterError: The same error, if it is not retryable or the time is up.
        """
        self._failures += 1
        if error is None:
            return retry.backoff(self._failures)
        wait = retry.wait_after(error, self._failures)
        if wait is None:
            raise error
        return wait

    @abstractmethod
    def _take(self, reply: Any) -> Sequence[ItemT]:
        """Reads a reply, and notes where to continue."""
