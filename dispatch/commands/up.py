"""`dispatch up`: everything on this machine, as children of one process."""

import argparse
import os
from pathlib import Path

from config.settings import get_settings
from dispatch.supervisor import Plan, up

MOST = 16


def describe(parser: argparse.ArgumentParser) -> None:
    """Where, on which port, with the demo or not, and how many processes."""
    parser.add_argument("--home", type=Path, help="folder of data, logs and secrets (DISPATCH_HOME, ./var)")
    parser.add_argument("--port", type=port, help="port of the pages (DISPATCH_PORT, 8096)")
    parser.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        help="load the demo community and show its log-ins (DISPATCH_DEMO, off)",
    )
    parser.add_argument("--workers", type=count, default=1, metavar="N", help="worker processes (1)")
    parser.add_argument("--sweeps", type=count, default=1, metavar="N", help="sweepers (1)")
    parser.add_argument(
        "--alarm", action=argparse.BooleanOptionalAction, default=True, help="receive alarm devices (on)"
    )
    parser.add_argument("--beats", type=count, default=1, metavar="N", help="beats (1; more do no harm)")


def run(arguments: argparse.Namespace) -> int:
    """Start everything and stay until stopped."""
    settings = get_settings()
    plan = Plan(
        home=(arguments.home or settings.home).absolute(),
        host=settings.host,
        port=arguments.port or settings.port,
        demo=settings.demo if arguments.demo is None else arguments.demo,
        workers=arguments.workers,
        sweeps=arguments.sweeps,
        beats=arguments.beats,
        alarm=arguments.alarm,
    )
    return up(plan, os.environ)


def port(text: str) -> int:
    """A port from 1 to 65535; raises ArgumentTypeError."""
    return _within(text, 1, 65_535)


def count(text: str) -> int:
    """A number of processes from 0 to 16; raises ArgumentTypeError."""
    return _within(text, 0, MOST)


def _within(text: str, lowest: int, highest: int) -> int:
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        reason = f"must be a whole number from {lowest} to {highest}"
        raise argparse.ArgumentTypeError(reason)
    return int(text)
