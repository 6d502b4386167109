"""Who has which key: a counsellor's with its two holders, a holder's own; passphrases change, private halves do not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.models.access import User
from dispatch.models.care import Counsellor, KeyShare, SealingKey
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit
from dispatch.services.care.counselling import counsellors, sealing
from dispatch.services.care.counselling.sealing import NewPassphrase
from dispatch.services.grid.build import demand_community

COUNSELLOR, HOLDER = "counsellor", "holder"
HOLDERS = 2


class HasKey(Conflict):
    """您已经有一把钥匙；口令忘了才换新的"""


class NoKey(Conflict):
    """您还没有钥匙，请先设一个口令"""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may keep a share: their key and their name."""

    key_id: int
    user_id: int
    name: str


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A counsellor's key as its page shows it: since when, and who keeps the shares."""

    since: datetime
    holders: Sequence[str] = field(default_factory=tuple)


def place_of(key: SealingKey, column: str) -> str:
    """Where a part of a key is wrapped."""
    return f"sealing_keys.{column}.{key.uid}"


def share_place(key: SealingKey, number: int) -> str:
    """Where a share of a key is sealed."""
    return f"key_shares.sealed.{key.uid}/{number}"


def current(session: Session, community_id: int, user_id: int | None, purpose: str) -> SealingKey | None:
    """Somebody's key of one purpose that is in use, locked."""
    query = select(SealingKey).where(
        SealingKey.community_id == community_id,
        SealingKey.user_id == user_id,
        SealingKey.purpose == purpose,
        SealingKey.ended_at.is_(None),
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def holders(session: Session, community_id: int, *, without: int | None = None) -> list[Holder]:
    """Who has a holder's key in a community and can log in."""
    query = (
        select(SealingKey.id, User.id, User.name)
        .join(User, User.id == SealingKey.user_id)
        .where(
            SealingKey.community_id == community_id,
            SealingKey.purpose == HOLDER,
            SealingKey.ended_at.is_(None),
            User.disabled_at.is_(None),
        )
        .order_by(User.name, User.id)
    )
    return [Holder(*row) for row in session.execute(query) if row[1] != without]


def make_holder_key(
    session: Session, community_id: int, passphrase: NewPassphrase, *, actor: Actor, now: datetime
) -> SealingKey:
    """Give whoever may hold shares a key of their own; raises NotFound, NotAllowed, Invalid, HasKey."""
    demand_community(actor, community_id)
    if actor.user_id is None:
        raise NotAllowed
    if current(session, community_id, actor.user_id, HOLDER) is not None:
        raise HasKey
    key, _ = made(session, community_id, HOLDER, passphrase, actor=actor, now=now)
    note(session, "make_holder_key", key, actor=actor)
    return key


def make_counsellor_key(
    session: Session,
    passphrase: NewPassphrase,
    holder_ids: Sequence[int],
    *,
    forgotten: bool = False,
    actor: Actor,
    now: datetime,
) -> SealingKey:
    """Give a counsellor a key, its second way split between two holders.

    With `forgotten` a new one takes the place of the old, which only both its holders still open. Raises NotAllowed,
    Invalid naming the field, HasKey.
    """
    counsellor = counsellors.own(session, actor=actor)
    before = current(session, counsellor.community_id, actor.user_id, COUNSELLOR)
    if before is not None and not forgotten:
        raise HasKey
    chosen = chosen_holders(session, counsellor, holder_ids)
    if before is not None:
        before.ended_at = now
        session.flush()
    key, private = made(session, counsellor.community_id, COUNSELLOR, passphrase, actor=actor, now=now)
    share_out(session, key, private, chosen, now=now)
    note(session, "replace_counsellor_key" if before is not None else "make_counsellor_key", key, actor=actor)
    return key


def made(
    session: Session, community_id: int, purpose: str, passphrase: NewPassphrase, *, actor: Actor, now: datetime
) -> tuple[SealingKey, bytes]:
    """A new key of the actor, and its private half for this moment; raises Invalid."""
    sealing.check_passphrase(passphrase)
    pair = sealing.make_key()
    key = SealingKey(
        uid=uuid4(),
        community_id=community_id,
        user_id=actor.user_id,
        purpose=purpose,
        public_key=pair.public,
        wrapped_at=now,
        created_at=now,
    )
    key.wrapped = sealing.wrap(passphrase, pair.private, place_of(key, "wrapped"))
    if purpose == COUNSELLOR:
        key.recovery = b""
    session.add(key)
    session.flush()
    return key, pair.private


def chosen_holders(session: Session, counsellor: Counsellor, holder_ids: Sequence[int]) -> list[SealingKey]:
    """The keys of two different people, neither of them the counsellor; raises Invalid."""
    known = {one.key_id for one in holders(session, counsellor.community_id, without=counsellor.user_id)}
    wanted = sorted(set(holder_ids))
    if len(wanted) != HOLDERS or not known.issuperset(wanted):
        raise Invalid("holder_ids", "请选两位不同的保管人；没有可选的，请先请他们设好口令")
    return list(session.scalars(select(SealingKey).where(SealingKey.id.in_(wanted)).order_by(SealingKey.id)))


def share_out(
    session: Session, key: SealingKey, private: bytes, chosen: Sequence[SealingKey], *, now: datetime
) -> None:
    """Make the second way to a key anew, for these two holders; what was shared before opens nothing more."""
    recovery = sealing.split(private, place_of(key, "recovery"))
    key.recovery = recovery.wrapped
    session.execute(delete(KeyShare).where(KeyShare.key_id == key.id))
    for number, (holder, share) in enumerate(zip(chosen, recovery.shares, strict=True), start=1):
        sealed = sealing.seal_for(holder.public_key, share_place(key, number), share)
        about = {"community_id": key.community_id, "key_id": key.id, "holder_key_id": holder.id}
        session.add(KeyShare(place=number, sealed=sealed, created_at=now, **about))
    session.flush()


def change_holders(
    session: Session, passphrase: str, holder_ids: Sequence[int], *, actor: Actor, now: datetime
) -> SealingKey:
    """Let two others hold the shares; raises NotAllowed, NoKey, WrongPassphrase, Invalid."""
    counsellor = counsellors.own(session, actor=actor)
    key = demanded(session, counsellor.community_id, COUNSELLOR, actor=actor)
    private = sealing.unwrap(passphrase, key.wrapped, place_of(key, "wrapped"))
    share_out(session, key, private, chosen_holders(session, counsellor, holder_ids), now=now)
    note(session, "change_key_holders", key, actor=actor)
    return key


def change_passphrase(
    session: Session, community_id: int, purpose: str, old: str, new: NewPassphrase, *, actor: Actor, now: datetime
) -> SealingKey:
    """Wrap one's own private key anew; what was sealed for it stays. Raises NoKey, WrongPassphrase, Invalid."""
    key = demanded(session, community_id, purpose, actor=actor)
    sealing.check_passphrase(new)
    private = sealing.unwrap(old, key.wrapped, place_of(key, "wrapped"))
    key.wrapped, key.wrapped_at = sealing.wrap(new, private, place_of(key, "wrapped")), now
    note(session, "change_passphrase", key, actor=actor)
    return key


def demanded(session: Session, community_id: int, purpose: str, *, actor: Actor) -> SealingKey:
    """The actor's own key; raises NotFound, NoKey."""
    demand_community(actor, community_id)
    key = current(session, community_id, actor.user_id, purpose) if actor.user_id is not None else None
    if key is None:
        raise NoKey
    return key


def own_key(session: Session, counsellor: Counsellor) -> OwnKey | None:
    """Since when a counsellor has a key, and who holds its shares; None without one."""
    query = select(SealingKey.id, SealingKey.created_at).where(
        SealingKey.community_id == counsellor.community_id,
        SealingKey.user_id == counsellor.user_id,
        SealingKey.purpose == COUNSELLOR,
        SealingKey.ended_at.is_(None),
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    names = (
        select(User.name)
        .join(SealingKey, SealingKey.user_id == User.id)
        .join(KeyShare, KeyShare.holder_key_id == SealingKey.id)
        .where(KeyShare.key_id == found.id)
        .order_by(KeyShare.place)
    )
    return OwnKey(found.created_at, session.scalars(names).all())


def holds(session: Session, community_id: int, *, actor: Actor) -> bool:
    """Whether the actor has a holder's key in a community."""
    return any(one.user_id == actor.user_id for one in holders(session, community_id))


def note(session: Session, deed: str, key: SealingKey, *, actor: Actor) -> None:
    """The audit entry of what was done with a key."""
    audit.record(session, f"care.{deed}", "sealing_keys", key.id, actor=actor, community_id=key.community_id)
