"""Muster for Python: a client that submits jobs and a worker that runs them."""

from __future__ import annotations

from muster.client import Client, SubmittedJob, job_submission
from muster.errors import FinalError, InfrastructureError, JobFailedError, JobStopped, MusterError, RetryLater
from muster.v1.payload_pb2 import Payload
from muster.v1.retry_policy_pb2 import RetryPolicy
from muster.version import VERSION
from muster.worker.job_context import JobContext
from muster.worker.session_supervisor import WorkerError
from muster.worker.worker import Worker

__version__ = VERSION

__all__ = [
    "Client",
    "FinalError",
    "InfrastructureError",
    "JobContext",
    "JobFailedError",
    "JobStopped",
    "MusterError",
    "Payload",
    "RetryLater",
    "RetryPolicy",
    "SubmittedJob",
    "Worker",
    "WorkerError",
    "__version__",
    "job_submission",
]
