"""Methods of both clients that page through calls fetch all pages, over real gRPC."""

from __future__ import annotations

import pytest

from muster import JobFilter, Redriven
from muster.v1 import job_service_pb2 as jobs
from muster.v1.job_pb2 import Job
from tests.support.clients import CLIENTS, Ask
from tests.support.job_service import serving


@pytest.mark.parametrize("ask", CLIENTS)
def test_pages_are_fetched_to_the_end(ask: Ask) -> None:
    pages = {
        "": ([Job(job_id="a")], "1"),
        "1": ([], "2"),  # a page may be empty while there is a next one
        "2": ([Job(job_id="b"), Job(job_id="c")], ""),
    }

    def list_jobs(request, _context):
        found, token = pages[request.page_token]
        return jobs.ListJobsResponse(jobs=found, next_page_token=token)

    def cancel_jobs(request, _context):
        found, token = pages[request.page_token]
        return jobs.CancelJobsResponse(cancelled_count=len(found), next_page_token=token)

    def pause_jobs(request, _context):
        found, token = pages[request.page_token]
        return jobs.PauseJobsResponse(paused_count=len(found), next_page_token=token)

    def resume_jobs(request, _context):
        found, token = pages[request.page_token]
        return jobs.ResumeJobsResponse(resumed_count=len(found), next_page_token=token)

    def retry_jobs(request, _context):
        found, token = pages[request.page_token]
        ids = [job.job_id for job in found]
        return jobs.RetryJobsResponse(job_ids=ids, retried_job_ids=ids, skipped_count=1, next_page_token=token)

    answers = {
        "ListJobs": list_jobs,
        "CancelJobs": cancel_jobs,
        "PauseJobs": pause_jobs,
        "ResumeJobs": resume_jobs,
        "RetryJobs": retry_jobs,
    }
    with serving(answers) as (address, _):
        assert [job.job_id for job in ask(address, "list")] == ["a", "b", "c"]
        for method in ("cancel_jobs", "pause_jobs", "resume_jobs"):
            assert ask(address, method, JobFilter()) == 3
        assert ask(address, "redrive", JobFilter()) == Redriven(("a", "b", "c"), ("a", "b", "c"), 3)
