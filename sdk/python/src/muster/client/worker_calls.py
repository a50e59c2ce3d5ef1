"""Calls for workers and the client's namespace."""

from __future__ import annotations

from typing import Any

from muster.client.call import Call, Method, Pages, Scope, new_id, whole
from muster.client.listing import all_pages
from muster.durations import Seconds, to_duration
from muster.v1 import namespace_service_pb2, worker_service_pb2
from muster.v1.namespace_pb2 import Namespace
from muster.v1.worker_pb2 import Worker


def list_workers(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Worker]:
    """Yields all workers whose session is open or closing. Pages are fetched as the loop proceeds."""
    request = worker_service_pb2.ListWorkersRequest(namespace=scope.namespace, page_size=page_size)
    method = Method("WorkerService", "ListWorkers", worker_service_pb2.ListWorkersResponse)
    return all_pages(method, request, lambda page: page.workers, timeout)


def get_worker(
    scope: Scope, session_id: str, *, timeout: float | None = None
) -> Call[worker_service_pb2.GetWorkerResponse]:
    """Reads a worker by the UUID of its session, with at most 1,000 of the attempts that it holds.

    A worker whose session is closed is found as long as its record is kept.

    Raises:
        MusterError: NOT_FOUND (SESSION_NOT_FOUND).
    """
    request = worker_service_pb2.GetWorkerRequest(namespace=scope.namespace, session_id=session_id)
    method = Method("WorkerService", "GetWorker", worker_service_pb2.GetWorkerResponse)
    return Call(method, request, whole, timeout)


def drain_worker(scope: Scope, session_id: str, *, request_id: str = "", timeout: float | None = None) -> Call[Worker]:
    """Asks a worker to finish its jobs and to stop. Once this call returns, nothing more is assigned to the worker.

    Raises:
        MusterError: NOT_FOUND; FAILED_PRECONDITION (SESSION_CLOSED) when its session ended before it was drained.
    """
    request = worker_service_pb2.DrainWorkerRequest(
        namespace=scope.namespace, session_id=session_id, request_id=new_id(request_id)
    )
    method = Method("WorkerService", "DrainWorker", worker_service_pb2.DrainWorkerResponse)
    return Call(method, request, _worker, timeout)


def get_namespace(scope: Scope, *, timeout: float | None = None) -> Call[Namespace]:
    """Reads the settings of the client's namespace."""
    request = namespace_service_pb2.GetNamespaceRequest(namespace=scope.namespace)
    method = Method("NamespaceService", "GetNamespace", namespace_service_pb2.GetNamespaceResponse)
    return Call(method, request, _namespace, timeout)


def update_namespace(
    scope: Scope, *, retention: Seconds | None, request_id: str = "", timeout: float | None = None
) -> Call[Namespace]:
    """Changes the settings of the client's namespace and returns them.

    Args:
        retention: How long ended jobs are kept, unless their definition sets it. Lowering it deletes older ended jobs
            within minutes. None: the default, 7 days.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
    """
    changed = Namespace(name=scope.namespace)
    if retention is not None:
        changed.retention.CopyFrom(to_duration(retention))
    request = namespace_service_pb2.UpdateNamespaceRequest(namespace=changed, request_id=new_id(request_id))
    request.update_mask.paths.append("retention")
    method = Method("NamespaceService", "UpdateNamespace", namespace_service_pb2.UpdateNamespaceResponse)
    return Call(method, request, _namespace, timeout)


def _worker(reply: Any) -> Worker:
    found: Worker = reply.worker
    return found


def _namespace(reply: Any) -> Namespace:
    found: Namespace = reply.namespace
    return found
