"""A process of a peer of the Python runtime: host.py ADAPTER prepare|producer|worker URL QUEUE...

It reads and writes the messages of ../../contract.ts.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

STEADY_WIDTH = 8
STEADY_BATCH = 500
TICK_SECONDS = 0.002

_output = threading.Lock()


def now() -> float:
    """Milliseconds since 1970."""
    return time.time() * 1000


def say(message: dict[str, Any]) -> None:
    """Writes a JSON object on one line, safe with other processes that share the pipe."""
    with _output:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def work(request: dict[str, Any], sent: float) -> dict[str, Any]:
    return {"kind": request["kind"], "sent": sent, "ms": request.get("ms", 0), "text": "a job of some sixty bytes"}


def submit_many(producer: Any, request: dict[str, Any]) -> dict[str, Any]:
    sizes = [min(request["batch"], request["count"] - at) for at in range(0, request["count"], request["batch"])]

    def call(size: int) -> None:
        producer.submit_many(request["queue"], [work(request, now()) for _ in range(size)])

    with ThreadPoolExecutor(request["width"]) as lanes:
        list(lanes.map(call, sizes))
    return {"submitted": request["count"]}


def submit_steadily(producer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Submits at every tick all jobs that have become due, as one call, unless too many calls are pending."""
    rate, start, submitted = request["rate"], now(), 0
    total = round(rate * request["seconds"])
    calls: set[Any] = set()
    with ThreadPoolExecutor(STEADY_WIDTH) as lanes:
        while submitted < total:
            due = min(total, int((now() - start) / 1000 * rate))
            for call in [call for call in calls if call.done()]:
                call.result()  # raises what the call has raised
                calls.remove(call)
            while submitted < due and len(calls) < STEADY_WIDTH:
                size = min(STEADY_BATCH, due - submitted)
                jobs = [work(request, start + (submitted + n) / rate * 1000) for n in range(size)]
                calls.add(lanes.submit(producer.submit_many, request["queue"], jobs))
                submitted += size
            time.sleep(TICK_SECONDS)
    return {"submitted": submitted}


def submit(producer: Any, request: dict[str, Any]) -> dict[str, Any]:
    sent = now()
    return {"job": producer.submit_many(request["queue"], [work(request, sent)])[0], "sent": sent}


def cancel(producer: Any, request: dict[str, Any]) -> dict[str, Any]:
    sent = now()
    producer.cancel(request["job"])
    return {"sent": sent}


ANSWERS = {
    "submitMany": submit_many,
    "submitSteadily": submit_steadily,
    "submit": submit,
    "cancel": cancel,
    "open": lambda producer, request: producer.open(request["queues"]),
}


def produce(producer: Any) -> None:
    say({"event": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say({"id": request["id"], "ok": ANSWERS[request["do"]](producer, request)})
        except Exception as error:
            say({"id": request["id"], "error": repr(error)})


def main() -> None:
    name, role, url, *queues = sys.argv[1:]
    adapter = importlib.import_module(f"{name}_peer")
    if role == "prepare":
        adapter.prepare(url)
    elif role == "producer":
        produce(adapter.Producer(url))
    else:
        adapter.run_worker(url, queues)


if __name__ == "__main__":
    main()
