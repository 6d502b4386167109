"""`dispatch alarm`: this process becomes the receiver of alarm devices, SIA DC-09 over TCP and UDP."""

import argparse
import os
import sys

from config.settings import get_settings
from dispatch.commands.figures import share_figures


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: the port is a setting."""
    parser.epilog = (
        "Settings: DISPATCH_ALARM_HOST, DISPATCH_ALARM_PORT. Several may run, each on a port or machine of its own."
    )


def run(_arguments: argparse.Namespace) -> int:
    """Become the receiver: what it counts goes into a folder of its port, which /metrics of the pages reads."""
    settings = get_settings()
    share_figures(settings.home / "metrics-alarm" / str(settings.alarm_port))
    words = [sys.executable, "-m", "dispatch.workers.alarm"]
    os.execv(words[0], words)  # noqa: S606 - no shell is wanted: the process number stays the supervisor's
