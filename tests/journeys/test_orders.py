"""Lives of orders from the call to the end, through HTTP, webhooks and mail."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.faults.town import town
from tests.journeys.people import OK, SOON_SECONDS, People

GONE = 410
CONFLICT = 409

pytestmark = pytest.mark.xdist_group("journeys")
"""What stands up once for all tests of this file is slow to make: they run in one process."""


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """A town on a working day at ten."""
    with town() as started:
        them = People(started)
        them.sets_clock(started.next_working_morning())
        yield them


def test_a_call_is_routed_worked_fed_back_called_back_and_closed(people: People) -> None:
    number = str(people.call("厨房水管漏水")["number"])
    people.works(people.offer(number))
    assert people.state(number) == "finished"
    people.says(number, "feedback", {"answer": "水管已修好"})
    people.calls_back(number, solved=True)
    assert people.state(number) == "closed"
    assert people.actions(number) == [
        "receive", "complete_intake", "dispatch", "sign", "open_round", "accept", "set_out", "arrive", "finish",
        "feed_back", "start_callback", "record_callback_try", "close",
    ]  # fmt: skip


def test_what_the_caller_finds_unsolved_is_done_again(people: People) -> None:
    number = str(people.call("水龙头关不紧")["number"])
    people.works(people.offer(number))
    people.says(number, "feedback", {"answer": "已换垫圈"})
    people.calls_back(number, solved=False)
    people.works(people.offer(number, 2))
    assert people.order(number)["reopened"] == 1
    assert people.state(number) == "finished"


def test_a_declined_order_goes_to_the_next_and_a_silent_one_loses_it_to_the_third(people: People) -> None:
    number = str(people.call("下水道慢")["number"])
    first = people.offer(number)
    assert people.does(first, "decline", reason="busy") == OK
    second = people.offer(number, 2)
    assert second.performer_code != first.performer_code
    people.later(timedelta(minutes=11))
    third = people.offer(number, 3)
    assert third.performer_code not in {first.performer_code, second.performer_code}
    assert people.does(second, "accept") in {CONFLICT, GONE}
    assert people.does(third, "accept") == OK
    assert people.state(number) == "accepted"


def test_a_firm_without_a_system_gets_mail_over_smtp_and_takes_the_order_by_its_link(people: People) -> None:
    number = str(people.call("阳台漏水")["number"])
    people.offer(number)
    ((performer_id, code),) = people.town.rows(
        "SELECT performers.id, performers.code FROM performers JOIN papers ON papers.performer_id = performers.id "
        "WHERE channel = 'email' AND performers.kind = 'firm' AND is_active AND suspended_until IS NULL "
        "GROUP BY performers.id HAVING min(papers.valid_until) > '2027-06-01' ORDER BY performers.id LIMIT 1"
    )
    people.says(number, "dispatch", {"performer_id": performer_id, "reason": "居民指定"})
    mail = people.offer(number, 2)
    assert (mail.channel, mail.performer_code) == ("email", code)
    assert number in mail.text
    assert people.does(mail, "accept") == OK


def test_a_call_from_nowhere_is_kept_alarmed_settled_and_routed(people: People) -> None:
    order = people.call("路灯不亮", address_text="月亮背面第三棵桂花树旁")
    number = str(order["number"])
    assert (order["state"], order["place_outcome"]) == ("received", "unresolved")
    people.later(timedelta(minutes=6))
    query = (
        "SELECT count(*) FROM alarms JOIN orders ON orders.id = alarms.order_id "
        "WHERE number = %(number)s AND kind = 'place_unresolved'"
    )
    people.town.until(lambda: people.town.rows(query, {"number": number})[0][0] == 1, "alarm", SOON_SECONDS)
    people.says(number, "place", {"stairwell_id": people.stairwell()})
    assert people.does(people.offer(number), "accept") == OK


def test_after_all_of_it_the_promise_holds(people: People) -> None:
    people.town.command("verify")
