"""An installation whose demo begins on a day of the past: of that year the calendar is published and known."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from dispatch.servers import PostgresServer, find_postgres
from dispatch.supervisor.home import make_secrets
from tests.faults.town import ROOT


def begin(home: Path, instant: datetime) -> None:
    """Make the database of a home and let its clock show an instant, before anything is loaded into it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    environment |= {"DISPATCH_HOME": str(home), "DISPATCH_DEMO": "1"}
    (home / "logs").mkdir(parents=True, exist_ok=True)
    make_secrets(home)
    server = PostgresServer(home, find_postgres(os.environ), home / "logs" / "postgres.log")
    server.start()
    try:
        server.wait_ready()
        for words in (("init",), ("demo", f"--clock={instant.isoformat()}")):
            command = [sys.executable, "-m", "dispatch.cli", *words]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        server.stop()
