"""`dispatch alarm`: the receiver of alarm devices, SIA DC-09 over TCP and UDP."""

import argparse

from dispatch.workers import alarm


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: the port is a setting."""
    parser.epilog = (
        "Settings: DISPATCH_ALARM_HOST, DISPATCH_ALARM_PORT. Several may run, each on a port or machine of its own."
    )


def run(_arguments: argparse.Namespace) -> int:
    """Receive until SIGTERM."""
    return alarm.main()
