"""What somebody signed outside the house: the stroke on the screen or a photo of the signed paper, kept by its row."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import File
from dispatch.models.market import RoundEntry, Shipment
from dispatch.rules.access.images import SIGNATURE
from dispatch.rules.access.roles import Actor
from dispatch.services.access import files

SIGNED_PAPER = "signed_paper"


@dataclass(frozen=True, slots=True)
class Signed:
    """A drawn stroke (PNG), or else a picture of the paper that was signed."""

    stroke: bytes = b""
    paper: bytes = b""


def keep_signed(session: Session, row: RoundEntry | Shipment, signed: Signed, *, actor: Actor, now: datetime) -> File:
    """Keep what was signed for a locked row; raises Invalid naming signature or file."""
    if not signed.stroke and not signed.paper:
        raise Invalid("signature", "请在框里签名，或者上传签收单的照片")
    return files.store_image(
        session,
        signed.stroke or signed.paper,
        subject=row.__tablename__,
        subject_id=row.id,
        purpose=SIGNATURE if signed.stroke else SIGNED_PAPER,
        community_id=row.community_id,
        actor=actor,
        now=now,
    )


def is_signed(session: Session, row: RoundEntry | Shipment, *, actor: Actor) -> bool:
    """Whether a picture of the signature is kept."""
    return bool(files.list_files(session, row.__tablename__, row.id, actor=actor))


def read_signed(session: Session, row: RoundEntry | Shipment, *, actor: Actor) -> files.Content:
    """Open the newest picture of a row's signature; audited. Raises NotFound."""
    kept = files.list_files(session, row.__tablename__, row.id, actor=actor)
    if not kept:
        raise NotFound
    return files.read_file(session, kept[-1].uid, actor=actor, purpose=SIGNATURE)
