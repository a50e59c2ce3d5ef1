"""The worker: registers handlers and runs them until it is stopped."""

from __future__ import annotations

import asyncio
import platform
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from muster.errors import MusterError
from muster.v1.worker_pb2 import Sdk
from muster.version import VERSION
from muster.worker.definitions import WorkerDefinitions
from muster.worker.handler_loop import HandlerLoop
from muster.worker.handler_registry import HandlerRegistry
from muster.worker.process_preparation import is_handler_process
from muster.worker.session_event import SessionEvent
from muster.worker.session_supervisor import SessionSupervisor, WorkerError
from muster.worker.stop_signals import loop_stop_signals, stop_signals
from muster.worker.v1.session_service_pb2 import OpenSessionRequest

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster.client.definition import DefinitionOptions
    from muster.v1.rollout_pb2 import RolloutSettings

PROTOCOL_VERSION = 1
MAX_SLOTS = 10_000
_STOP_GRACE_SECONDS = 20.0
_LOOK_FOR_SIGNALS_SECONDS = 0.5


class Worker(HandlerRegistry):
    """Runs jobs. A separate process keeps the worker's session alive.

    Synchronous handlers run in threads, asynchronous ones in an event loop, handlers with `process=True` in processes.

    Args:
        address: gRPC target of the control plane; may name several replicas, see `muster.channels`.
        name: Name shown to operators; several workers may share it.
        slots: Handlers that may run at once, from 1 to 10,000.
        namespace: Empty: "default".
        labels: Labels that jobs may require. At most 64.
        resources: Resource totals from which jobs take their demands, such as {"cpu": 8, "memory": 16 * 2**30, "gpu":
            2}: cores, bytes, devices. You may define other names. At most 16.
        drain_timeout: Seconds that running handlers have to finish once the worker stops; then they are asked to stop
            and get five more.
        on_event: Called, in a thread of the worker, on each event of its session: "opened", "ready" (it can receive
            jobs), "fenced", "recovered", "lost", "draining", "closed"; see `SessionEvent`.
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
        on_event: Callable[[SessionEvent], object] | None = None,
    ) -> None:
        super().__init__()
        self._address = address
        self._drain_timeout = drain_timeout
        self._on_event: Callable[[SessionEvent], object] = on_event or (lambda _event: None)
        self._request = OpenSessionRequest(
            namespace=namespace,
            worker_name=name,
            protocol_version=PROTOCOL_VERSION,
            sdk=Sdk(name="muster-python", version=VERSION, language=f"python {platform.python_version()}"),
            labels=labels,
            resources=resources,
            slots=_checked_slots(slots),
        )
        self._definitions = WorkerDefinitions(address, namespace)
        self._supervisor: SessionSupervisor | None = None
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._is_defined = threading.Event()
        self._over = threading.Event()
        self._stops = 0

    def define(
        self, name: str, *, rollout: RolloutSettings | None = None, **options: Unpack[DefinitionOptions]
    ) -> None:
        """Adds a definition that the worker applies when it starts, before it opens its session.

        Definitions are applied in the order of their addition: add a workflow after the definitions of its steps. The
        definition that a worker applies last is the newest version: an older program that starts later brings its
        own back.

        Args:
            name: The definition's name, in the namespace of the worker.
            rollout: How a new version takes the place of the one before it, see `Client.apply_definition`. Refused for
                a first version.
            **options: Content of the definition, as for `Client.apply_definition`; see `DefinitionOptions`.

        Raises:
            ValueError: The worker has a definition of this name already.
            TypeError: There is no such option.
            RuntimeError: The worker has been started.
        """
        if self._is_sealed:
            raise RuntimeError("definitions are added before the worker is started")
        self._definitions.add(name, rollout, options)

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

    def run(self) -> None:
        """Runs until SIGINT, SIGTERM or `stop()`. A second signal stops the worker without waiting for handlers.

        Signals are handled only in the main thread.

        Raises:
            MusterError: The control plane refuses a definition of `define`.
            WorkerError: The control plane refuses the worker, or its session process keeps failing.
        """
        with stop_signals(self._on_signal):
            self.start()
            self.wait()

    async def run_async(self) -> None:
        """Runs in the running event loop, which asynchronous handlers share, until the worker has stopped.

        Like `run`, it stops at SIGINT and SIGTERM in the main thread. Cancelling it asks the worker to stop; it ends
        when the worker has stopped.

        Raises:
            MusterError: The control plane refuses a definition of `define`.
            WorkerError: The control plane refuses the worker, or its session process keeps failing.
        """
        loop = asyncio.get_running_loop()
        self._start(HandlerLoop(loop))
        over = loop.run_in_executor(None, self._over.wait)
        with loop_stop_signals(loop, self._on_signal):
            try:
                await asyncio.shield(over)
            except asyncio.CancelledError:
                self.stop()
                await over
                raise
        self.wait()

    def start(self) -> None:
        """Starts in the background. Returns once the definitions of `define` are applied.

        While the control plane can't be reached, it waits for it; without definitions it returns at once.

        Raises:
            MusterError: The control plane refuses a definition; those before it are applied.
            RuntimeError: The worker has been started before.
            ValueError: The worker has no handler.
        """
        self._start(HandlerLoop())
        _wait_for(self._is_defined)
        if isinstance(self._error, MusterError):
            raise self._error

    def _start(self, loop: HandlerLoop) -> None:
        if self._thread is not None:
            raise RuntimeError("the worker has been started before")
        if not self._handlers:
            raise ValueError("the worker has no handler")
        if is_handler_process():
            raise RuntimeError(
                "the main module starts its worker also where it is imported for a handler that runs in a process: "
                'start it under `if __name__ == "__main__":`'
            )
        self._is_sealed = True
        self._request.handlers.extend(self._offers)
        self._supervisor = SessionSupervisor(
            self._address, self._request, self._handlers, loop=loop, listener=self._on_event
        )
        self._thread = threading.Thread(target=self._supervise, name="muster-session", daemon=True)
        self._thread.start()

    def wait_open(self, timeout: float = 10.0) -> bool:
        """Waits until a session is open.

        Args:
            timeout: Maximum wait in seconds.

        Returns:
            Whether one is open.
        """
        return self._supervisor is not None and self._supervisor.wait_open(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the worker has stopped.

        Args:
            timeout: Maximum wait in seconds. None: no limit.

        Returns:
            Whether it has stopped.

        Raises:
            MusterError: The control plane refuses a definition of `define`.
            WorkerError: The worker could not continue.
        """
        if timeout is None:
            _wait_for(self._over)
        is_over = self._over.wait(timeout)
        if self._error is not None:
            raise self._error
        return is_over

    def stop(self, *, drain: bool = True) -> None:
        """Asks the worker to stop and returns at once; `wait()` waits for it.

        Args:
            drain: Whether running handlers get time to finish; otherwise they are asked to stop now.
        """
        if self._supervisor is None:
            return
        self._definitions.stop()
        seconds = self._drain_timeout if drain else 0.0
        self._supervisor.drain(seconds)
        last_resort = threading.Timer(seconds + _STOP_GRACE_SECONDS, self._supervisor.kill)
        last_resort.daemon = True
        last_resort.start()

    def resize(self, slots: int) -> None:
        """Changes the number of handlers that may run at once, from 1 to 10,000. Running handlers continue."""
        _checked_slots(slots)
        if self._supervisor is None:
            self._request.slots = slots
        else:
            self._supervisor.resize(slots)

    def _supervise(self) -> None:
        assert self._supervisor is not None
        try:
            self._definitions.apply()
            self._is_defined.set()
            self._supervisor.run()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error
        finally:
            self._is_defined.set()
            self._over.set()

    def _on_signal(self) -> None:
        self._stops += 1
        self.stop(drain=self._stops == 1)


def _wait_for(event: threading.Event) -> None:
    """Polls: a signal that another thread receives does not wake the main one, which alone handles signals."""
    while not event.wait(_LOOK_FOR_SIGNALS_SECONDS):
        pass


def _checked_slots(slots: int) -> int:
    if not 1 <= slots <= MAX_SLOTS:
        raise ValueError(f"slots is {slots} and must be from 1 to {MAX_SLOTS}")
    return slots


__all__ = ["Worker", "WorkerError"]
