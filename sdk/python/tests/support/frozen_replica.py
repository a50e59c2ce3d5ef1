"""A replica that accepts connections and calls and never answers, as a stopped process whose kernel accepts for it."""

from __future__ import annotations

import socket
import threading

_PREFACE_BYTES = 24
_FRAME_HEADER_BYTES = 9
# Makes the connection usable.
_EMPTY_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_HEADERS = 1


class FrozenReplica:
    """Counts the calls that it does not answer.

    Attributes:
        address: Its host and port.
        calls: Number of calls so far.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.calls = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> FrozenReplica:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        try:
            connection.sendall(_EMPTY_SETTINGS)
            with connection.makefile("rb") as data:
                data.read(_PREFACE_BYTES)
                while frame := data.read(_FRAME_HEADER_BYTES):
                    self.calls += frame[3] == _HEADERS
                    data.read(int.from_bytes(frame[:3], "big"))
        except OSError:
            return
