"""The receivers' own log of the demo: what every firm received, one JSON line per arrival."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

INBOX = "inbox"
LOG = "received.jsonl"


@dataclass(frozen=True, slots=True)
class Received:
    """One arrival: `number` is its line in the log, `repeat` says that its message id had come before."""

    number: int
    at: datetime
    channel: str
    performer_code: str
    message_id: str
    repeat: bool
    order_number: str
    text: str = field(repr=False)
    link: str = field(repr=False)


def log_path(home: Path) -> Path:
    """Where the inbox of a home keeps its log."""
    return home / INBOX / LOG


def read_received(home: Path, performer_code: str | None = None, after: int = 0, limit: int = 200) -> list[Received]:
    """The newest `limit` arrivals after line `after`, oldest first: of one performer, or of all.

    A line that is still being written is left for the next reading; no log yet means no arrivals.
    """
    found = (
        one for one in arrivals(log_path(home)) if one.number > after and performer_code in {None, one.performer_code}
    )
    return list(deque(found, maxlen=limit))


def arrivals(path: Path) -> Iterator[Received]:
    """Every whole line of the log."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            one = read_line(number, line)
            if one is not None:
                yield one


def read_line(number: int, line: str) -> Received | None:
    """One arrival; None for a line that was cut by a crash."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return Received(
        number=number,
        at=datetime.fromisoformat(content["at"]),
        channel=content["channel"],
        performer_code=content["performer_code"],
        message_id=content["message_id"],
        repeat=content["repeat"],
        order_number=content["order_number"],
        text=content["text"],
        link=content["link"],
    )
