"""What can be asked of batches."""

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
    """Makes an open batch without members; its `job` names it in other calls.

    Args:
        labels: Of the batch; its members have their own. At most 64.
        description: What it is for, for people. At most 1,024 characters.
        max_failed: So many members may fail; one more stops the batch. None: all run, and the batch fails if one did.
        tolerate_failed: The batch succeeds however many members fail.
        callback: A job that is made when the batch ends, see `job_submission`. Its input is a JSON object, or none:
            `batch`, `state` and `counts` are added to it.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND) of the callback.
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
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (BATCH_NOT_FOUND).
    """
    request = messages.GetBatchRequest(namespace=scope.namespace, job_id=id_of(batch))
    return Call(_method("GetBatch", messages.GetBatchResponse), request, _batch, timeout)


def seal_batch(scope: Scope, batch: JobRef, *, request_id: str = "", timeout: float | None = None) -> Call[Batch]:
    """Says that there are no more members: the batch ends once all have. Sealing twice is no error.

    Args:
        batch: The batch's job.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (BATCH_NOT_FOUND).
    """
    request = messages.SealBatchRequest(namespace=scope.namespace, job_id=id_of(batch), request_id=new_id(request_id))
    return Call(_method("SealBatch", messages.SealBatchResponse), request, _batch, timeout)


def retry_batch(
    scope: Scope, batch: JobRef, *, reason: str = "", request_id: str = "", timeout: float | None = None
) -> Call[Batch]:
    """Makes a new batch of the members of an ended one that have failed, been cancelled or expired.

    Answers at once: they are made behind the call, `retry` of the batch says how far that is, and then it is sealed.
    What fails of it is retried by retrying it.

    Args:
        batch: The job of the batch to retry.
        reason: Why, for people; kept in the audit records. At most 1,024 characters.
        request_id: UUID that makes repeats of this call harmless. Empty: a new one.
        timeout: Seconds for the call, repeats included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (BATCH_NOT_FOUND); FAILED_PRECONDITION (JOB_NOT_ENDED, JOB_ERASED, NOTHING_TO_RETRY,
            BATCH_RETRIED: another one retries it already).
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
