"""What can be asked of queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from google.protobuf.duration_pb2 import Duration

from muster.client.call import Call, Method, Pages, Scope, new_id
from muster.client.listing import all_pages
from muster.durations import Seconds, to_duration
from muster.v1 import queue_service_pb2 as messages
from muster.v1.limit_pb2 import RateLimit
from muster.v1.queue_pb2 import Queue


def create_queue(
    scope: Scope,
    name: str,
    *,
    description: str = "",
    max_concurrency: int = 0,
    rate_limit: RateLimit | None = None,
    fairness_weights: Mapping[str, float] | None = None,
    max_backlog: int = 0,
    max_backlog_age: Seconds | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Queue]:
    """Makes a queue. There is no need to: a queue is made by the first job that waits in it.

    Args:
        name: The queue's name.
        description: What it is for, for people. At most 1,024 characters.
        max_concurrency: Jobs of it that workers may hold at once, on the whole deployment. 0: no limit. At most
            100,000.
        rate_limit: Attempts of its jobs that may be assigned in a time, see `muster.rate_limit`. None: no limit.
        fairness_weights: Shares of the fairness keys of its jobs: a key of weight 2 gets twice as many jobs started as
            one of weight 1 while both wait. From 0.01 to 100; what is not here has 1. At most 500 keys of at most 256
            characters.
        max_backlog: Ready jobs from which on submissions are refused with RESOURCE_EXHAUSTED (QUEUE_FULL); those of a
            priority below 0 from 80 % of it on, above 0 from 120 % on. 0: no bound.
        max_backlog_age: How long the oldest ready job may have waited, likewise; from 1 s to 30 days. None: no bound.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: ALREADY_EXISTS (QUEUE_EXISTS); INVALID_ARGUMENT, `violations` names each field.
    """
    queue = Queue(
        namespace=scope.namespace,
        name=name,
        description=description,
        max_concurrency=max_concurrency,
        rate_limit=rate_limit,
        fairness_weights=fairness_weights,
        max_backlog=max_backlog,
        max_backlog_age=None if max_backlog_age is None else to_duration(max_backlog_age),
    )
    request = messages.CreateQueueRequest(queue=queue, request_id=new_id(request_id))
    return Call(_method("CreateQueue", messages.CreateQueueResponse), request, _queue, timeout)


def get_queue(scope: Scope, name: str, *, timeout: float | None = None) -> Call[Queue]:
    """Reads a queue, with its open jobs by state as they were a moment ago in `counts`.

    Raises:
        MusterError: NOT_FOUND (QUEUE_NOT_FOUND).
    """
    request = messages.GetQueueRequest(namespace=scope.namespace, name=name)
    return Call(_method("GetQueue", messages.GetQueueResponse), request, _queue, timeout)


def list_queues(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Queue]:
    """Gives all queues by name; pages are fetched as the loop goes on."""
    request = messages.ListQueuesRequest(namespace=scope.namespace, page_size=page_size)
    method = _method("ListQueues", messages.ListQueuesResponse)
    return all_pages(method, request, lambda page: page.queues, timeout)


def update_queue(
    scope: Scope,
    name: str,
    *,
    description: str | None = None,
    max_concurrency: int | None = None,
    rate_limit: RateLimit | Literal["NONE"] | None = None,
    fairness_weights: Mapping[str, float] | None = None,
    max_backlog: int | None = None,
    max_backlog_age: Seconds | None = None,
    etag: str = "",
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Queue]:
    """Changes a queue and answers it; what is left out stays as it is.

    Args:
        name: The queue's name.
        description: What it is for, for people. At most 1,024 characters.
        max_concurrency: Jobs of it that workers may hold at once, on the whole deployment. 0: no
            limit. At most 100,000.
        rate_limit: Attempts of its jobs that may be assigned in a time, see `muster.rate_limit`. "NONE": no limit.
        fairness_weights: Shares of the fairness keys of its jobs, from 0.01 to 100. They replace all that it has; what
            is not here has 1.
        max_backlog: Ready jobs from which on submissions are refused, as `create_queue` says. 0: no bound.
        max_backlog_age: How long the oldest ready job may have waited, likewise. 0: no bound.
        etag: Of the queue as it was read: a change by somebody else since then is not overwritten. Empty: whatever it
            is.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; INVALID_ARGUMENT, `violations` names each field; ABORTED (ETAG_STALE) when somebody has
            changed it since `etag` was read.
    """
    queue = Queue(namespace=scope.namespace, name=name, etag=etag)
    request = messages.UpdateQueueRequest(queue=queue, request_id=new_id(request_id))
    request.update_mask.SetInParent()
    if description is not None:
        request.queue.description = description
        request.update_mask.paths.append("description")
    if max_concurrency is not None:
        request.queue.max_concurrency = max_concurrency
        request.update_mask.paths.append("max_concurrency")
    if rate_limit is not None:
        if rate_limit != "NONE":
            request.queue.rate_limit.CopyFrom(rate_limit)
        request.update_mask.paths.append("rate_limit")
    if fairness_weights is not None:
        request.queue.fairness_weights.update(fairness_weights)
        request.update_mask.paths.append("fairness_weights")
    if max_backlog is not None:
        request.queue.max_backlog = max_backlog
        request.update_mask.paths.append("max_backlog")
    if max_backlog_age is not None:
        length = to_duration(max_backlog_age)
        if length != Duration():
            request.queue.max_backlog_age.CopyFrom(length)
        request.update_mask.paths.append("max_backlog_age")
    return Call(_method("UpdateQueue", messages.UpdateQueueResponse), request, _queue, timeout)


def pause_queue(
    scope: Scope, name: str, reason: str = "", *, request_id: str = "", timeout: float | None = None
) -> Call[Queue]:
    """Assigns no more jobs of a queue until it is resumed; those that run go on. Pausing twice is no error.

    Args:
        name: The queue's name.
        reason: Why, for people. At most 256 characters.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.PauseQueueRequest(
        namespace=scope.namespace, name=name, reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("PauseQueue", messages.PauseQueueResponse), request, _queue, timeout)


def resume_queue(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[Queue]:
    """Lets a paused queue go on. Resuming twice is no error."""
    request = messages.ResumeQueueRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("ResumeQueue", messages.ResumeQueueResponse), request, _queue, timeout)


def delete_queue(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[None]:
    """Deletes a queue that has no open jobs.

    Raises:
        MusterError: NOT_FOUND; FAILED_PRECONDITION (QUEUE_NOT_EMPTY).
    """
    request = messages.DeleteQueueRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("DeleteQueue", messages.DeleteQueueResponse), request, lambda _: None, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("QueueService", name, reply)


def _queue(reply: Any) -> Queue:
    found: Queue = reply.queue
    return found
