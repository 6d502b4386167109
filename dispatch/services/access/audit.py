"""The audit trail: one entry per change or sensitive read, sealed in commit order into a signed chain."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.orm import Session

from dispatch.models.access import AuditEntry, AuditSeal
from dispatch.rules.access.chain import GENESIS, link
from dispatch.rules.access.ciphers import Digest
from dispatch.rules.access.roles import Actor
from dispatch.services.access import vault

MOST_PER_SEAL = 5_000
SEALS_AT_ONCE = 100
SIGNING = "audit.seal"
ONE_SEALER = text("SELECT pg_advisory_xact_lock(hashtext('audit.seal'))")
COLUMNS = tuple(column for column in AuditEntry.__table__.columns if column.name != "seal_id")
FINISHED = text("transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
SEALED_BY = "sealed_by"
NO_FIELDS: Mapping[str, str] = {}


def record(
    session: Session,
    action: str,
    subject: str,
    subject_id: int | None,
    *,
    actor: Actor,
    community_id: int | None = None,
    organisation_id: int | None = None,
    fields: Mapping[str, str] = NO_FIELDS,
    purpose: str | None = None,
) -> None:
    """Write one entry in the caller's transaction: who did or read what (`<domain>.<verb>` on a table's row).

    `fields`: field name → keyed digest (`vault.digest`) or a code that is not personal; never a value.
    Without an organisation the actor's own stands, so that its desk sees the entry.
    """
    session.execute(
        insert(AuditEntry.__table__).values(  # type: ignore[arg-type]
            action=action,
            subject=subject,
            subject_id=subject_id,
            community_id=community_id,
            organisation_id=organisation_id if organisation_id is not None else actor.organisation_id,
            user_id=actor.user_id,
            api_key_id=actor.api_key_id,
            performer_id=actor.performer_id,
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
            purpose=purpose,
            fields=dict(fields),
        )
    )


def seal(session: Session, *, now: datetime) -> int:
    """Seal every entry whose transaction is over, in commit order; returns how many were sealed.

    At most 5,000 at once: the job comes back for the rest. Two sealers wait for each other; a chain cannot
    fork (`previous` is unique). Source: promise.md, security 15.
    """
    session.execute(ONE_SEALER)
    entries = session.execute(
        select(*COLUMNS)
        .where(AuditEntry.seal_id.is_(None), FINISHED)
        .order_by(AuditEntry.transaction_id, AuditEntry.id)
        .limit(MOST_PER_SEAL)
    ).all()
    if not entries:
        return 0
    previous = session.execute(select(AuditSeal.digest).order_by(AuditSeal.id.desc()).limit(1)).scalar_one_or_none()
    digest = digest_of(previous or GENESIS, entries)
    ids = [entry.id for entry in entries]
    made = AuditSeal(
        made_at=now,
        entry_ids=ids,
        previous=previous or GENESIS,
        digest=digest,
        signature=vault.sign(SIGNING, digest),
    )
    session.add(made)
    session.flush()
    session.execute(
        update(AuditEntry.__table__).where(AuditEntry.id.in_(ids)).values(seal_id=made.id)  # type: ignore[arg-type]
    )
    return len(ids)


def digest_of_chain(session: Session) -> Digest | None:
    """With which digest the newest seal was signed; None without seals, or when it is not signed by our secret."""
    newest = session.execute(
        select(AuditSeal.digest, AuditSeal.signature).order_by(AuditSeal.id.desc()).limit(1)
    ).one_or_none()
    return None if newest is None else vault.digest_of_signature(SIGNING, newest.digest, newest.signature)


def verify_chain(session: Session) -> list[str]:
    """One sentence for each seal that does not hold; empty when no sealed byte was changed or removed.

    Finds changed, removed and added entries, removed seals in the middle, and seals made without the key.
    Seals cut off at the end are found only against an exported head (`head`).
    """
    problems: list[str] = []
    previous = GENESIS
    for seals in chunks_of_seals(session):
        entries = entries_of(session, [one.id for one in seals])
        for one in seals:
            problems.extend(problems_of(one, previous, entries.get(one.id, [])))
            previous = one.digest
    return problems


def head(session: Session) -> tuple[int, bytes] | None:
    """Id and digest of the newest seal, to be kept elsewhere; None before the first."""
    row = session.execute(select(AuditSeal.id, AuditSeal.digest).order_by(AuditSeal.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.id, row.digest)


def signed_head(session: Session) -> dict[str, str | int] | None:
    """The newest seal as it is exported once a day: id, digest and signature in hex; None before the first."""
    row = session.execute(
        select(AuditSeal.id, AuditSeal.digest, AuditSeal.signature).order_by(AuditSeal.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else {"seal": row.id, "digest": row.digest.hex(), "signature": row.signature.hex()}


def compare_heads(session: Session, heads: Sequence[Mapping[str, object]]) -> list[str]:
    """One sentence for each exported head that the chain no longer holds: seals were cut off or rewritten."""
    problems = []
    for exported in heads:
        digest = bytes.fromhex(str(exported["digest"]))
        if not vault.is_signed(SIGNING, digest, bytes.fromhex(str(exported["signature"]))):
            problems.append(f"exported audit head {exported['seal']} does not carry our signature")
            continue
        stored = session.execute(select(AuditSeal.digest).where(AuditSeal.id == exported["seal"])).scalar_one_or_none()
        if stored != digest:
            problems.append(f"audit seal {exported['seal']} is not what was exported of it")
    return problems


def unsealed(session: Session) -> int:
    """How many entries wait for their seal (a few seconds' worth when the job runs)."""
    return session.execute(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.seal_id.is_(None))
    ).scalar_one()


def digest_of(previous: bytes, entries: Sequence[Row[tuple[object, ...]]]) -> bytes:
    """The digest after these entries, each linked to all before it."""
    digest = previous
    for entry in entries:
        digest = link(digest, line_of(entry))
    return digest


def line_of(entry: Row[tuple[object, ...]]) -> dict[str, object]:
    """An entry as it is sealed: every column but the seal, instants in UTC."""
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in entry._mapping.items()  # noqa: SLF001 - SQLAlchemy's public name
        if name != SEALED_BY
    }


def chunks_of_seals(session: Session) -> Iterator[Sequence[AuditSeal]]:
    """All seals, oldest first, a hundred at a time."""
    last = 0
    while seals := session.scalars(
        select(AuditSeal).where(AuditSeal.id > last).order_by(AuditSeal.id).limit(SEALS_AT_ONCE)
    ).all():
        yield seals
        last = seals[-1].id


def entries_of(session: Session, seal_ids: list[int]) -> dict[int, list[Row[tuple[object, ...]]]]:
    """The entries of these seals in the order in which they were sealed."""
    found: dict[int, list[Row[tuple[object, ...]]]] = {}
    rows = session.execute(
        select(AuditEntry.seal_id.label(SEALED_BY), *COLUMNS)
        .where(AuditEntry.seal_id.in_(seal_ids))
        .order_by(AuditEntry.transaction_id, AuditEntry.id)
    )
    for row in rows:
        found.setdefault(row.sealed_by, []).append(row)
    return found


def problems_of(one: AuditSeal, previous: bytes, entries: Sequence[Row[tuple[object, ...]]]) -> Iterator[str]:
    """What is wrong with one seal."""
    if one.previous != previous:
        yield f"audit seal {one.id}: it does not follow the seal before it"
    if not vault.is_signed(SIGNING, one.digest, one.signature):
        yield f"audit seal {one.id}: its signature is wrong"
    if [entry.id for entry in entries] != list(one.entry_ids):
        yield f"audit seal {one.id}: its entries are not those that were sealed"
    elif digest_of(one.previous, entries) != one.digest:
        yield f"audit seal {one.id}: an entry was changed after it was sealed"
