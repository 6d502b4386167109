"""Alternating runs, medians, ratios: a peer is measured in the same minutes as the house, never before or after."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROCESSOR = "model name"


@dataclass(frozen=True, slots=True)
class Pair:
    """What the house and its peer reached in runs that took turns."""

    house: Sequence[float]
    peer: Sequence[float]

    @property
    def ratio(self) -> float:
        """The house's median by the peer's."""
        return median(self.house) / median(self.peer)


def in_turns(house: Callable[[], float], peer: Callable[[], float], rounds: int) -> Pair:
    """Run peer and house in turns, `rounds` times each."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(peer())
        ours.append(house())
    return Pair(ours, theirs)


def tell(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell_pair(name: str, pair: Pair, unit: str, aim: str, *, reached: bool) -> None:
    """Print the medians of a pair, all runs, and its ratio against the aim."""
    ours, theirs = median(pair.house), median(pair.peer)
    verdict = "reached" if reached else "NOT REACHED"
    tell(f"{name}: {ours:,.1f} {unit} : {theirs:,.1f} {unit} = {pair.ratio:.2f} (aim {aim}: {verdict})")
    if len(pair.house) > 1:
        tell(f"    house {spread(pair.house)}; peer {spread(pair.peer)}")


def spread(values: Sequence[float]) -> str:
    """Lowest to highest."""
    return f"{min(values):,.1f}..{max(values):,.1f} in {len(values)} runs"


def machine() -> str:
    """The machine in one line: processor, cores, load before the run, Python."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith(PROCESSOR)), "processor unknown")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, load {load}, Python {platform.python_version()}"
