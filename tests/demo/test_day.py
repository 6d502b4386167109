"""The lived day without an installation: its agenda, its pictures, and a checker that can find faults."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from dispatch.demo.calls import DraftCall
from dispatch.demo.community import Community
from dispatch.demo.day.agenda import Agenda
from dispatch.demo.day.firms import photo, signature
from dispatch.demo.day.live import next_midnight, source_of
from dispatch.demo.day.people import by_daylight
from dispatch.demo.day.report import Findings, check_history, check_order, check_received, lines, spread
from dispatch.demo.day.story import Story, Told
from dispatch.demo.day.wire import Part, is_for_later, multipart
from dispatch.gateways.messages.received import Received
from dispatch.rules.shanghai import SHANGHAI

NOON = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)


def event(version: int, action: str, minute: int = 0, **facts: object) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=minute)).isoformat()
    return {"version": version, "action": action, "at": at, "facts": facts}


def received(channel: str, message_id: str, link: str = "http://a/w/1", code: str = "F001") -> Received:
    return Received(1, NOON, channel, code, message_id, repeat=False, order_number="HQ1", text="", link=link)


def checked(events: list[dict[str, Any]]) -> Findings:
    found = Findings()
    check_history(found, "HQ1", events)
    return found


def test_deeds_are_done_in_their_order_and_not_before_their_time() -> None:
    agenda, done = Agenda(), []

    def noting(word: str) -> Callable[[], None]:
        return lambda: done.append(word)

    agenda.at(NOON + timedelta(hours=1), noting("later"))
    agenda.at(NOON, noting("first"))
    agenda.at(NOON, noting("second"))

    assert agenda.do_due(lambda: NOON) == 2
    assert done == ["first", "second"]
    assert agenda.next_at == NOON + timedelta(hours=1)


def test_a_lapsed_round_before_the_one_who_accepts_is_a_history_without_fault() -> None:
    found = checked([event(1, "receive"), event(2, "next_round"), event(3, "accept", 7, round=2)])

    assert found.is_kept
    assert (found.first_round, found.minutes) == (0, [7.0])


def test_a_second_acceptance_without_a_release_is_found() -> None:
    found = checked([event(1, "receive"), event(2, "accept", 1, round=1), event(3, "accept", 2, round=1)])

    assert found.faults == ["HQ1: assigned twice"]


@pytest.mark.parametrize("freed_by", ["withdraw_performer", "reopen", "reassign"])
def test_an_acceptance_after_a_release_is_no_fault(freed_by: str) -> None:
    assert checked([event(1, "accept", 1), event(2, freed_by), event(3, "accept", 9)]).is_kept


def test_a_gap_in_the_history_is_found() -> None:
    assert checked([event(1, "receive"), event(3, "accept")]).faults == ["HQ1: its history has a gap"]


def test_an_order_in_a_state_that_does_not_exist_is_found() -> None:
    found = Findings()

    check_order(found, {"number": "HQ1", "state": "vanished", "reopened": 0})

    assert found.faults == ["HQ1: unknown state vanished"]


def test_an_offer_told_in_two_different_messages_is_found() -> None:
    found = Findings()

    check_received(found, [received("webhook", "one"), received("webhook", "two")])

    assert not found.is_kept


def test_a_webhook_that_came_again_is_counted_and_no_fault() -> None:
    found = Findings()

    check_received(found, [received("webhook", "one"), received("webhook", "one")])

    assert found.is_kept
    assert found.repeats["webhook"] == 1


@pytest.mark.parametrize(("times", "kept"), [(2, True), (3, False)])
def test_a_mail_may_come_twice_and_no_more(times: int, *, kept: bool) -> None:
    found = Findings()

    check_received(found, [received("email", "one")] * times)

    assert found.is_kept is kept


def test_the_report_names_each_fault(draft: DraftCall) -> None:
    story = Story(1, {"HQ1": Told(draft, "HQ1", NOON)})
    found = Findings(faults=["HQ1: lost (404)"])

    assert "违约 · BROKEN: HQ1: lost (404)" in lines(story, found, kills=1, repeats=0)


def test_no_minutes_are_told_where_nobody_accepted() -> None:
    assert spread([]) == "—"


def test_the_same_facts_are_always_decided_alike_and_another_seed_otherwise() -> None:
    def drawn(seed: int) -> float:
        return Story(seed).chance("offer", 7, "F001", 1).random()

    assert drawn(1) == drawn(1) != drawn(2)


def test_pictures_are_small_real_images() -> None:
    for content, form in ((photo(Story(1).chance("photo")), "JPEG"), (signature(Story(1).chance("signature")), "PNG")):
        assert Image.open(BytesIO(content)).format == form
        assert len(content) < 50_000


def test_a_form_with_a_file_ends_with_its_boundary() -> None:
    body, content_type = multipart({"result": "done"}, (Part("photos", "a.jpg", "image/jpeg", b"\xff"),))

    boundary = content_type.rpartition("=")[2].encode()
    assert body.count(boundary) == 3
    assert body.endswith(b"--" + boundary + b"--\r\n")


@pytest.mark.parametrize(("hour", "day", "then"), [(3, 24, 9), (9, 24, 9), (13, 24, 13), (17, 25, 9), (23, 25, 9)])
def test_nobody_books_a_visit_for_the_night(hour: int, day: int, then: int) -> None:
    wanted = by_daylight(NOON.replace(hour=hour).astimezone(UTC))

    assert (wanted.day, wanted.hour) == (day, then)


def test_the_day_begins_at_the_next_midnight_of_shanghai() -> None:
    assert next_midnight(datetime(2026, 11, 23, 16, 30, tzinfo=UTC)) == datetime(2026, 11, 25, tzinfo=SHANGHAI)


def test_everybody_asks_from_an_address_of_loopback() -> None:
    assert source_of("F001") == source_of("F001") != source_of("F002")
    assert source_of("F001").startswith("127.77.")


@pytest.mark.parametrize(
    ("path", "status", "later"),
    [("/api/orders", 503, True), ("/w/x", 429, True), ("/login", 429, False), ("/api/orders", 409, False)],
)
def test_what_is_asked_again_is_only_what_may_be_answered_later(path: str, status: int, *, later: bool) -> None:
    assert is_for_later(path, status) is later


@pytest.fixture
def draft(community: Community) -> DraftCall:
    """Some call."""
    resident = next(one for one in community.register.residents if one.phone)
    return DraftCall(
        number=1,
        minute=600,
        caller_name=resident.name,
        caller_phone=resident.phone,
        resident_code=resident.code,
        address_text="后庆小区3幢2单元501",
        address_style="short",
        place_level="stairwell",
        description="下水道堵了",
        answers=(),
        wanted_in_hours=None,
        kind_code="drain_clearing",
        stairwell_code="B003-2",
        area_code="A1",
        duplicate_of=None,
        is_emergency=False,
        is_outside_hours=False,
    )
