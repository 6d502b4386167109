"""`dispatch beat`: this process becomes Celery beat, whose only entry is the tick."""

import argparse
import os
import sys

# The schedule is kept in memory: what was missed is found in the database, not in a file.
COMMAND = (
    sys.executable,
    "-m",
    "celery",
    "--app=dispatch.workers.beat",
    "beat",
    "--scheduler=celery.beat:Scheduler",
    "--loglevel=WARNING",
)


def describe(parser: argparse.ArgumentParser) -> None:
    """No options."""
    parser.epilog = "Lost or doubled it does no harm: every period is a unique row in the database."


def run(_arguments: argparse.Namespace) -> int:
    """Become Celery beat."""
    os.execv(COMMAND[0], COMMAND)  # noqa: S606 - no shell is wanted: the process number stays the supervisor's
