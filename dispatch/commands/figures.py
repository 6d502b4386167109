"""Where processes leave what they count, so that /metrics of the pages tells it of all of them."""

import os
import shutil
from pathlib import Path


def share_figures(folder: Path) -> None:
    """Give this process, and those that it becomes or starts, an empty folder for their counts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
