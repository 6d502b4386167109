"""`dispatch web`: this process becomes gunicorn with the pages and the API."""

import argparse
import os
import sys

from config.settings import Settings, get_settings
from dispatch.commands.figures import share_figures


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: host, port, processes and threads are settings."""
    parser.epilog = "Settings: DISPATCH_HOST, DISPATCH_PORT, DISPATCH_WEB_WORKERS, DISPATCH_WEB_THREADS."


def run(_arguments: argparse.Namespace) -> int:
    """Become gunicorn."""
    settings = get_settings()
    share_figures(settings.home / "metrics")
    words = command(settings)
    os.execv(words[0], words)  # noqa: S606 - no shell is wanted: the process number stays the supervisor's


def command(settings: Settings) -> list[str]:
    """gunicorn's command line."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        f"--bind={settings.host}:{settings.port}",
        "--worker-class=gthread",
        f"--workers={settings.web_workers}",
        f"--threads={settings.web_threads}",
        "--timeout=30",
        "--graceful-timeout=8",
        "--keep-alive=5",
        "--no-control-socket",
        "--forwarded-allow-ips=",  # gunicorn believes nobody: dispatch/gateways/proxy.py decides
        "dispatch.app:serve()",
    ]
