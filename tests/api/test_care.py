"""Schedules of visits over HTTP: planned once per key, refused by the name of the part, changed, ended, hidden."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from dispatch.models.care import VisitSchedule
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Right
from tests.api.calling import Caller, caller
from tests.conftest import Database
from tests.factories.visits import helper, resident, visit_service
from tests.factories.world import make_world

TOMORROW = "2099-11-24T09:00:00"
RIGHTS = (Right.VISITS_READ, Right.VISITS_PLAN)


@dataclass(frozen=True, slots=True)
class Scene:
    """A committed world, a planner of it, and a planner of another district."""

    database: Database
    planner: Caller
    stranger: Caller
    reader: Caller
    body: dict[str, Any]


@pytest.fixture
def scene(committed: Database) -> Scene:
    """A resident, a kind and a helper; keys of two districts."""
    with committed.session() as session:
        world, other = make_world(session), make_world(session)
        kind = visit_service(session, world)
        body = {
            "resident_id": resident(session, world).id,
            "service_code": kind.code,
            "dtstart": TOMORROW,
            "rrule": "FREQ=WEEKLY;BYDAY=TU,TH",
            "window_minutes": 90,
            "performer_id": helper(session, world, [kind]).id,
        }
        session.commit()
        here, there = world.district.id, other.district.id
    return Scene(
        committed,
        caller(committed, here, *RIGHTS),
        caller(committed, there, *RIGHTS),
        caller(committed, here, Right.VISITS_READ),
        body,
    )


def send(who: Caller, method: str, path: str, body: dict[str, Any], key: str | None = None) -> TestResponse:
    """A request with a JSON body."""
    headers = {"Authorization": f"Bearer {who.key}"} | ({"Idempotency-Key": key} if key else {})
    return who.client.open(path, method=method, json=body, headers=headers)


def told(answer: TestResponse) -> dict[str, Any]:
    """The JSON of an answer."""
    assert answer.json is not None, answer.text
    return dict(answer.json)


def plan(scene: Scene, **changes: Any) -> TestResponse:
    """Plan visits."""
    return send(scene.planner, "POST", "/api/visit-schedules", scene.body | changes)


def test_a_schedule_is_planned_and_shown(scene: Scene) -> None:
    answer = plan(scene)
    assert answer.status_code == 201
    made = told(answer)
    assert made["dtstart"] == "2099-11-24T09:00:00+08:00"
    assert (made["rrule"], made["window_minutes"], made["version"]) == ("FREQ=WEEKLY;BYDAY=TU,TH", 90, 1)
    assert answer.headers["Location"] == f"/api/visit-schedules/{made['id']}"
    assert told(scene.reader.get(answer.headers["Location"])) == made
    assert told(scene.reader.get("/api/visit-schedules"))["items"] == [made]


def test_the_same_key_plans_once(scene: Scene) -> None:
    first = send(scene.planner, "POST", "/api/visit-schedules", scene.body, "k1")
    again = send(scene.planner, "POST", "/api/visit-schedules", scene.body, "k1")
    other = send(scene.planner, "POST", "/api/visit-schedules", scene.body | {"window_minutes": 60}, "k1")
    assert told(first) == told(again)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert other.status_code == 422
    with scene.database.session() as session:
        assert session.scalar(select(func.count()).select_from(VisitSchedule)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rrule": "FREQ=SECONDLY"}, "FREQ"),
        ({"rrule": "FREQ=HOURLY"}, "FREQ"),
        ({"rrule": "FREQ=DAILY;BYSECOND=1"}, "BYSECOND"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL"),
        ({"dtstart": "2020-01-01T09:00:00"}, "DTSTART"),
        ({"dtstart": "tomorrow"}, "dtstart"),
        ({"window_minutes": 1}, "window_minutes"),
        ({"resident_id": 999_999}, "resident_id"),
        ({"service_code": "drain_clearing"}, "service_code"),
        ({"service_code": "nothing"}, "service_code"),
        ({"performer_id": None}, "performer_id"),
        ({"note": "a\x00b"}, "note"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(scene: Scene, changes: dict[str, Any], field: str) -> None:
    answer = plan(scene, **changes)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert field in [error["field"] for error in told(answer)["errors"]]
    with scene.database.session() as session:
        assert session.scalar(select(func.count()).select_from(VisitSchedule)) == 0
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_schedule_is_changed_with_a_reason_and_refused_when_stale(scene: Scene) -> None:
    made = told(plan(scene))
    path = f"/api/visit-schedules/{made['id']}"
    body = {"reason": "老人要求改到下午", "rrule": "FREQ=WEEKLY;BYDAY=WE", "version": 1}
    changed = send(scene.planner, "PATCH", path, body)
    assert changed.status_code == 200
    assert (told(changed)["rrule"], told(changed)["version"]) == ("FREQ=WEEKLY;BYDAY=WE", 2)
    assert send(scene.planner, "PATCH", path, body).status_code == 409
    assert send(scene.planner, "PATCH", path, {"reason": "没有内容"}).status_code == 422
    assert send(scene.planner, "PATCH", path, {"rrule": "FREQ=DAILY"}).status_code == 422


def test_a_schedule_is_ended_and_then_left_alone(scene: Scene) -> None:
    path = f"/api/visit-schedules/{told(plan(scene))['id']}"
    ended = send(scene.planner, "DELETE", path, {"reason": "老人搬走了"})
    assert ended.status_code == 200
    assert told(ended)["end_reason"] == "老人搬走了"
    assert send(scene.planner, "DELETE", path, {"reason": "再来"}).status_code == 200
    assert send(scene.planner, "PATCH", path, {"reason": "再改", "note": "x"}).status_code == 409
    assert told(scene.reader.get("/api/visit-schedules"))["items"] == []
    assert len(told(scene.reader.get("/api/visit-schedules", ended="true"))["items"]) == 1


def test_visits_are_listed_with_their_orders(scene: Scene) -> None:
    made = told(plan(scene, dtstart="2027-01-05T09:00:00"))
    answer = scene.reader.get(f"/api/visit-schedules/{made['id']}/occurrences")
    assert told(answer) == {"items": []}


def test_others_see_and_touch_nothing(scene: Scene) -> None:
    path = f"/api/visit-schedules/{told(plan(scene))['id']}"
    assert scene.stranger.get(path).status_code == 404
    assert scene.stranger.get(f"{path}/occurrences").status_code == 404
    assert send(scene.stranger, "DELETE", path, {"reason": "不关我事"}).status_code == 404
    assert send(scene.stranger, "PATCH", path, {"reason": "不关我事", "note": "x"}).status_code == 404
    assert told(scene.stranger.get("/api/visit-schedules"))["items"] == []
    assert scene.reader.get("/api/visit-schedules/99999999999999999999").status_code == 404


def test_planning_needs_its_right(scene: Scene) -> None:
    assert send(scene.reader, "POST", "/api/visit-schedules", scene.body).status_code == 403
    assert scene.planner.client.get("/api/visit-schedules").status_code == 401


def test_statements_are_open_to_everybody(scene: Scene) -> None:
    answer = scene.planner.client.get("/api/statements")
    assert (answer.status_code, told(answer)) == (200, {"items": [], "next": None})
    assert scene.planner.client.get("/api/statements", query_string={"cursor": "???"}).status_code == 422


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (None, "频率FREQ只能是DAILY、WEEKLY、MONTHLY或YEARLY。"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "频率FREQ只能是DAILY、WEEKLY、MONTHLY或YEARLY。"),
        ("en-GB,en;q=0.9", "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY."),
        ("de", "频率FREQ只能是DAILY、WEEKLY、MONTHLY或YEARLY。"),
    ],
)
def test_a_refusal_is_told_in_the_language_that_was_asked_for(scene: Scene, language: str | None, words: str) -> None:
    headers = {"Authorization": f"Bearer {scene.planner.key}"} | ({"Accept-Language": language} if language else {})
    answer = scene.planner.client.post(
        "/api/visit-schedules", json=scene.body | {"rrule": "FREQ=HOURLY"}, headers=headers
    )
    assert told(answer)["errors"] == [{"field": "FREQ", "message": words}]


def test_what_the_shape_of_a_body_lacks_is_told_in_that_language_too(scene: Scene) -> None:
    headers = {"Authorization": f"Bearer {scene.planner.key}", "Accept-Language": "en"}
    answer = scene.planner.client.post("/api/visit-schedules", json=scene.body | {"rrule": ""}, headers=headers)
    assert told(answer)["errors"] == [{"field": "rrule", "message": "Between 1 and 500 characters"}]
