"""What can be asked over HTTP of an enrolment, a period, a pairing, a helper and an absence that an address names."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.care.terms import AbsenceKind
from dispatch.services import care
from tests.factories.care import ELDER, home
from tests.factories.world import World
from tests.house import care_deeds
from tests.house.care_deeds import ID, UNTIL, asked, enrolment, helper, leave, nothing, pairing, period, second

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
API = "/api/care"
ENROLMENT, PERIOD = f"{API}/enrolments/{ID.format('enrolment')}", f"{API}/duties/{ID.format('period')}"
HELPER = f"{API}/helpers/{ID.format('performer')}"


def absence(session: Session, world: World, _user_id: int) -> str:
    """Somebody who stays elsewhere since today."""
    made, now = care_deeds.calendar(session, world), clock.now(session)
    person = home(session, made, ELDER)[0]
    about = {"starts_on": clock.today(now), "actor": made.planner, "now": now}
    return str(care.begin_absence(session, person.id, AbsenceKind.AWAY, **about).id)  # type: ignore[arg-type]


DUTY_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", ENROLMENT): (enrolment, 200, nothing),
    ("POST", f"{ENROLMENT}/end"): (enrolment, 200, lambda _: {"code": "ended", "reason": "不要了"}),
    ("POST", f"{ENROLMENT}/helpers"): (
        enrolment,
        200,
        lambda world: {"performer_id": int(second(world)), "kind": "volunteer"},
    ),
    ("POST", f"{API}/pairings/{ID.format('pairing')}/end"): (pairing, 200, nothing),
    ("POST", f"{PERIOD}/excuse"): (period, 422, lambda _: {"code": "away", "words": "去女儿家"}),
    ("POST", f"{PERIOD}/excuse/approval"): (asked, 403, nothing),
    ("POST", f"{PERIOD}/excuse/refusal"): (asked, 403, nothing),
    ("POST", f"{PERIOD}/helper"): (period, 200, lambda world: {"performer_id": int(second(world))}),
    ("POST", f"{API}/absences/{ID.format('absence')}/end"): (absence, 200, lambda _: {"until": "2099-01-01"}),
    ("GET", f"{HELPER}/day"): (helper, 200, nothing),
    ("POST", f"{HELPER}/resident"): (helper, 200, lambda _: {"resident_id": None}),
    ("POST", f"{HELPER}/leaves"): (helper, 201, lambda _: {"starts_on": "2099-01-01", "until": "2099-01-02"}),
    ("POST", f"{API}/leaves/{ID.format('leave')}/end"): (
        leave,
        200,
        lambda world: {"until": UNTIL[world.community.id]},
    ),
}
