"""Code that runs in a handler knows its job until the handler returns."""

from __future__ import annotations

import asyncio
import threading

from muster.handled_job import handled_job_id, handling


def test_is_known_within_and_nobody_outside() -> None:
    assert handled_job_id() == ""
    with handling("a"):
        assert handled_job_id() == "a"
        with handling("b"):
            assert handled_job_id() == "b"
        assert handled_job_id() == "a"
    assert handled_job_id() == ""


def test_is_another_in_each_thread() -> None:
    seen: list[str] = []
    with handling("a"):
        thread = threading.Thread(target=lambda: seen.append(handled_job_id()))
        thread.start()
        thread.join()
    assert seen == [""]


def test_is_another_in_each_task_and_known_in_tasks_and_threads_of_asyncio() -> None:
    async def handler(job_id: str) -> list[str]:
        with handling(job_id):
            await asyncio.sleep(0)
            task = asyncio.create_task(asyncio.sleep(0, handled_job_id()))
            return [handled_job_id(), await task, await asyncio.to_thread(handled_job_id)]

    async def both() -> list[list[str]]:
        return await asyncio.gather(handler("a"), handler("b"))

    assert asyncio.run(both()) == [["a"] * 3, ["b"] * 3]


def test_is_nobody_in_what_goes_on_behind_the_handler() -> None:
    async def run() -> str:
        returned = asyncio.Event()

        async def left() -> str:
            await returned.wait()
            return handled_job_id()

        with handling("a"):
            task = asyncio.create_task(left())
            await asyncio.sleep(0)
        returned.set()
        return await task

    assert asyncio.run(run()) == ""
