"""`dispatch sweep`: the sweeper, which does what is due without asking the broker."""

import argparse

from dispatch.workers import sweep


def describe(parser: argparse.ArgumentParser) -> None:
    """No options."""
    parser.epilog = "Several may run; each job is claimed by one of them."


def run(_arguments: argparse.Namespace) -> int:
    """Sweep until SIGTERM."""
    return sweep.main()
