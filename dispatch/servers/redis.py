"""The embedded Redis: its command line and its life."""

import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.settings import embedded_redis_url, socket_folder
from dispatch.servers.postgres import postgres_identity
from dispatch.servers.process import private_folder, spawn, stop_process, wait_until


def redis_command(program: Path, data: Path, sockets: Path) -> list[str]:
    """Redis on a Unix socket with an append-only file; it refuses writes rather than forget keys."""
    options = {
        "port": "0",
        "unixsocket": str(sockets / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "databases": "16",
    }
    command = [str(program)]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


@dataclass(slots=True)
class RedisServer:
    """An embedded Redis (or Valkey) whose files live in `home`/redis and whose log is `log`."""

    home: Path
    program: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server on its socket."""
        sockets = private_folder(socket_folder(self.home), postgres_identity().user)
        data = private_folder(self.home / "redis")
        (sockets / "redis.sock").unlink(missing_ok=True)
        # SIGKILL at the supervisor's death: a Redis that ends by itself removes the socket of its successor
        self.process = spawn(redis_command(self.program, data, sockets), self.log, signal.SIGKILL)
        return self.process

    def is_ready(self) -> bool:
        """Whether PING is answered with PONG."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(socket_folder(self.home) / "redis.sock"))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def wait_ready(self, seconds: float = 30) -> None:
        """Return when PING is answered; raises ServerFailed when it ends or the time is over."""
        wait_until(self.is_ready, self.process, "Redis", seconds, self.log)

    def stop(self, seconds: float = 10) -> None:
        """Stop cleanly: the append-only file is flushed."""
        if self.process is not None:
            stop_process(self.process, signal.SIGTERM, seconds)

    def url(self) -> str:
        """The address in redis-py's spelling."""
        return embedded_redis_url(self.home)
