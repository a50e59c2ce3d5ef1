"""All services that clients call, in memory, for the clients' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from muster.v1 import (
    asset_service_pb2_grpc,
    audit_service_pb2_grpc,
    batch_service_pb2_grpc,
    circuit_breaker_service_pb2_grpc,
    event_service_pb2_grpc,
    job_definition_service_pb2_grpc,
    job_service_pb2_grpc,
    namespace_service_pb2_grpc,
    queue_service_pb2_grpc,
    rollout_service_pb2_grpc,
    schedule_service_pb2_grpc,
    signal_service_pb2_grpc,
    trigger_service_pb2_grpc,
    worker_service_pb2_grpc,
    workflow_service_pb2_grpc,
)

Serve = Callable[[Any, grpc.ServicerContext], Any]


class Services(
    asset_service_pb2_grpc.AssetServiceServicer,
    circuit_breaker_service_pb2_grpc.CircuitBreakerServiceServicer,
    audit_service_pb2_grpc.AuditServiceServicer,
    batch_service_pb2_grpc.BatchServiceServicer,
    job_service_pb2_grpc.JobServiceServicer,
    event_service_pb2_grpc.EventServiceServicer,
    job_definition_service_pb2_grpc.JobDefinitionServiceServicer,
    queue_service_pb2_grpc.QueueServiceServicer,
    rollout_service_pb2_grpc.RolloutServiceServicer,
    schedule_service_pb2_grpc.ScheduleServiceServicer,
    signal_service_pb2_grpc.SignalServiceServicer,
    trigger_service_pb2_grpc.TriggerServiceServicer,
    worker_service_pb2_grpc.WorkerServiceServicer,
    workflow_service_pb2_grpc.WorkflowServiceServicer,
    namespace_service_pb2_grpc.NamespaceServiceServicer,
):
    """Answers with the functions that a test puts into `answers`, and records the requests."""

    def __init__(self, answers: dict[str, Serve]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, Any]] = []

    def __getattribute__(self, name: str) -> Any:
        if not name[:1].isupper():
            return super().__getattribute__(name)

        def serve(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append((name, request))
            return self.answers[name](request, context)

        return serve


@contextmanager
def serving(answers: dict[str, Serve]) -> Iterator[tuple[str, Services]]:
    """Yields the address and the services."""
    services = Services(answers)
    server = grpc.server(ThreadPoolExecutor(4))
    job_service_pb2_grpc.add_JobServiceServicer_to_server(services, server)
    asset_service_pb2_grpc.add_AssetServiceServicer_to_server(services, server)
    circuit_breaker_service_pb2_grpc.add_CircuitBreakerServiceServicer_to_server(services, server)
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(services, server)
    batch_service_pb2_grpc.add_BatchServiceServicer_to_server(services, server)
    event_service_pb2_grpc.add_EventServiceServicer_to_server(services, server)
    job_definition_service_pb2_grpc.add_JobDefinitionServiceServicer_to_server(services, server)
    queue_service_pb2_grpc.add_QueueServiceServicer_to_server(services, server)
    rollout_service_pb2_grpc.add_RolloutServiceServicer_to_server(services, server)
    schedule_service_pb2_grpc.add_ScheduleServiceServicer_to_server(services, server)
    signal_service_pb2_grpc.add_SignalServiceServicer_to_server(services, server)
    trigger_service_pb2_grpc.add_TriggerServiceServicer_to_server(services, server)
    worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(services, server)
    workflow_service_pb2_grpc.add_WorkflowServiceServicer_to_server(services, server)
    namespace_service_pb2_grpc.add_NamespaceServiceServicer_to_server(services, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", services
    finally:
        server.stop(None).wait(10)
