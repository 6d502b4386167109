"""Photos, scans and signatures: kept encrypted in the database, read with right and audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import File
from dispatch.models.orders import Order
from dispatch.rules.access.images import FIELD_OF_PURPOSE, MOST_PER_SUBJECT, clean_image
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.access import audit, reach, vault

OF_WORK = frozenset({Right.ORDERS_READ, Right.ORDERS_WORK})
READERS_OF = {
    "papers": frozenset({Right.FIRMS_EDIT}),
    "aid_applications": frozenset({Right.BENEFICIARIES_READ}),
    "hand_outs": frozenset({Right.MARKET_READ}),
    "agreements": frozenset({Right.CAMPAIGNS_READ}),
    "round_entries": frozenset({Right.CAMPAIGNS_READ}),
    "shipments": frozenset({Right.CAMPAIGNS_READ}),
    "festival_pictures": frozenset({Right.LIFE_READ}),
}
"""Who reads the pictures of a table that the work with orders does not open, by one of these rights."""
READERS = OF_WORK.union(*READERS_OF.values())


@dataclass(frozen=True, slots=True)
class Content:
    """A file opened for reading."""

    media_type: str
    data: bytes


def store_image(
    session: Session,
    data: bytes,
    *,
    subject: str,
    subject_id: int,
    purpose: str,
    community_id: int | None,
    actor: Actor,
    now: datetime,
) -> File:
    """Keep a picture for a row (`subject` is its table): made anew, without metadata, encrypted.

    JPEG, PNG or WebP up to 10 MB and 40 Mpx, five of a purpose for one row; a signature is a PNG up to
    256 kB. Raises Invalid naming photos, signature, scan or file. The caller has locked the row.
    """
    picture = clean_image(data, purpose)
    kept = session.execute(
        select(func.count()).where(File.subject == subject, File.subject_id == subject_id, File.purpose == purpose)
    ).scalar_one()
    if kept >= MOST_PER_SUBJECT:
        raise Invalid(FIELD_OF_PURPOSE.get(purpose, "file"), "最多可以上传 %(most)s 张图片", most=MOST_PER_SUBJECT)
    uid = uuid4()
    stored = File(
        uid=uid,
        community_id=community_id,
        subject=subject,
        subject_id=subject_id,
        purpose=purpose,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        digest=vault.sign("files.digest", picture.content),
        sealed=vault.seal_bytes(place_of(uid), picture.content),
        created_at=now,
    )
    session.add(stored)
    session.flush()
    audit.record(session, "files.store", "files", stored.id, actor=actor, community_id=community_id)
    return stored


def list_files(session: Session, subject: str, subject_id: int, *, actor: Actor) -> Sequence[File]:
    """The files of a row that the actor may see, oldest first, without their content."""
    return session.scalars(
        select(File)
        .options(defer(File.sealed, raiseload=True))
        .where(File.subject == subject, File.subject_id == subject_id, reach.visible(File, actor))
        .order_by(File.id)
    ).all()


def read_file(session: Session, uid: UUID, *, actor: Actor, purpose: str | None = None) -> Content:
    """Open a file; the reading is audited. Raises NotAllowed, NotFound (also for a row that is out of reach)."""
    if not actor.rights & READERS:
        raise NotAllowed
    stored = session.scalars(select(File).where(File.uid == uid, reach.visible(File, actor))).one_or_none()
    if stored is None or not is_subject_visible(session, stored, actor):
        raise NotFound
    audit.record(
        session,
        "files.read",
        "files",
        stored.id,
        actor=actor,
        community_id=stored.community_id,
        purpose=purpose,
    )
    return Content(stored.media_type, vault.open_bytes(place_of(uid), stored.sealed))


def is_subject_visible(session: Session, stored: File, actor: Actor) -> bool:
    """Whether the actor reads files of that table; of an order, whether it is in the actor's own part of the reach."""
    if not actor.rights & READERS_OF.get(stored.subject, OF_WORK):
        return False
    if stored.subject != Order.__tablename__:
        return True
    found = session.execute(select(Order.id).where(Order.id == stored.subject_id, reach.visible_orders(actor)))
    return found.first() is not None


def place_of(uid: UUID) -> str:
    """Where a file's content is sealed."""
    return f"files.sealed.{uid}"
