"""抢单: two hundred phones take one order at the same moment, through the real web server."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier

from sqlalchemy import func, select

from dispatch import clock
from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import EVERYTHING, Role
from dispatch.services import orders
from dispatch.services.access import vault
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.world import make_world, staff
from tests.web.access.test_proxy import web

PHONES = 200
BUSY = 503
TRIES = 20
TAKEN = ("offer_taken", "这一单已由别人接下")


def offered_to_all() -> tuple[int, list[str]]:
    """An order that two hundred firms are offered, committed: its id and their links."""
    with transaction(EVERYTHING) as session:
        world = make_world(session, firms=PHONES)
        world.plumbing.given = "offer_all"
        draft = orders.OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
        now = clock.now(session)
        order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
        orders.route(session, order.id, now=now)
        rows = session.execute(select(Notice.dedupe, Notice.secret).where(Notice.template == "offer"))
        return order.id, [vault.open_sealed(f"notices.secret.{dedupe}", secret) for dedupe, secret in rows]


def speak(port: int, method: str, path: str) -> tuple[int, dict[str, str]]:
    """One request of a phone's script, repeated while the house has no room (503), as the script does."""
    for _ in range(TRIES):
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request(method, path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != BUSY:
            return answer.status, json.loads(body)
    raise TimeoutError(path)


def test_of_two_hundred_phones_one_gets_the_order_and_each_other_hears_so_once(
    committed: Database, tmp_path: Path
) -> None:
    order_id, tokens = offered_to_all()
    assert len(tokens) == PHONES
    barrier = Barrier(PHONES)

    with web(committed, tmp_path, processes=2) as port, ThreadPoolExecutor(PHONES) as pool:

        def take(token: str) -> tuple[int, dict[str, str]]:
            barrier.wait()
            return speak(port, "POST", f"/w/{token}/accept")

        answers = list(pool.map(take, tokens))
        again = list(pool.map(take, tokens))
        shown = list(pool.map(lambda token: speak(port, "GET", f"/w/{token}"), tokens))

    assert sorted(status for status, _ in answers) == [200, *[409] * (PHONES - 1)]
    winner = next(place for place, (status, _) in enumerate(answers) if status == 200)
    losers = [place for place in range(PHONES) if place != winner]
    for once in (answers, again):
        assert {(once[place][1]["code"], once[place][1]["detail"]) for place in losers} == {TAKEN}
    assert again[winner][1]["code"] == "already_accepted"
    assert {(shown[place][0], shown[place][1]["stage"]) for place in losers} == {(410, "taken")}
    assert shown[winner][1]["stage"] == "accepted"

    with transaction(EVERYTHING) as session:
        by_outcome = select(OfferRecipient.outcome, func.count()).group_by(OfferRecipient.outcome)
        assert dict(session.execute(by_outcome).all()) == {"accepted": 1, "lost": PHONES - 1}
        lost = set(session.scalars(select(OfferRecipient.performer_id).where(OfferRecipient.outcome == "lost")))
        told = session.scalars(select(Notice.performer_id).where(Notice.template == "taken")).all()
        assert (len(told), set(told)) == (PHONES - 1, lost)
        assert session.scalars(select(Offer.outcome)).all() == ["accepted"]
        assert session.get_one(Order, order_id).performer_id not in lost
