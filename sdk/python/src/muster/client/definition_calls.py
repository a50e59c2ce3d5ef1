"""Calls for definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster.client.call import Call, Method, Pages, Scope, new_id, whole
from muster.client.definition import DefinitionOptions, definition_message
from muster.client.listing import all_pages
from muster.v1 import job_definition_service_pb2 as messages
from muster.v1.job_definition_pb2 import JobDefinition
from muster.v1.rollout_pb2 import RolloutSettings

if TYPE_CHECKING:
    from typing_extensions import Unpack


def apply_definition(
    scope: Scope,
    name: str,
    *,
    rollout: RolloutSettings | None = None,
    request_id: str = "",
    timeout: float | None = None,
    **options: Unpack[DefinitionOptions],
) -> Call[JobDefinition]:
    """Stores a definition as a new version. Unchanged content returns the existing version.

    Args:
        name: The definition's name.
        rollout: How a new version takes the place of the one before it, see `muster.rollout_settings`; ignored if there
            is no new version. None: all new jobs take it.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: Content of the definition, see `DefinitionOptions`.

    Raises:
        MusterError: INVALID_ARGUMENT, also for the roll-out of a first version; `violations` names each field.
    """
    request = _apply_request(scope, name, request_id, options, rollout)
    return Call(_method("ApplyJobDefinition", messages.ApplyJobDefinitionResponse), request, _definition, timeout)


def check_definition(
    scope: Scope,
    name: str,
    *,
    rollout: RolloutSettings | None = None,
    timeout: float | None = None,
    **options: Unpack[DefinitionOptions],
) -> Call[messages.ApplyJobDefinitionResponse]:
    """Checks a definition without storing it.

    The answer says whether `apply_definition` would make a new version (`created`), what differs from the newest
    version (`differences`, values as JSON), and what may break for jobs in flight and connected workers (`issues`).

    Args:
        name: The definition's name.
        rollout: The roll-out of a new version, as in `apply_definition`.
        timeout: Seconds for the call, retries included. None: the client's.
        **options: Content of the definition, see `DefinitionOptions`.

    Raises:
        MusterError: INVALID_ARGUMENT, as `apply_definition` would.
    """
    request = _apply_request(scope, name, "", options, rollout)
    request.validate_only = True
    return Call(_method("ApplyJobDefinition", messages.ApplyJobDefinitionResponse), request, whole, timeout)


def get_definition(scope: Scope, name: str, version: int = 0, *, timeout: float | None = None) -> Call[JobDefinition]:
    """Reads a definition. Version 0 means the newest."""
    request = messages.GetJobDefinitionRequest(namespace=scope.namespace, name=name, version=version)
    return Call(_method("GetJobDefinition", messages.GetJobDefinitionResponse), request, _definition, timeout)


def list_definitions(
    scope: Scope, *, show_archived: bool = False, page_size: int = 0, timeout: float | None = None
) -> Pages[JobDefinition]:
    """Yields all definitions by name, each in its newest version. Pages are fetched as the loop proceeds.

    Args:
        show_archived: Include archived definitions.
        page_size: Definitions fetched per call, at most 1,000. 0: 50.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = messages.ListJobDefinitionsRequest(
        namespace=scope.namespace, show_archived=show_archived, page_size=page_size
    )
    method = _method("ListJobDefinitions", messages.ListJobDefinitionsResponse)
    return all_pages(method, request, lambda page: page.definitions, timeout)


def archive_definition(
    scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None
) -> Call[JobDefinition]:
    """Archives a definition: new jobs are refused, existing ones continue. Applying it again restores it."""
    request = messages.ArchiveJobDefinitionRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    return Call(_method("ArchiveJobDefinition", messages.ArchiveJobDefinitionResponse), request, _definition, timeout)


def _apply_request(
    scope: Scope, name: str, request_id: str, options: DefinitionOptions, rollout: RolloutSettings | None
) -> messages.ApplyJobDefinitionRequest:
    return messages.ApplyJobDefinitionRequest(
        definition=definition_message(name, scope.namespace, options),
        request_id=new_id(request_id),
        rollout=rollout,
    )


def _method(name: str, reply: Any) -> Method:
    return Method("JobDefinitionService", name, reply)


def _definition(reply: Any) -> JobDefinition:
    found: JobDefinition = reply.definition
    return found
