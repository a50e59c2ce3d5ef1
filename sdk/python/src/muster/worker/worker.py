"""The worker: registers handlers and runs them until it is told to stop."""

from __future__ import annotations

import inspect
import platform
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from muster.v1.session_service_pb2 import OpenSessionRequest
from muster.v1.worker_pb2 import Handler, Sdk
from muster.version import VERSION
from muster.worker.handler_run import HandlerFunction
from muster.worker.session_supervisor import SessionSupervisor, WorkerError

PROTOCOL_VERSION = 1
MOST_SLOTS = 10_000
_STOP_GRACE_SECONDS = 20.0
_LOOK_FOR_SIGNALS_SECONDS = 0.5

FunctionT = TypeVar("FunctionT", bound=HandlerFunction)


class Worker:
    """Runs jobs in threads, and everything that keeps its session alive in a process apart from them.

    Args:
        address: gRPC target of the control plane; may name several replicas, see `muster.channels`.
        name: The worker's name, for people. Several live workers may share it.
        slots: Handlers that may run at once, from 1 to 10,000.
        namespace: Empty: "default".
        labels: Labels for demands.
        resources: Amounts for demands, such as {"gpu": 2}.
        drain_timeout: Seconds that running handlers get to finish once the worker stops; then they are asked to stop
            and get five more.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:7070",
        *,
        name: str = "python",
        slots: int = 4,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        resources: Mapping[str, float] | None = None,
        drain_timeout: float = 30.0,
    ) -> None:
        self._address = address
        self._drain_timeout = drain_timeout
        self._functions: dict[str, HandlerFunction] = {}
        self._request = OpenSessionRequest(
            namespace=namespace,
            worker_name=name,
            protocol_version=PROTOCOL_VERSION,
            sdk=Sdk(name="muster-python", version=VERSION, language=f"python {platform.python_version()}"),
            labels=labels,
            resources=resources,
            slots=_checked_slots(slots),
        )
        self._supervisor: SessionSupervisor | None = None
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._over = threading.Event()
        self._stops = 0

    @property
    def slots(self) -> int:
        """Handlers that may run at once."""
        return self._request.slots

    @property
    def session_id(self) -> str | None:
        """UUID of the open session; None while there is none."""
        return None if self._supervisor is None else self._supervisor.session_id

    @property
    def session_pid(self) -> int | None:
        """Process id of the session process; None before the worker has been started."""
        return None if self._supervisor is None else self._supervisor.session_pid

    def handler(
        self, name: str | None = None, *, min_version: int = 0, max_version: int = 0
    ) -> Callable[[FunctionT], FunctionT]:
        """Decorates a function `(ctx, input) -> result` as a handler.

        Args:
            name: Name of the definition's handler. None: the function's own name.
            min_version: Lowest definition version that it serves. 0: any.
            max_version: Highest definition version that it serves. 0: any.
        """

        def decorate(function: FunctionT) -> FunctionT:
            handler_name = name if name is not None else getattr(function, "__name__", "")
            self.add_handler(handler_name, function, min_version=min_version, max_version=max_version)
            return function

        return decorate

    def add_handler(self, name: str, function: HandlerFunction, *, min_version: int = 0, max_version: int = 0) -> None:
        """Registers a handler; see `handler`.

        Raises:
            ValueError: There is one of this name already, or no name.
            TypeError: The function is asynchronous, which this release does not run.
            RuntimeError: The worker has been started.
        """
        if self._thread is not None:
            raise RuntimeError("handlers are registered before the worker is started")
        if not name or name in self._functions:
            raise ValueError(f"a handler named {name!r}" if name else "a handler without a name")
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"handler {name!r} is asynchronous; handlers are plain functions")
        self._functions[name] = function
        self._request.handlers.append(Handler(name=name, min_version=min_version, max_version=max_version))

    def run(self) -> None:
        """Runs until SIGINT, SIGTERM or `stop()`; a second signal ends it without waiting for handlers.

        Signals are only caught in the main thread.

        Raises:
            WorkerError: The control plane refuses the worker, or its session process does not stay alive.
        """
        with self._signals():
            self.start()
            self.wait()

    def start(self) -> None:
        """Starts in the background.

        Raises:
            RuntimeError: It has been started before.
            ValueError: It has no handler.
        """
        if self._thread is not None:
            raise RuntimeError("the worker has been started before")
        if not self._functions:
            raise ValueError("the worker has no handler")
        self._supervisor = SessionSupervisor(self._address, self._request, self._functions)
        self._thread = threading.Thread(target=self._supervise, name="muster-session", daemon=True)
        self._thread.start()

    def wait_open(self, timeout: float = 10.0) -> bool:
        """Waits until a session is open.

        Args:
            timeout: Longest wait, in seconds.

        Returns:
            Whether one is open.
        """
        return self._supervisor is not None and self._supervisor.wait_open(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the worker has stopped.

        Args:
            timeout: Longest wait, in seconds. None: for ever.

        Returns:
            Whether it has stopped.

        Raises:
            WorkerError: It could not go on.
        """
        if timeout is None:
            # A signal that another thread takes does not wake the main one, and only that one handles it: so it looks.
            while not self._over.wait(_LOOK_FOR_SIGNALS_SECONDS):
                pass
        is_over = self._over.wait(timeout)
        if self._error is not None:
            raise self._error
        return is_over

    def stop(self, *, drain: bool = True) -> None:
        """Asks the worker to stop and returns at once; `wait()` waits for it.

        Args:
            drain: Whether handlers get their time to finish; else they are asked to stop now.
        """
        if self._supervisor is None:
            return
        seconds = self._drain_timeout if drain else 0.0
        self._supervisor.drain(seconds)
        last_resort = threading.Timer(seconds + _STOP_GRACE_SECONDS, self._supervisor.kill)
        last_resort.daemon = True
        last_resort.start()

    def resize(self, slots: int) -> None:
        """Changes how many handlers may run at once, from 1 to 10,000; those that run go on."""
        _checked_slots(slots)
        if self._supervisor is None:
            self._request.slots = slots
        else:
            self._supervisor.resize(slots)

    def _supervise(self) -> None:
        assert self._supervisor is not None
        try:
            self._supervisor.run()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error
        finally:
            self._over.set()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._stops += 1
        # A thread: the handler may have interrupted one that holds the lock that stopping takes.
        threading.Thread(target=self.stop, kwargs={"drain": self._stops == 1}, daemon=True).start()


def _checked_slots(slots: int) -> int:
    if not 1 <= slots <= MOST_SLOTS:
        raise ValueError(f"slots is {slots} and must be from 1 to {MOST_SLOTS}")
    return slots


__all__ = ["Worker", "WorkerError"]
