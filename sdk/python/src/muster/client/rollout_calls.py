"""Calls for roll-outs of versions of definitions. `apply_definition` begins one."""

from __future__ import annotations

from typing import Any

from muster.client.call import Call, Method, Pages, Scope, new_id
from muster.client.listing import all_pages
from muster.v1 import rollout_service_pb2 as messages
from muster.v1.rollout_pb2 import Rollout, RolloutSettings


def get_rollout(scope: Scope, definition: str, *, version: int = 0, timeout: float | None = None) -> Call[Rollout]:
    """Reads the roll-out of a version. Version 0 means the newest one that has a roll-out.

    Raises:
        MusterError: NOT_FOUND (ROLLOUT_NOT_FOUND).
    """
    request = messages.GetRolloutRequest(namespace=scope.namespace, definition=definition, version=version)
    return Call(_method("GetRollout", messages.GetRolloutResponse), request, _rollout, timeout)


def list_rollouts(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Rollout]:
    """Yields all roll-outs by definition, those of newer versions first. Pages are fetched as the loop proceeds."""
    request = messages.ListRolloutsRequest(namespace=scope.namespace, page_size=page_size)
    method = _method("ListRollouts", messages.ListRolloutsResponse)
    return all_pages(method, request, lambda page: page.rollouts, timeout)


def update_rollout(
    scope: Scope,
    definition: str,
    rollout: RolloutSettings,
    *,
    version: int = 0,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Rollout]:
    """Replaces the settings of an open roll-out, and begins with the first step of the new ones.

    Args:
        definition: Name of the definition.
        rollout: The new settings, see `muster.rollout_settings`.
        version: The version. 0: the newest one that has a roll-out.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: INVALID_ARGUMENT, `violations` names each field; NOT_FOUND (ROLLOUT_NOT_FOUND);
            FAILED_PRECONDITION (ROLLOUT_ENDED).
    """
    request = messages.UpdateRolloutRequest(
        namespace=scope.namespace,
        definition=definition,
        version=version,
        settings=rollout,
        request_id=new_id(request_id),
    )
    return Call(_method("UpdateRollout", messages.UpdateRolloutResponse), request, _rollout, timeout)


def promote_rollout(
    scope: Scope, definition: str, *, version: int = 0, request_id: str = "", timeout: float | None = None
) -> Call[Rollout]:
    """Ends an open roll-out: all new jobs take the new version. Promoting twice is no error.

    Raises:
        MusterError: NOT_FOUND (ROLLOUT_NOT_FOUND); FAILED_PRECONDITION (ROLLOUT_ENDED).
    """
    request = messages.PromoteRolloutRequest(
        namespace=scope.namespace, definition=definition, version=version, request_id=new_id(request_id)
    )
    return Call(_method("PromoteRollout", messages.PromoteRolloutResponse), request, _rollout, timeout)


def roll_back_rollout(
    scope: Scope,
    definition: str,
    reason: str = "",
    *,
    version: int = 0,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Rollout]:
    """Ends an open roll-out: all new jobs take the version before it again. Rolling back twice is no error.

    Jobs of the new version stay as they are.

    Args:
        definition: Name of the definition.
        reason: Reason, shown to operators. At most 256 characters.
        version: The version. 0: the newest one that has a roll-out.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (ROLLOUT_NOT_FOUND); FAILED_PRECONDITION (ROLLOUT_ENDED).
    """
    request = messages.RollBackRolloutRequest(
        namespace=scope.namespace,
        definition=definition,
        version=version,
        reason=reason,
        request_id=new_id(request_id),
    )
    return Call(_method("RollBackRollout", messages.RollBackRolloutResponse), request, _rollout, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("RolloutService", name, reply)


def _rollout(reply: Any) -> Rollout:
    found: Rollout = reply.rollout
    return found
