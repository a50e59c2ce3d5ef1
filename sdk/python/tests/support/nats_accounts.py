"""Operator, account and users of a NATS server with JWTs."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import Any

import nkeys

from muster.worker.v1.session_pb2 import NatsCredentials


def _new_pair(prefix: int) -> tuple[nkeys.KeyPair, str]:
    seed = nkeys.encode_seed(os.urandom(32), prefix)
    return nkeys.from_seed(bytearray(seed)), seed.decode()


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _token(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, content: dict[str, Any], expire_at: int = 0) -> str:
    claims = {
        "jti": os.urandom(8).hex(),
        "iat": int(time.time()),
        "iss": issuer.public_key.decode(),
        "sub": subject.public_key.decode(),
        "name": content["type"],
        "nats": {"version": 2, **content},
    }
    if expire_at:
        claims["exp"] = expire_at
    header = _encode(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
    body = f"{header}.{_encode(json.dumps(claims).encode())}"
    return f"{body}.{_encode(issuer.sign(body.encode()))}"


class NatsAccounts:
    """An account and the users that it signs."""

    def __init__(self) -> None:
        operator, _ = _new_pair(nkeys.PREFIX_BYTE_OPERATOR)
        self._account, _ = _new_pair(nkeys.PREFIX_BYTE_ACCOUNT)
        limits = {
            "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1,
            "wildcards": True,
        }  # fmt: skip
        account = _token(operator, self._account, {"type": "account", "limits": limits})
        name = self._account.public_key.decode()
        self.config = (
            f"operator: {_token(operator, operator, {'type': 'operator'})}\n"
            f"resolver: MEMORY\nresolver_preload: {{ {name}: {account} }}\n"
        )

    def user(self, subject: str, *, may_publish: bool = False, expire_at: int = 0) -> NatsCredentials:
        """Makes a user that may subscribe to one subject; `expire_at` is in seconds of the wall clock, 0: never."""
        pair, seed = _new_pair(nkeys.PREFIX_BYTE_USER)
        content = {
            "type": "user", "sub": {"allow": [subject]}, "pub": {} if may_publish else {"deny": [">"]},
            "subs": -1, "data": -1, "payload": -1,
        }  # fmt: skip
        credentials = NatsCredentials(jwt=_token(self._account, pair, content, expire_at), seed=seed)
        credentials.expire_time.FromSeconds(expire_at)
        return credentials
