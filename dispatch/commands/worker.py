"""`dispatch worker`: this process becomes a Celery worker for all lanes."""

import argparse
import os
import sys

from config.settings import Settings, get_settings

LANES = ("emergency", "dispatch", "notify", "deadline", "periodic")


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: the number of processes is a setting."""
    parser.epilog = "Settings: DISPATCH_WORKER_PROCESSES (2). The lanes are served in their order of urgency."


def run(_arguments: argparse.Namespace) -> int:
    """Become the Celery worker."""
    words = command(get_settings())
    os.execv(words[0], words)  # noqa: S606 - no shell is wanted: the process number stays the supervisor's


def command(settings: Settings) -> list[str]:
    """Celery's command line; every worker needs a node name of its own."""
    return [
        sys.executable,
        "-m",
        "celery",
        "--app=dispatch.workers.app",
        "worker",
        f"--concurrency={settings.worker_processes}",
        f"--queues={','.join(LANES)}",
        f"--hostname=dispatch-{os.getpid()}@%h",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=WARNING",
    ]
