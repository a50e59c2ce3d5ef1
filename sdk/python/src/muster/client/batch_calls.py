"""Calls for batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from muster.client.call import Call, Method, Scope, new_id
from muster.client.job_ref import JobRef, id_of
from muster.v1 import batch_service_pb2 as messages
from muster.v1.batch_pb2 import Batch
from muster.v1.job_pb2 import JobSubmission


def create_batch(
    scope: Scope,
    *,
    labels: Mapping[str, str] | None = None,
    description: str = "",
    max_failed: int | None = None,
    tolerate_failed: bool = False,
    callback: JobSubmission | None = None,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Batch]:
    """Makes an open batch without members. Its `job` identifies it in other calls.

    Args:
        labels: Labels of the batch; its members have their own. At most 64.
        description: Shown to operators. At most 1,024 characters.
        max_failed: Failed members that the batch tolerates; one more stops it. None: all members run, and any failure
            fails the batch.
        tolerate_failed: The batch succeeds no matter how many members fail.
        callback: A job that is submitted when the batch ends, see `job_submission`. Its input is a JSON object, or
            none; Muster adds `batch`, `state` and `counts` to it.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) for the callback's definition.
    """
    batch = Batch(
        labels=labels or {},
        description=description,
        max_failed=max_failed,
        tolerate_failed=tolerate_failed,
        callback=callback,
    )
    request = messages.CreateBatchRequest(namespace=scope.namespace, batch=batch, request_id=new_id(request_id))
    return Call(_method("CreateBatch", messages.CreateBatchResponse), request, _batch, timeout)


def get_batch(scope: Scope, batch: JobRef, *, timeout: float | None = None) -> Call[Batch]:
    """Reads a batch with its counts.

    Args:
        batch: The batch's job.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (BATCH_NOT_FOUND).
    """
    request = messages.GetBatchRequest(namespace=scope.namespace, job_id=id_of(batch))
    return Call(_method("GetBatch", messages.GetBatchResponse), request, _batch, timeout)


def seal_batch(scope: Scope, batch: JobRef, *, request_id: str = "", timeout: float | None = None) -> Call[Batch]:
    """Seals a batch: it takes no more members, and ends once all of them have. Sealing twice is no error.

    Args:
        batch: The batch's job.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (BATCH_NOT_FOUND).
    """
    request = messages.SealBatchRequest(namespace=scope.namespace, job_id=id_of(batch), request_id=new_id(request_id))
    return Call(_method("SealBatch", messages.SealBatchResponse), request, _batch, timeout)


def retry_batch(
    scope: Scope, batch: JobRef, *, reason: str = "", request_id: str = "", timeout: float | None = None
) -> Call[Batch]:
    """Makes a new batch of the failed, cancelled and expired members of an ended one.

    Returns at once: the members are made in the background, `retry` of the new batch shows the progress, and at the end
    that batch is sealed. To retry its own failures, retry the new batch.

    Args:
        batch: The job of the batch to retry.
        reason: Reason, shown to operators and kept in the audit records. At most 1,024 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (BATCH_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY, or
            BATCH_RETRIED when another batch retries it already).
    """
    request = messages.RetryBatchRequest(
        namespace=scope.namespace, job_id=id_of(batch), reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("RetryBatch", messages.RetryBatchResponse), request, _batch, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("BatchService", name, reply)


def _batch(reply: Any) -> Batch:
    found: Batch = reply.batch
    return found
