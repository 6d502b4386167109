"""What is asked of all rows at once, and what is said of each that answers."""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

STREAMED: Final = {"yield_per": 500}


def said(session: Session, sentences: Iterable[tuple[str, str]]) -> Iterator[str]:
    """One line per row that a query gives, by its first column; the rows are streamed."""
    for query, sentence in sentences:
        rows = session.execute(text(query), execution_options=STREAMED)
        yield from (sentence.format(row[0]) for row in rows)
