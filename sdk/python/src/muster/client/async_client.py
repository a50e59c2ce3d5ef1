"""The asynchronous client."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

import grpc.aio

from muster.channels import channel_options, names_several
from muster.client import (
    batch_calls,
    circuit_breaker_calls,
    definition_calls,
    dependency_calls,
    job_calls,
    job_steps,
    queue_calls,
    rollout_calls,
    schedule_calls,
    signal_calls,
    trigger_calls,
    watching,
    worker_calls,
    workflow_calls,
)
from muster.client.call import Call, Items, Method, Pages, Scope, Steps, described_by
from muster.client.following import Following
from muster.client.job_ref import JobRef
from muster.client.sync_client import CALL_SECONDS, bytes_of
from muster.errors import MusterError, error_from
from muster.tracing.submit_span import submit_span
from muster.transport_retry import TransportRetry, Tries

_RETRY = TransportRetry()

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")


def _call(
    build: Callable[Concatenate[Scope, P], Call[ResultT]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, ResultT]]:
    """Makes a method from a function that builds one call."""

    @described_by(build)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> ResultT:
        return await self._perform(build(self._scope, *args, **kwargs))

    return method


def _steps(
    build: Callable[Concatenate[Scope, P], Steps[ResultT]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, ResultT]]:
    """Makes a method from a function that makes several calls."""

    @described_by(build)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> ResultT:
        steps = build(self._scope, *args, **kwargs)
        step = next(steps)
        while True:
            do_next = await self._advance(steps, step)
            try:
                step = do_next()
            except StopIteration as end:
                result: ResultT = end.value
                return result

    return method


def _pages(
    build: Callable[Concatenate[Scope, P], Pages[ItemT]],
) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[ItemT]]:
    """Makes an iterator method from a function that goes through pages."""

    @described_by(build)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[ItemT]:
        pages = build(self._scope, *args, **kwargs)
        step = next(pages, None)
        while step is not None:
            if isinstance(step, Items):
                for item in step.items:
                    yield item
                step = next(pages, None)
            elif isinstance(step, Following):
                async with contextlib.aclosing(self._follow(step)) as items:
                    async for item in items:
                        yield item
                step = next(pages, None)
            else:
                step = (await self._advance(pages, step))()

    return method


class AsyncClient:
    """A connection to Muster for asyncio programs. Belongs to the event loop that first uses it.

    It has the methods of `Client`: await each call, and use `async for` for each iterator. Cancelling a task ends the
    call that it awaits.

    Args:
        namespace: Empty: "default".
        timeout: Maximum duration of a call in seconds, retries included.
        retry: How calls are retried while the control plane is unreachable.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:7070",
        *,
        namespace: str = "",
        timeout: float = CALL_SECONDS,
        retry: TransportRetry = _RETRY,
    ) -> None:
        self._scope = Scope(namespace)
        self._address = address
        self._timeout = timeout
        self._retry = retry
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[str, Callable[..., Any]] = {}

    apply_definition = _call(definition_calls.apply_definition)
    check_definition = _call(definition_calls.check_definition)
    get_definition = _call(definition_calls.get_definition)
    list_definitions = _pages(definition_calls.list_definitions)
    archive_definition = _call(definition_calls.archive_definition)
    get_rollout = _call(rollout_calls.get_rollout)
    list_rollouts = _pages(rollout_calls.list_rollouts)
    update_rollout = _call(rollout_calls.update_rollout)
    promote_rollout = _call(rollout_calls.promote_rollout)
    roll_back_rollout = _call(rollout_calls.roll_back_rollout)
    list_circuit_breakers = _pages(circuit_breaker_calls.list_circuit_breakers)
    close_circuit_breaker = _call(circuit_breaker_calls.close_circuit_breaker)

    submit = _call(job_calls.submit)
    submit_many = _call(job_calls.submit_many)
    get = _call(job_calls.get)
    cancel = _call(job_calls.cancel)
    pause = _call(job_calls.pause)
    resume = _call(job_calls.resume)
    fail = _call(job_calls.fail)
    update = _call(job_calls.update)
    retry = _call(job_calls.retry)
    erase = _call(job_calls.erase)
    explain = _call(job_calls.explain)
    wait = _steps(job_steps.wait)
    list = _pages(job_steps.list_jobs)
    logs = _pages(job_steps.logs)
    watch = _pages(watching.watch)
    watch_events = _pages(watching.watch_events)
    cancel_jobs = _steps(job_steps.cancel_jobs)
    pause_jobs = _steps(job_steps.pause_jobs)
    resume_jobs = _steps(job_steps.resume_jobs)
    redrive = _steps(job_steps.redrive)

    create_queue = _call(queue_calls.create_queue)
    get_queue = _call(queue_calls.get_queue)
    list_queues = _pages(queue_calls.list_queues)
    update_queue = _call(queue_calls.update_queue)
    pause_queue = _call(queue_calls.pause_queue)
    resume_queue = _call(queue_calls.resume_queue)
    delete_queue = _call(queue_calls.delete_queue)

    apply_schedule = _call(schedule_calls.apply_schedule)
    check_schedule = _call(schedule_calls.check_schedule)
    get_schedule = _call(schedule_calls.get_schedule)
    list_schedules = _pages(schedule_calls.list_schedules)
    delete_schedule = _call(schedule_calls.delete_schedule)
    pause_schedule = _call(schedule_calls.pause_schedule)
    resume_schedule = _call(schedule_calls.resume_schedule)
    trigger_schedule = _call(schedule_calls.trigger_schedule)
    backfill_schedule = _call(schedule_calls.backfill_schedule)
    preview_schedule = _call(schedule_calls.preview_schedule)
    list_schedule_runs = _pages(schedule_calls.list_schedule_runs)

    apply_trigger = _call(trigger_calls.apply_trigger)
    check_trigger = _call(trigger_calls.check_trigger)
    get_trigger = _call(trigger_calls.get_trigger)
    list_triggers = _pages(trigger_calls.list_triggers)
    delete_trigger = _call(trigger_calls.delete_trigger)
    pause_trigger = _call(trigger_calls.pause_trigger)
    resume_trigger = _call(trigger_calls.resume_trigger)
    list_trigger_runs = _pages(trigger_calls.list_trigger_runs)
    explain_trigger = _call(trigger_calls.explain_trigger)

    add_dependencies = _call(dependency_calls.add_dependencies)
    list_assets = _pages(dependency_calls.list_assets)

    create_batch = _call(batch_calls.create_batch)
    get_batch = _call(batch_calls.get_batch)
    seal_batch = _call(batch_calls.seal_batch)
    retry_batch = _call(batch_calls.retry_batch)
    skip_step = _call(workflow_calls.skip_step)
    list_audit_records = _pages(workflow_calls.list_audit_records)

    send_signal = _call(signal_calls.send_signal)
    approve = _call(signal_calls.approve)
    reject = _call(signal_calls.reject)

    get_workflow = _call(workflow_calls.get_workflow)
    list_workflow_steps = _pages(workflow_calls.list_workflow_steps)

    list_workers = _pages(worker_calls.list_workers)
    get_worker = _call(worker_calls.get_worker)
    drain_worker = _call(worker_calls.drain_worker)
    get_namespace = _call(worker_calls.get_namespace)
    update_namespace = _call(worker_calls.update_namespace)

    @overload
    async def result(self, job: JobRef, timeout: float | None = None) -> Any: ...
    @overload
    async def result(self, job: JobRef, timeout: float | None = None, *, as_type: type[ResultT]) -> ResultT: ...
    async def result(self, job: JobRef, timeout: float | None = None, *, as_type: Any = Any) -> Any:
        """Waits for the job's end and returns the result of its handler.

        Args:
            job: The job.
            timeout: Maximum wait in seconds. None: no limit.
            as_type: Type of the result: a dataclass, a pydantic model, a msgspec struct, a protobuf message, or another
                type that `muster.payloads.payload_reader` supports.

        Raises:
            JobFailedError: The job ended without a result.
            MusterError: DEADLINE_EXCEEDED (WAIT_TIMEOUT), when the time expires first.
            PayloadError: The result does not have this type.
        """
        return job_steps.read_result(await self.wait(job, timeout), as_type)

    async def close(self) -> None:
        """Closes the connection. Calls in progress fail."""
        if self._channel is not None:
            await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _perform(self, call: Call[ResultT]) -> ResultT:
        """Makes a call, and retries it as long as the error is retryable."""
        timeout = self._timeout if call.timeout is None else call.timeout
        is_shared = not call.is_patient and names_several(self._address)
        tries = Tries(self._retry, timeout, is_patient=call.is_patient, is_shared=is_shared)
        send = self._unary(call.method)
        with submit_span(self._address, self._scope.namespace, call.submits) as span:
            while True:
                try:
                    reply = await send(call.request, timeout=tries.begin(), metadata=span.metadata)
                except grpc.RpcError as raw:
                    wait = tries.wait_after(error_from(raw))
                else:
                    span.submitted(reply)
                    return call.read(reply)
                await asyncio.sleep(wait)

    async def _follow(self, following: Following[ItemT]) -> AsyncGenerator[ItemT, None]:
        """Yields the items of successive streams, until the last one is over."""
        while not following.is_over:
            failure: MusterError | None = None
            stream = self._stream(following.method)(following.request, timeout=following.left)
            try:
                async for reply in stream:
                    for item in following.new_items(reply):
                        yield item
            except grpc.RpcError as raw:
                failure = error_from(raw)
            finally:
                stream.cancel()
            if not following.is_over:
                await asyncio.sleep(following.wait_after(failure, self._retry))

    async def _advance(self, steps: Any, step: Call[Any]) -> Callable[[], Any]:
        """Performs one step and returns a function that gives the next; errors are raised in the generator."""
        try:
            reply = await self._perform(step)
        except MusterError as error:
            return functools.partial(steps.throw, error)
        return functools.partial(steps.send, reply)

    def _connected(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._address, options=channel_options(self._address))
        return self._channel

    def _unary(self, method: Method) -> Callable[..., Any]:
        if method.path not in self._methods:
            self._methods[method.path] = self._connected().unary_unary(
                method.path, request_serializer=bytes_of, response_deserializer=method.reply.FromString
            )
        return self._methods[method.path]

    def _stream(self, method: Method) -> Callable[..., Any]:
        made: Callable[..., Any] = self._connected().unary_stream(
            method.path, request_serializer=bytes_of, response_deserializer=method.reply.FromString
        )
        return made
