"""Scans of papers: kept encrypted beside the paper, for those who edit firms; each reading is audited."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from dispatch.errors import NotFound
from dispatch.models.access import File
from dispatch.models.catalogue import Paper
from dispatch.rules.access.images import SCAN
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit, files
from dispatch.services.catalogue.firms import PaperGone
from dispatch.services.catalogue.performers import locked

SUBJECT = Paper.__tablename__


def add_scan(session: Session, performer_id: int, paper_id: int, data: bytes, *, actor: Actor, now: datetime) -> None:
    """Keep a scan (JPEG, PNG, WebP) of a paper that a firm within reach holds, five at most; audited.

    Raises NotFound, PaperGone for one that was given up, and Invalid("scan", …).
    """
    firm = locked(session, performer_id, actor)
    paper = session.scalars(select(Paper).where(Paper.id == paper_id, Paper.performer_id == firm.id)).one_or_none()
    if paper is None:
        raise NotFound
    if paper.given_up_at is not None:
        raise PaperGone
    files.store_image(
        session, data, subject=SUBJECT, subject_id=paper.id, purpose=SCAN, community_id=None, actor=actor, now=now
    )
    fields = {"paper": str(paper.id)}
    audit.record(session, "catalogue.scan_paper", "performers", firm.id, actor=actor, fields=fields)


def scans_of_firm(session: Session, performer_id: int) -> Sequence[File]:
    """The scans of all papers of a firm, oldest first, without their content; `subject_id` is the paper."""
    papers = select(Paper.id).where(Paper.performer_id == performer_id)
    return session.scalars(
        select(File)
        .options(defer(File.sealed, raiseload=True))
        .where(File.subject == SUBJECT, File.subject_id.in_(papers))
        .order_by(File.id)
    ).all()


def read_scan(session: Session, performer_id: int, position: int, *, actor: Actor) -> files.Content:
    """Open the n-th scan of a firm, counted from 1; audited. The caller found the firm; raises NotFound."""
    kept = scans_of_firm(session, performer_id)
    if not 1 <= position <= len(kept):
        raise NotFound
    return files.read_file(session, kept[position - 1].uid, actor=actor, purpose="firm_page")
