"""Calls for queues."""

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
    """Creates a queue. This is optional: the first job that is submitted to a queue creates it.

    Args:
        name: The queue's name.
        description: Purpose of the queue, shown to operators. At most 1,024 characters.
        max_concurrency: Jobs of the queue that workers may hold at once, in the whole deployment. 0: no limit. At most
            100,000.
        rate_limit: Attempts of its jobs that may be assigned per period, see `muster.rate_limit`. None: no limit.
        fairness_weights: Weights of the fairness keys. While both wait, a key of weight 2 starts twice as many jobs as
            one of weight 1. From 0.01 to 100; other keys have weight 1. At most 500 keys of at most 256 characters.
        max_backlog: Submissions are refused with RESOURCE_EXHAUSTED (QUEUE_FULL) when this many jobs are ready. Jobs
            with a priority below 0 are refused from 80 % of it, above 0 from 120 %. 0: no bound.
        max_backlog_age: The same bound for the waiting time of the oldest ready job; from 1 s to 30 days. None: no
        bound.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

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
    """Reads a queue. `counts` has its open jobs by state, as of a moment ago.

    Raises:
        MusterError: NOT_FOUND (QUEUE_NOT_FOUND).
    """
    request = messages.GetQueueRequest(namespace=scope.namespace, name=name)
    return Call(_method("GetQueue", messages.GetQueueResponse), request, _queue, timeout)


def list_queues(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Queue]:
    """Yields all queues by name. Pages are fetched as the loop proceeds."""
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
    """Changes a queue and returns it. Omitted fields stay unchanged.

    Args:
        name: The queue's name.
        description: Purpose of the queue, shown to operators. At most 1,024 characters.
        max_concurrency: Jobs of the queue that workers may hold at once, in the whole deployment. 0: no limit. At most
            100,000.
        rate_limit: Attempts of its jobs that may be assigned per period, see `muster.rate_limit`. "NONE": no limit.
        fairness_weights: Weights of the fairness keys, from 0.01 to 100. The mapping replaces all of them; other keys
            have weight 1.
        max_backlog: Number of ready jobs from which submissions are refused, see `create_queue`. 0: no bound.
        max_backlog_age: The same bound for the waiting time of the oldest ready job. 0: no bound.
        etag: Etag of the queue as read. If the queue has changed since, the call fails. Empty: no check.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; INVALID_ARGUMENT, `violations` names each field; ABORTED (ETAG_STALE) when the queue has
            changed since `etag` was read.
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
    scope: Scope,
    name: str,
    reason: str = "",
    *,
    running: bool = False,
    grace: float | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Queue]:
    """Stops assigning jobs of a queue until it is resumed. Running jobs continue. Pausing twice is no error.

    Args:
        name: The queue's name.
        reason: Reason, shown to operators. At most 256 characters.
        running: Ask the handlers of its jobs to stop: their attempts do not count, and the jobs wait in their old
            places.
        grace: Seconds that they may take; at most an hour. None: the `cancel_grace` of each definition.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.PauseQueueRequest(
        namespace=scope.namespace,
        name=name,
        reason=reason,
        request_id=new_id(request_id),
        running=running,
        grace=None if grace is None else to_duration(grace),
    )
    return Call(_method("PauseQueue", messages.PauseQueueResponse), request, _queue, timeout)


def resume_queue(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[Queue]:
    """Resumes a paused queue. Resuming twice is no error."""
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
