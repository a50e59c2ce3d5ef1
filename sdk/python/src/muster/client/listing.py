"""Lists that have pages and no filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from muster.client.call import Call, Items, Method, Pages, whole

ItemT = TypeVar("ItemT")


def all_pages(
    method: Method, request: Any, items: Callable[[Any], Sequence[ItemT]], timeout: float | None
) -> Pages[ItemT]:
    """Goes through all pages.

    Args:
        method: Lists.
        request: Has a `page_token`.
        items: Takes the items out of a page.
        timeout: Seconds for each page, repeats included. None: the client's.
    """
    call = Call(method, request, whole, timeout)
    while True:
        page = yield call
        yield Items(items(page))
        request.page_token = page.next_page_token
        if not request.page_token:
            return
