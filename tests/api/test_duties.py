"""The care calendar over HTTP: enrolled, paired, owed, met by a recorded visit, counted, excused, given to others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.rules.access.roles import Right
from dispatch.services.care.door import printed_code
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.care import ELDER, Calendar, calendar_of, home
from tests.factories.world import make_world

PLANS = (Right.VISITS_READ, Right.VISITS_PLAN, Right.VISITS_RECORD, Right.VISITS_APPROVE)
WORDS = "晚上睡不好"


@dataclass(frozen=True, slots=True)
class Scene:
    """A calendar with an elder at home; who plans, who only reads, and who plans elsewhere."""

    calendar: Calendar
    today: date
    elder: Mapping[str, int]
    planner: Caller
    reader: Caller
    stranger: Caller


@pytest.fixture
def scene(committed: Database) -> Scene:
    """Make it."""
    with committed.session() as session:
        made, other = calendar_of(session, make_world(session)), make_world(session)
        person, today = home(session, made, ELDER)[0], clock.today(clock.now(session))
        elder = {"resident_id": person.id, "household_id": person.household_id or 0}
        session.commit()
        here, there = made.world.district.id, other.district.id
    keys = (caller(committed, here, *PLANS), caller(committed, here, Right.VISITS_READ))
    return Scene(made, today, elder, *keys, caller(committed, there, *PLANS))


def post(who: Caller, path: str, *, key: str | None = None, **body: Any) -> TestResponse:
    """POST a body below /api/care."""
    headers = {"Authorization": f"Bearer {who.key}"} | ({"Idempotency-Key": key} if key else {})
    return who.client.post(f"/api/care{path}", json=body, headers=headers)


def items(who: Caller, path: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of a list below /api/care."""
    answer = who.get(f"/api/care{path}", **query)
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["items"])


def fields_of(answer: TestResponse) -> list[str]:
    """The fields that a refusal names."""
    assert answer.status_code == 422, answer.text
    return [one["field"] for one in (answer.json or {})["errors"]]


def told(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """The body of an answer with a status."""
    assert answer.status_code == status, answer.text
    return dict(answer.json or {})


def test_an_elder_is_enrolled_visited_and_counted(scene: Scene) -> None:
    who, month = scene.planner, f"{scene.today:%Y-%m}"
    counts = scene.today.replace(day=min(scene.today.day, 15)).isoformat()
    about = {"programme": "voucher", "resident_id": scene.elder["resident_id"], "starts_on": counts}
    assert fields_of(post(who, "/enrolments", **about | {"resident_id": None})) == ["resident_id"]
    assert post(scene.reader, "/enrolments", **about).status_code == 403
    made = told(post(who, "/enrolments", key="once", **about), 201)
    assert post(who, "/enrolments", key="once", **about).headers["Idempotency-Replayed"] == "true"
    assert post(who, "/enrolments", **about).status_code == 409
    helper = scene.calendar.helpers[0].id
    paired = told(post(who, f"/enrolments/{made['id']}/helpers", performer_id=helper, kind="community_worker"))
    assert [one["performer_id"] for one in paired["helpers"]] == [helper]

    owed = items(who, "/duties", resident_id=scene.elder["resident_id"], month=month, state="due")
    assert [(one["duty"], one["name"], one["enrolment_id"]) for one in owed] == [("monthly_visit", month, made["id"])]
    visit = {"household_id": scene.elder["household_id"], "kind": "visit", "mood": "low", "complaint": WORDS}
    assert fields_of(post(who, "/contacts", **visit | {"mood": None})) == ["mood"]
    assert fields_of(post(who, "/contacts", **visit, door_code="AAAA")) == ["door_code"]
    assert fields_of(post(scene.stranger, "/contacts", **visit)) == ["household_id"]
    proof = {"door_code": printed_code(scene.elder["household_id"]), "performer_id": helper}
    contact = told(post(who, "/contacts", **visit, **proof), 201)
    assert (contact["proof"], contact["complaint"]) == ("door_code", WORDS)
    met = items(who, "/duties", enrolment_id=made["id"], state="met", performer_id=owed[0]["helper_id"])
    assert [(one["id"], one["contact_id"]) for one in met] == [(owed[0]["id"], contact["id"])]
    rate = told(who.get("/api/care/visit-rate", month=month))
    assert [rate[name] for name in ("owed", "met", "counted", "permille")] == [1, 1, 1, 1000]

    assert [one["complaint"] for one in items(scene.reader, "/contacts")] == [None]
    for path in ("/enrolments", "/duties", "/contacts", "/absences", "/helpers"):
        assert items(scene.stranger, path) == []
    ended = told(post(who, f"/enrolments/{made['id']}/end", code="ended", reason="不要了"))
    assert (ended["ends_on"], ended["due"]) == (scene.today.isoformat(), [])
    assert [items(who, "/enrolments", ended=over) == [] for over in ("false", "true")] == [True, False]


def test_helpers_are_away_and_others_go(scene: Scene) -> None:
    who, (first, second) = scene.planner, (one.id for one in scene.calendar.helpers)
    made = told(post(who, "/enrolments", programme="pairing", household_id=scene.elder["household_id"]), 201)
    told(post(who, f"/enrolments/{made['id']}/helpers", performer_id=first, kind="volunteer"))
    period = next(one for one in items(who, "/duties", duty="visit") if one["helper_id"] == first)
    swapped = told(post(who, f"/duties/{period['id']}/helper", performer_id=second))
    assert (swapped["helper_id"], swapped["version"]) == (second, period["version"] + 1)
    days = {"starts_on": scene.today.isoformat(), "until": (scene.today + timedelta(days=60)).isoformat()}
    leave = told(post(who, f"/helpers/{second}/leaves", **days), 201)
    assert {one["helper_id"] for one in items(who, "/duties", state="due")} == {first}
    leaves = {one["performer_id"]: len(one["leaves"]) for one in items(who, "/helpers")}
    assert leaves == {first: 0, second: 1}
    assert fields_of(post(who, f"/helpers/{second}/resident", resident_id=2**40)) == ["resident_id"]
    linked = told(post(who, f"/helpers/{second}/resident", resident_id=scene.elder["resident_id"]))
    assert linked == {"performer_id": second, "resident_id": scene.elder["resident_id"]}
    assert linked.items() <= next(one for one in items(who, "/helpers") if one["performer_id"] == second).items()
    back = told(post(who, f"/leaves/{leave['id']}/end", until=scene.today.isoformat()))
    assert back["until"] == scene.today.isoformat()
    stops = items(who, f"/helpers/{first}/day", day=period["planned_on"])
    assert [one["duties"] for one in stops] == [["visit"]]
    assert fields_of(post(who, f"/duties/{period['id']}/excuse", code="away", words="去女儿家")) == ["code"]

    away = told(post(who, "/absences", resident_id=scene.elder["resident_id"], starts_on=days["starts_on"]), 201)
    assert (away["kind"], away["until"]) == ("away", None)
    home_again = told(post(who, f"/absences/{away['id']}/end", until=days["until"]))
    assert [home_again["until"], items(who, "/absences")] == [days["until"], []]
