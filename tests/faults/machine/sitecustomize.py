"""Read first by every process of a machine with a wrong clock: under libfaketime 0.9.10 `time.sleep` fails (EINVAL)."""

import select
import time


def sleep(seconds: float) -> None:
    """Wait as `time.sleep` does, by the call that libfaketime gets right."""
    select.select((), (), (), seconds)


time.sleep = sleep
