"""A real nats-server for tests."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

from tests.support.facts import eventually

_TOOLS = Path(__file__).resolve().parents[4] / ".tools" / "bin" / "nats-server"


def find_binary() -> str:
    """Returns the path of nats-server: from the environment, the tools folder, or the PATH."""
    for candidate in (os.environ.get("MUSTER_NATS_SERVER"), str(_TOOLS), shutil.which("nats-server")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise RuntimeError("these tests need nats-server: run the set-up script, or name it in MUSTER_NATS_SERVER")


class NatsServer:
    """Listens on a free port of the loopback address; keeps the port over a restart."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self._folder = folder
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._port = -1
        self.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        ports = self._folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir(parents=True)
        config = self._folder / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self._port}"\nhttp: "127.0.0.1:-1"\nports_file_dir: "{ports}"\n{self._config}'
        )
        log = self._folder / "nats.log"
        self._process = subprocess.Popen([find_binary(), "-c", str(config), "-l", str(log)], stderr=subprocess.DEVNULL)
        process = self._process

        def port() -> int:
            assert process.poll() is None, log.read_text() if log.exists() else "nats-server ended"
            for file in ports.glob("*.ports"):
                with contextlib.suppress(json.JSONDecodeError):  # it is being written
                    return int(json.loads(file.read_text())["nats"][0].rpartition(":")[2])
            return 0

        self._port = eventually(port, "nats-server publishes its port")

    def connections_so_far(self) -> int:
        """Number of clients that have connected since the start, including closed ones."""
        file = next((self._folder / "ports").glob("*.ports"))
        (monitoring,) = json.loads(file.read_text())["monitoring"]
        with urllib.request.urlopen(f"{monitoring}/varz", timeout=5) as response:
            return json.load(response)["total_connections"]

    def log(self) -> str:
        return (self._folder / "nats.log").read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
