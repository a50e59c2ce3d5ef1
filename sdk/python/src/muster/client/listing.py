"""Lists with pages and without a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from muster.client.call import Call, Items, Method, Pages, whole

ItemT = TypeVar("ItemT")


def all_pages(
    method: Method, request: Any, items: Callable[[Any], Sequence[ItemT]], timeout: float | None
) -> Pages[ItemT]:
    """Yields the items of all pages.

    Args:
        method: The list method.
        request: A request with a `page_token`.
        items: Returns the items of a page.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    call = Call(method, request, whole, timeout)
    while True:
        page = yield call
        yield Items(items(page))
        request.page_token = page.next_page_token
        if not request.page_token:
            return
