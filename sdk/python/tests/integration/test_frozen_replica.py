"""A client of several replicas, one of which takes calls and answers none."""

from __future__ import annotations

import asyncio

from muster import AsyncClient, Client
from muster.v1.job_pb2 import Job
from muster.v1.job_service_pb2 import GetJobResponse
from tests.support.frozen_replica import FrozenReplica
from tests.support.job_service import serving


def test_a_replica_that_does_not_answer_costs_a_share_of_the_time() -> None:
    reply = GetJobResponse(job=Job(job_id="j"))
    with (
        FrozenReplica() as frozen,
        serving({"GetJob": lambda *_: reply}) as (address, _),
        # Enough for three tries: a balancer that has just connected to the other replica may choose this one twice.
        Client(f"ipv4:{frozen.address},{address}", timeout=6.0) as client,
    ):
        while frozen.calls == 0:
            assert client.get("j").job_id == "j"


def test_a_replica_that_does_not_answer_costs_a_call_of_the_asynchronous_client_a_share() -> None:
    reply = GetJobResponse(job=Job(job_id="j"))

    async def ask(target: str, frozen: FrozenReplica) -> None:
        async with AsyncClient(target, timeout=6.0) as client:
            while frozen.calls == 0:
                assert (await client.get("j")).job_id == "j"

    with FrozenReplica() as frozen, serving({"GetJob": lambda *_: reply}) as (address, _):
        asyncio.run(ask(f"ipv4:{frozen.address},{address}", frozen))
