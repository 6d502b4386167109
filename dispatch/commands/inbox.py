"""`dispatch inbox`: the demo's receivers of webhooks and mail, which play every firm's inbox."""

import argparse
import signal
import sys
from threading import Event

from config.settings import get_settings
from dispatch.demo.inbox import Inbox
from dispatch.gateways.messages.received import log_path
from dispatch.supervisor.home import read_json
from dispatch.supervisor.inbox import FOLDER, PORTS, choose_ports

EXIT_REFUSED = 2


def describe(parser: argparse.ArgumentParser) -> None:
    """No options."""
    parser.epilog = "Works only where DISPATCH_DEMO is 1. Ports: HOME/inbox/ports.json; log: received.jsonl there."


def run(_arguments: argparse.Namespace) -> int:
    """Receive until SIGTERM or SIGINT."""
    settings = get_settings()
    if not settings.demo:
        print("dispatch inbox: 只能在演示环境使用 · only where DISPATCH_DEMO is 1", file=sys.stderr)
        return EXIT_REFUSED
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ports = read_json(settings.home / FOLDER / PORTS) or choose_ports(settings.home)[0]
    with Inbox(settings.home, settings.secret, ports):
        print(f"收件 · receiving on {ports}; {log_path(settings.home)}", flush=True)
        stop.wait()
    return 0
