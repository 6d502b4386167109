"""Scans of what was signed with partners: kept encrypted beside the agreement; each reading is audited."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.access import File
from dispatch.models.market import Agreement, Partner
from dispatch.rules.access.images import SCAN
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit, files, reach

SUBJECT = Agreement.__tablename__


def find_agreement(session: Session, agreement_id: int, *, actor: Actor) -> Agreement:
    """An agreement in reach; raises NotFound."""
    query = select(Agreement).where(Agreement.id == agreement_id, reach.visible(Agreement, actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def add_scan(session: Session, agreement_id: int, data: bytes, *, actor: Actor, now: datetime) -> None:
    """Keep a scan (JPEG, PNG, WebP) of an agreement, five at most; raises NotFound, Invalid("scan", …).

    An agreement is nobody's to change, not even to lock: its partner stands for it.
    """
    found = find_agreement(session, agreement_id, actor=actor)
    session.execute(select(Partner.id).where(Partner.id == found.partner_id).with_for_update(key_share=True)).one()
    about = {"subject": SUBJECT, "subject_id": found.id, "purpose": SCAN, "community_id": found.community_id}
    files.store_image(session, data, **about, actor=actor, now=now)  # type: ignore[arg-type]
    audit.record(session, "market.scan_agreement", SUBJECT, found.id, actor=actor, community_id=found.community_id)


def scans_of(session: Session, agreement_ids: Sequence[int], *, actor: Actor) -> dict[int, int]:
    """How many scans each agreement has; one query."""
    rows = session.execute(
        select(File.subject_id, func.count().label("number"))
        .where(File.subject == SUBJECT, File.subject_id.in_(agreement_ids), reach.visible(File, actor))
        .group_by(File.subject_id)
    )
    return {row.subject_id: row.number for row in rows}


def read_scan(session: Session, agreement_id: int, position: int, *, actor: Actor) -> files.Content:
    """Open the n-th scan of an agreement, counted from 1; audited. Raises NotFound."""
    found = find_agreement(session, agreement_id, actor=actor)
    kept = files.list_files(session, SUBJECT, found.id, actor=actor)
    if not 1 <= position <= len(kept):
        raise NotFound
    return files.read_file(session, kept[position - 1].uid, actor=actor, purpose="campaigns_page")
