"""Versions of a catalogue as seen from an organisation: what it inherits down the tree counts too."""

from collections.abc import Iterable, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

Token = tuple[tuple[int, str, int], ...]

# xmin tells versions of rolled-back transactions apart: a process never keeps what was never committed.
TOKENS = text(
    "SELECT below.id, array_agg(above.id ORDER BY above.id), array_agg(above.xmin::text ORDER BY above.id), "
    "array_agg(above.catalogue_version ORDER BY above.id) FROM organisations AS below "
    "JOIN organisations AS above ON above.id = ANY (below.path) WHERE below.id = ANY (:ids) GROUP BY below.id"
)
BUMP = text("UPDATE organisations SET catalogue_version = catalogue_version + 1 WHERE id = :id")


def tokens(session: Session, organisation_ids: Iterable[int]) -> dict[int, Token]:
    """For each organisation, what changes with every change of the catalogue it sees; one query."""
    rows = session.execute(TOKENS, {"ids": sorted(organisation_ids)})
    return {
        below: tuple(zip(above, transactions, numbers, strict=True)) for below, above, transactions, numbers in rows
    }


def versions(session: Session, organisation_ids: Iterable[int]) -> dict[int, int]:
    """For each organisation the number that grows with every change of the catalogue it sees; one query."""
    return counted(tokens(session, organisation_ids))


def counted(seen: Mapping[int, Token]) -> dict[int, int]:
    """The numbers of tokens."""
    return {below: sum(number for _, _, number in token) for below, token in seen.items()}


def bump(session: Session, organisation_id: int) -> None:
    """Count a change of the catalogue that an organisation owns."""
    session.execute(BUMP, {"id": organisation_id})
