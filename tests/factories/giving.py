"""Rows for giving: the kind of order that fetches a pledge, a pledge of goods or money, a partner with an agreement."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from dispatch.models.catalogue import Service
from dispatch.models.market import Agreement, Pledge
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.market.campaigns import AgreementPurpose, PartnerKind
from dispatch.rules.market.pledges import PledgeKind, PledgeSource, Promise
from dispatch.services import market
from dispatch.services.market import AgreementDraft, PartnerDraft, PledgeDraft
from tests.factories.world import World, service

OF_PROMISE = frozenset({"words", "fen", "address_text", "wanted_from", "wanted_until"})


def fetch_kind(session: Session, world: World) -> Service:
    """The kind that fetches what was promised, as the seed has it."""
    return service(
        session,
        world.district,
        "pledge_fetch",
        offered=["programme"],
        performer="helper",
        given="take_from_list",
        callback=False,
        in_figures=False,
    )


def goods_promise(world: World, **changes: Any) -> dict[str, Any]:
    """What is said of two quilts at the first stairwell."""
    at = world.buildings[0].address
    return {
        "kind": PledgeKind.GOODS,
        "words": "两床棉被",
        "address_text": f"{at[:-2]} {at[-2:]}1单元101",
        "name": "陈桂花",
        "phone": "13800005678",
    } | changes


def pledge_draft(said: dict[str, Any], source: PledgeSource = PledgeSource.LINE) -> PledgeDraft:
    """The draft of what was said."""
    promise = Promise(said["kind"], **{name: said[name] for name in OF_PROMISE & said.keys()})
    who = {name: value for name, value in said.items() if name not in OF_PROMISE | {"kind"}}
    return PledgeDraft(promise, source, **who)


def make_pledge(session: Session, world: World, *, actor: Actor = SYSTEM, now: datetime, **changes: Any) -> Pledge:
    """A pledge of goods by the donation line, unless told otherwise."""
    draft = pledge_draft(goods_promise(world, **changes))
    return market.take_pledge(session, world.community.id, draft, actor=actor, now=now)


def make_agreement(
    session: Session, world: World, *, signed_on: date, now: datetime, number: str = "2026-1", **changes: Any
) -> Agreement:
    """An agreement about a sale with a charity of its own."""
    partner = PartnerDraft(PartnerKind.CHARITY, f"慈善总会{number}")
    made = market.add_partner(session, world.community.id, partner, actor=SYSTEM, now=now)
    values: dict[str, Any] = {"purpose": AgreementPurpose.SALE, "words": "义卖所得全部归入爱心基金"}
    draft = AgreementDraft(number=number, signed_on=signed_on, **(values | changes))
    return market.sign_agreement(session, made.id, draft, actor=SYSTEM, now=now)
