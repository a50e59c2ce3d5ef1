"""Submits jobs and follows them, with blocking or awaitable calls."""

from __future__ import annotations

from muster.client.async_client import AsyncClient
from muster.client.definition import DefinitionOptions
from muster.client.job_filter import JobFilter
from muster.client.job_ref import JobRef, SubmittedJob, is_terminal, state_name, wait_reason_name
from muster.client.job_steps import Redriven
from muster.client.limits import key_limit, rate_limit
from muster.client.retry_policies import retry_policy, retry_rule
from muster.client.rollout import rollout_settings, rollout_step
from muster.client.schedule import ScheduleOptions, TimesOptions
from muster.client.signal_calls import SentSignal
from muster.client.soft_deadlines import soft_deadline
from muster.client.submission import JobOptions, job_submission
from muster.client.sync_client import Client
from muster.client.trigger import (
    TriggerOptions,
    all_of,
    any_of,
    when_asset,
    when_job_ends,
    when_schedule_runs,
    when_signal,
)
from muster.client.watching import EventPage
from muster.transport_retry import TransportRetry

__all__ = [
    "AsyncClient",
    "Client",
    "DefinitionOptions",
    "EventPage",
    "JobFilter",
    "JobOptions",
    "JobRef",
    "Redriven",
    "ScheduleOptions",
    "SentSignal",
    "SubmittedJob",
    "TimesOptions",
    "TransportRetry",
    "TriggerOptions",
    "all_of",
    "any_of",
    "is_terminal",
    "job_submission",
    "key_limit",
    "rate_limit",
    "retry_policy",
    "retry_rule",
    "rollout_settings",
    "rollout_step",
    "soft_deadline",
    "state_name",
    "wait_reason_name",
    "when_asset",
    "when_job_ends",
    "when_schedule_runs",
    "when_signal",
]
