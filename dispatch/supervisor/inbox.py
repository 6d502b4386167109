"""The ports of the demo inbox: chosen once for a home, chosen anew where another program took one."""

import socket
from contextlib import ExitStack
from pathlib import Path

from dispatch.supervisor.home import read_json, write_json

LOOPBACK = "127.0.0.1"
FOLDER = "inbox"
PORTS = "ports.json"
NAMES = ("http", "smtp")


def choose_ports(home: Path) -> tuple[dict[str, int], bool]:
    """The loopback ports of the home's inbox by name (http, smtp), and whether they were chosen just now.

    They are kept in HOME/inbox/ports.json: firms' webhooks and the mail server of the demo lead there.
    """
    path = home / FOLDER / PORTS
    known = {name: port for name, port in read_json(path).items() if name in NAMES and isinstance(port, int)}
    if len(known) == len(NAMES) and all(is_free(port) for port in known.values()):
        return known, False
    chosen = free_ports()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, chosen)
    return chosen, True


def smtp_url(ports: dict[str, int]) -> str:
    """The demo's mail server as a setting."""
    return f"smtp://{LOOPBACK}:{ports['smtp']}"


def is_free(port: int) -> bool:
    """Whether nothing listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports() -> dict[str, int]:
    """One free port for each name."""
    with ExitStack() as held:
        probes = {name: held.enter_context(socket.socket()) for name in NAMES}
        for probe in probes.values():
            probe.bind((LOOPBACK, 0))
        return {name: probe.getsockname()[1] for name, probe in probes.items()}
