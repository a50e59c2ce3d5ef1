"""Credentials of the session for the message bus. The seed never leaves this module."""

from __future__ import annotations

import base64

import nkeys

from muster.worker.v1.session_pb2 import NatsCredentials


class BusCredentials:
    """Holds the newest credentials; every new connection reads them."""

    def __init__(self, newest: NatsCredentials) -> None:
        self._newest = newest

    def __repr__(self) -> str:
        return "BusCredentials(...)"

    @property
    def are_needed(self) -> bool:
        """Whether the bus requires credentials."""
        return bool(self._newest.jwt)

    def renew(self, newest: NatsCredentials) -> None:
        """Replaces the credentials."""
        self._newest = newest

    def jwt(self) -> bytes:
        """Returns the user's JWT."""
        return self._newest.jwt.encode()

    def sign(self, nonce: str) -> bytes:
        """Signs the server's challenge."""
        pair = nkeys.from_seed(bytearray(self._newest.seed.encode()))
        try:
            return base64.b64encode(pair.sign(nonce.encode()))
        finally:
            pair.wipe()
