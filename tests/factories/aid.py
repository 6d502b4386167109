"""Somebody who is given something: an application with evidence, approved by others than who registered it, a card."""

from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market import AidApplication
from dispatch.rules.access.roles import Role
from dispatch.rules.market.eligibility import OF_HOUSEHOLDS, Ground
from dispatch.services.market import applications, cards
from dispatch.services.market.applications import AidDraft
from dispatch.services.market.cards import NewCard
from tests.factories.visits import resident
from tests.factories.world import World, staff


def picture(colour: str = "white") -> bytes:
    """A photo of a paper."""
    target = BytesIO()
    Image.new("RGB", (60, 40), colour).save(target, "JPEG")
    return target.getvalue()


def applied(
    session: Session, world: World, *, ground: Ground = Ground.LONE_ELDER, evidence: int = 1, **changes: Any
) -> AidApplication:
    """An application of somebody new, or of whom the changes name, registered by a welfare worker."""
    said: dict[str, Any] = {"circumstances": "独居,没有收入", **changes}
    if not {"resident_id", "household_id"} & said.keys():
        person = resident(session, world)
        whole = ground in OF_HOUSEHOLDS
        said |= {"household_id": person.household_id} if whole else {"resident_id": person.id}
    clerk = said.pop("actor", None) or staff(session, world, Role.WELFARE)
    pictures = [picture()] * evidence
    draft = AidDraft(ground=ground, **said)
    return applications.apply(session, draft, evidence=pictures, actor=clerk, now=clock.now(session))


def approved(session: Session, world: World, **changes: Any) -> AidApplication:
    """The same, approved by as many of the centre as it needs."""
    made = applied(session, world, **changes)
    while made.standing in {"applied", "seconding"}:
        applications.approve(session, made, actor=staff(session, world, Role.CENTRE), now=clock.now(session))
    return made


def carded(session: Session, world: World, **changes: Any) -> NewCard:
    """The same with a card."""
    made = approved(session, world, **changes)
    clerk = staff(session, world, Role.WELFARE)
    return cards.issue(session, made.beneficiary_id, actor=clerk, now=clock.now(session))
