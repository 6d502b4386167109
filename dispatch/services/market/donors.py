"""Donors: entered once, found by name or whole telephone number, named on a statement only by consent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.market import Donor
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.phone import mask_phone, normalise_phone
from dispatch.rules.notify.delivery import is_email
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach, vault
from dispatch.services.grid.build import demand_community

LONGEST_NAME = 60
MOST_FOUND = 51
KINDS = frozenset({"person", "body"})


@dataclass(frozen=True, slots=True)
class DonorDraft:
    """Somebody who gives: a person or a body, reached how, and whether a statement may say the name."""

    name: str
    kind: str = "person"
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    is_overseas: bool = False
    is_named: bool = False


def phone_place(donor: Donor) -> str:
    """Where a donor's number is sealed."""
    return f"donors.phone.{donor.uid}"


def email_place(donor: Donor) -> str:
    """Where a donor's e-mail address is sealed."""
    return f"donors.email.{donor.uid}"


def seal_email(donor: Donor, said: str | None) -> None:
    """Keep the address at which a donor wants to be thanked, or none; raises Invalid("email")."""
    words = (said or "").strip()
    if words and not is_email(words):
        raise Invalid("email", "请填写完整的电子邮箱，感谢信从这里送达")
    donor.email = vault.seal(email_place(donor), words) if words else None


def email_of(donor: Donor) -> str:
    """The address, empty when none was left: for the one letter that leaves the house."""
    return vault.open_sealed(email_place(donor), donor.email) if donor.email else ""


def set_email(session: Session, donor_id: int, said: str, *, actor: Actor) -> Donor:
    """Note at which address a donor wants to be thanked, or at none any more; raises NotFound, Invalid("email")."""
    donor = find_donor(session, donor_id, actor=actor)
    seal_email(donor, said)
    session.flush()
    record(session, "set_donor_email" if donor.email else "forget_donor_email", donor, actor=actor)
    return donor


def add_donor(session: Session, community_id: int, draft: DonorDraft, *, actor: Actor, now: datetime) -> Donor:
    """Enter a donor; one of the same name and number is given instead. Raises Invalid, NotFound."""
    demand_community(actor, community_id)
    if draft.kind not in KINDS:
        raise Invalid("kind", "捐赠人请选个人或者单位")
    name = check_text("name", draft.name, LONGEST_NAME)
    if not name:
        raise Invalid("name", "请写明捐赠人的姓名或单位名称，不愿留名的不用登记")
    phone = normalise_phone(draft.phone) if draft.phone else None
    index = vault.blind_index("phone", phone) if phone else None
    known = known_donor(session, community_id, name, index) if index is not None else None
    if known is not None:
        return known
    donor = Donor(
        uid=uuid4(),
        community_id=community_id,
        kind=draft.kind,
        name=name,
        phone_index=index,
        is_overseas=draft.is_overseas,
        is_named=draft.is_named,
        created_by=actor.user_id,
        created_by_key=actor.api_key_id,
        created_at=now,
    )
    donor.phone = vault.seal(phone_place(donor), phone) if phone else None
    seal_email(donor, draft.email)
    session.add(donor)
    session.flush()
    record(session, "add_donor", donor, actor=actor)
    return donor


def known_donor(session: Session, community_id: int, name: str, index: bytes) -> Donor | None:
    """Who of the community has this name and number."""
    query = select(Donor).where(Donor.community_id == community_id, Donor.phone_index == index, Donor.name == name)
    return session.scalars(query.order_by(Donor.id).limit(1)).one_or_none()


def record(session: Session, deed: str, donor: Donor, *, actor: Actor) -> None:
    """The audit entry of what was done with a donor."""
    audit.record(session, f"market.{deed}", "donors", donor.id, actor=actor, community_id=donor.community_id)


def find_donor(session: Session, donor_id: int, *, actor: Actor) -> Donor:
    """A donor in reach; raises NotFound."""
    query = select(Donor).where(Donor.id == donor_id, reach.visible(Donor, actor))
    donor = session.scalars(query).one_or_none()
    if donor is None:
        raise NotFound
    return donor


def list_donors(
    session: Session, *, query: str = "", before: int | None = None, limit: int = MOST_FOUND, actor: Actor
) -> Sequence[Donor]:
    """Donors of the reach, newest first: by a part of the name or a whole telephone number."""
    found = select(Donor).where(reach.visible(Donor, actor))
    words = query.strip()
    if words:
        found = found.where(Donor.name.contains(words, autoescape=True) | (Donor.phone_index == index_of(words)))
    if before is not None:
        found = found.where(Donor.id < before)
    return session.scalars(found.order_by(Donor.id.desc()).limit(limit)).all()


def index_of(words: str) -> bytes:
    """The blind index of what may be a telephone number; of what is none, nobody's."""
    try:
        return vault.blind_index("phone", normalise_phone(words))
    except Invalid:
        return b""


def donor_phone(session: Session, donor: Donor, *, actor: Actor) -> str:
    """The whole number, empty when none was left; the reading is audited."""
    if donor.phone is None:
        return ""
    record(session, "read_donor_phone", donor, actor=actor)
    return vault.open_sealed(phone_place(donor), donor.phone)


def masked_phone_of_donor(donor: Donor) -> str:
    """The number with its middle hidden, empty when none was left."""
    return mask_phone(vault.open_sealed(phone_place(donor), donor.phone)) if donor.phone else ""


def set_named(session: Session, donor_id: int, *, is_named: bool, actor: Actor) -> Donor:
    """Note that a donor consents to be named on statements, or does no more; raises NotFound."""
    donor = find_donor(session, donor_id, actor=actor)
    donor.is_named = is_named
    session.flush()
    record(session, "name_donor" if is_named else "unname_donor", donor, actor=actor)
    return donor
