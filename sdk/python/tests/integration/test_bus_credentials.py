"""JWTs of the message bus are used, renewed, and never logged."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from muster import Worker
from muster.worker.bus_credentials import BusCredentials
from tests.support.control_plane import ControlPlane
from tests.support.facts import eventually
from tests.support.nats_accounts import NatsAccounts
from tests.support.nats_server import NatsServer


@pytest.fixture
def guarded(tmp_path: Path):
    """A bus that requires JWTs, and a control plane that issues them."""
    accounts = NatsAccounts()
    server = NatsServer(tmp_path / "guarded", accounts.config)
    plane = ControlPlane(server.url, lease=6.0, beat_interval=0.3)
    own = BusCredentials(accounts.user(">", may_publish=True))
    plane.nats_options = {"user_jwt_cb": own.jwt, "signature_cb": own.sign}
    with plane:
        yield plane, accounts, server
    server.stop()


def echo_worker(plane: ControlPlane) -> Worker:
    worker = Worker(plane.address)
    worker.add_handler("echo", lambda ctx, value: value)
    return worker


def runs(plane: ControlPlane) -> bool:
    key = plane.submit("echo", 1)
    return bool(eventually(lambda: key in plane.outcomes, "a job runs"))


def test_an_expired_jwt_is_followed_by_the_newest(guarded, started, caplog) -> None:
    plane, accounts, server = guarded
    expire_at = int(time.time()) + 3
    plane.issue = lambda session: accounts.user(session.subject, expire_at=expire_at)
    with caplog.at_level(logging.DEBUG):
        started(echo_worker(plane))
        # No job is run before: on a busy machine the JWT may have expired by the time it could run.
        eventually(lambda: "authentication error" in server.log(), "the expired JWT is refused on a new connection")
        session = plane.session
        renewed = accounts.user(session.subject)
        plane.edit_reply = lambda _session, reply: reply.nats_credentials.CopyFrom(renewed)
        echo = session.counter
        eventually(lambda: session.echo > echo, "it receives from the bus again")
        assert runs(plane)
    assert len(plane.sessions) == 1
    assert renewed.seed not in caplog.text
    assert renewed.jwt not in caplog.text


def test_a_subscription_that_is_refused_is_noticed(guarded, started, caplog) -> None:
    plane, accounts, _ = guarded
    plane.issue = lambda _session: accounts.user("somewhere.else")
    with caplog.at_level(logging.WARNING):
        started(echo_worker(plane))
        eventually(lambda: "permissions violation" in caplog.text.lower(), "it is reported")
        plane.edit_reply = lambda session, reply: reply.nats_credentials.CopyFrom(accounts.user(session.subject))
        assert runs(plane)


def test_the_seed_is_not_shown() -> None:
    credentials = BusCredentials(NatsAccounts().user("x"))
    assert "SU" not in repr(credentials)
    assert not BusCredentials(type(credentials._newest)()).are_needed
