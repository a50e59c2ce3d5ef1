"""Options of the gRPC connections to the control plane."""

from __future__ import annotations

import json
from typing import Any

_MAX_BYTES = 16 * 1024 * 1024
_LOOPBACK = ("127.", "localhost", "[::1]", "ipv4:127.", "ipv6:[::1]", "unix:", "dns:localhost", "dns:///localhost")
_BALANCED = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})


def names_several(address: str) -> bool:
    """Whether a target may name several replicas."""
    return "," in address or address.startswith("dns:")


def channel_options(address: str) -> list[tuple[str, Any]]:
    """Returns the options for a target.

    A target may name several replicas (`ipv4:10.0.0.1:7070,10.0.0.2:7070`, or a name with several addresses): calls are
    balanced over them. A broken connection is reopened within two seconds. Environment variables that name a proxy are
    ignored for loopback addresses.
    """
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", _MAX_BYTES),
        ("grpc.max_send_message_length", _MAX_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # Detects a dead connection within 20 s while a call waits on it.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.service_config", _BALANCED),
        ("grpc.primary_user_agent", "muster-python"),
    ]
    if address.startswith(_LOOPBACK):
        options.append(("grpc.enable_http_proxy", 0))
    return options
