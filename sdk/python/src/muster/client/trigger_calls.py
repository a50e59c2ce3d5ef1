"""Calls for triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster.client.call import Call, Method, Pages, Scope, new_id, whole
from muster.client.listing import all_pages
from muster.client.trigger import TriggerOptions, trigger_message
from muster.v1 import trigger_service_pb2 as messages
from muster.v1.trigger_pb2 import Trigger, TriggerCondition, TriggerRun

if TYPE_CHECKING:
    from typing_extensions import Unpack


def apply_trigger(
    scope: Scope,
    name: str,
    definition: str,
    condition: TriggerCondition,
    *,
    request_id: str = "",
    timeout: float | None = None,
    **options: Unpack[TriggerOptions],
) -> Call[Trigger]:
    """Creates or changes a trigger. Unchanged content changes nothing; a changed condition drops the causes so far.

    Args:
        name: The trigger's name: lowercase letters, digits and "-", at most 63 characters.
        definition: The definition of its jobs, whose input is the causes that met the condition.
        condition: When it submits a job: `muster.when_signal`, `muster.when_asset`, `muster.when_job_ends`,
            `muster.when_schedule_runs`, `muster.all_of` or `muster.any_of`.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: See `TriggerOptions`.

    Raises:
        MusterError: INVALID_ARGUMENT, `violations` names each field; NOT_FOUND (DEFINITION_NOT_FOUND,
            TRIGGER_NOT_FOUND); FAILED_PRECONDITION (DEFINITION_ARCHIVED); ABORTED (ETAG_STALE) when the trigger has
            changed since `etag` was read.
    """
    request = _apply_request(scope, name, definition, condition, options)
    request.request_id = new_id(request_id)
    return Call(_method("ApplyTrigger", messages.ApplyTriggerResponse), request, _trigger, timeout)


def check_trigger(
    scope: Scope,
    name: str,
    definition: str,
    condition: TriggerCondition,
    *,
    timeout: float | None = None,
    **options: Unpack[TriggerOptions],
) -> Call[messages.ApplyTriggerResponse]:
    """Checks a trigger without storing it. Returns what `apply_trigger` would store.

    Args:
        name: The trigger's name.
        definition: The definition of its jobs.
        condition: When it submits a job, see `apply_trigger`.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: See `TriggerOptions`.

    Raises:
        MusterError: As `apply_trigger` would.
    """
    request = _apply_request(scope, name, definition, condition, options)
    request.validate_only = True
    request.request_id = new_id("")
    return Call(_method("ApplyTrigger", messages.ApplyTriggerResponse), request, whole, timeout)


def get_trigger(scope: Scope, name: str, *, timeout: float | None = None) -> Call[Trigger]:
    """Reads a trigger.

    Raises:
        MusterError: NOT_FOUND (TRIGGER_NOT_FOUND).
    """
    request = messages.GetTriggerRequest(namespace=scope.namespace, name=name)
    return Call(_method("GetTrigger", messages.GetTriggerResponse), request, _trigger, timeout)


def list_triggers(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Trigger]:
    """Yields all triggers by name. Pages are fetched as the loop proceeds."""
    request = messages.ListTriggersRequest(namespace=scope.namespace, page_size=page_size)
    method = _method("ListTriggers", messages.ListTriggersResponse)
    return all_pages(method, request, lambda page: page.triggers, timeout)


def delete_trigger(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[None]:
    """Deletes a trigger and the records of its runs; its jobs stay.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.DeleteTriggerRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("DeleteTrigger", messages.DeleteTriggerResponse), request, lambda _: None, timeout)


def pause_trigger(
    scope: Scope, name: str, reason: str = "", *, request_id: str = "", timeout: float | None = None
) -> Call[Trigger]:
    """Ignores causes until the trigger is resumed. Earlier causes stay. Pausing twice is no error.

    Args:
        name: The trigger's name.
        reason: Reason, shown to operators. At most 256 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.PauseTriggerRequest(
        namespace=scope.namespace, name=name, reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("PauseTrigger", messages.PauseTriggerResponse), request, _trigger, timeout)


def resume_trigger(scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None) -> Call[Trigger]:
    """Resumes a paused trigger: causes count from now on. Resuming twice is no error.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.ResumeTriggerRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("ResumeTrigger", messages.ResumeTriggerResponse), request, _trigger, timeout)


def list_trigger_runs(
    scope: Scope, name: str, *, page_size: int = 0, timeout: float | None = None
) -> Pages[TriggerRun]:
    """Yields the runs of a trigger, newest first. Pages are fetched as the loop proceeds.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.ListTriggerRunsRequest(namespace=scope.namespace, name=name, page_size=page_size)
    method = _method("ListTriggerRuns", messages.ListTriggerRunsResponse)
    return all_pages(method, request, lambda page: page.runs, timeout)


def explain_trigger(
    scope: Scope, name: str, *, page_size: int = 0, page_token: str = "", timeout: float | None = None
) -> Call[messages.ExplainTriggerResponse]:
    """Says what a trigger waits for.

    Returns a page of `progress` by key, each with its causes so far and what is missing; and in `missing` what a key
    without a cause needs.

    Args:
        name: The trigger's name.
        page_size: Keys per page, at most 1,000. 0: 50.
        page_token: `next_page_token` of the previous page. Empty: the first page.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND.
    """
    request = messages.ExplainTriggerRequest(
        namespace=scope.namespace, name=name, page_size=page_size, page_token=page_token
    )
    return Call(_method("ExplainTrigger", messages.ExplainTriggerResponse), request, whole, timeout)


def _apply_request(
    scope: Scope, name: str, definition: str, condition: TriggerCondition, options: TriggerOptions
) -> messages.ApplyTriggerRequest:
    trigger = trigger_message(scope.namespace, name, definition, condition, options)
    return messages.ApplyTriggerRequest(trigger=trigger)


def _method(name: str, reply: Any) -> Method:
    return Method("TriggerService", name, reply)


def _trigger(reply: Any) -> Trigger:
    found: Trigger = reply.trigger
    return found
