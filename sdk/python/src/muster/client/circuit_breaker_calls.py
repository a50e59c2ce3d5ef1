"""Calls for circuit breakers."""

from __future__ import annotations

from typing import Any

from muster.client.call import Call, Method, Pages, Scope, new_id
from muster.client.listing import all_pages
from muster.v1 import circuit_breaker_service_pb2 as messages
from muster.v1.circuit_breaker_pb2 import CircuitBreakerStatus


def list_circuit_breakers(
    scope: Scope, *, page_size: int = 0, timeout: float | None = None
) -> Pages[CircuitBreakerStatus]:
    """Yields the circuit breakers that have counted a failure, by name."""
    request = messages.ListCircuitBreakersRequest(namespace=scope.namespace, page_size=page_size)
    method = _method("ListCircuitBreakers", messages.ListCircuitBreakersResponse)
    return all_pages(method, request, lambda page: page.circuit_breakers, timeout)


def close_circuit_breaker(
    scope: Scope, name: str, *, request_id: str = "", timeout: float | None = None
) -> Call[CircuitBreakerStatus]:
    """Closes a circuit breaker manually and returns it. Its jobs continue at once. Closing a closed one is no error.

    Raises:
        MusterError: NOT_FOUND, when no breaker of this name has counted a failure.
    """
    request = messages.CloseCircuitBreakerRequest(namespace=scope.namespace, name=name, request_id=new_id(request_id))
    method = _method("CloseCircuitBreaker", messages.CloseCircuitBreakerResponse)
    return Call(method, request, lambda reply: reply.circuit_breaker, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("CircuitBreakerService", name, reply)
