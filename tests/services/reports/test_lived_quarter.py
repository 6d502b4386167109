"""A lived quarter: the counter, a round of parcels, a relief shipment, money spent: all of it is in the statement."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Organisation
from dispatch.rules.market.shipments import Destination
from dispatch.rules.reports.periods import quarter_of
from dispatch.services import market
from dispatch.services.market import ReceivedLine, ShipmentDraft
from dispatch.services.reports.disclosing import days_of_quarter
from dispatch.services.reports.disclosing.body import body_of
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import milk_of, settle, take_in
from tests.services.market.test_rounds import Year, frozen, make_year
from tests.services.market.test_rounds import sign as sign_parcel

COATS = 60
PERSONS = 180


def said(session: Session, community_id: int) -> dict[str, object]:
    """What the statement of this quarter would say now."""
    settle(session)
    first, last = days_of_quarter(quarter_of(clock.now(session)))
    return body_of(session, session.get_one(Organisation, community_id), first, last)


def parcels(session: Session, year: Year, count: int) -> None:
    """So many households are reached by the round; two people live in each home."""
    for one in year.residents:
        session.execute(
            text(
                "INSERT INTO residents (uid, community_id, household_id, name, name_key) "
                "VALUES (gen_random_uuid(), :community, :home, '陈公公', 'chen gong gong')"
            ),
            {"community": one.community_id, "home": one.household_id},
        )
    for entry in frozen(session, year)[:count]:
        market.send_parcel(session, entry.id, actor=year.shop.keeper, now=clock.now(session))
        sign_parcel(session, year, entry)


def shipment(session: Session, year: Year) -> None:
    """Sixty coats to a town, five of them lost on the way."""
    shop, now = year.shop, clock.now(session)
    take_in(session, shop, shop.coat, 100)
    draft = ShipmentDraft(
        facility_id=shop.facility.id,
        destination=Destination("丽水市", "莲都区", "碧湖镇"),
        receiver="碧湖镇人民政府",
        persons=PERSONS,
        sends_on=shop.today,
        consumed_by=shop.today,
        lines={shop.coat.id: COATS},
    )
    made = market.plan_shipment(session, draft, actor=shop.keeper, now=now)
    market.send_shipment(session, made.id, actor=shop.keeper, now=now)
    assert said(session, shop.world.community.id)["beneficiaries"]["relief"] == {"persons": 0, "households": 0}  # type: ignore[index]
    received = {shop.coat.id: ReceivedLine(COATS - 5, 0)}
    market.sign_shipment(session, made.id, "王主任", received, actor=shop.keeper, now=now)


def test_parcels_and_shipments_stand_beside_the_counter(session: Session) -> None:
    year = make_year(session)
    community_id = year.shop.world.community.id
    take_in(session, year.shop, year.shop.rice, 5_000, produced_on=year.shop.today)
    milk_of(session, year.shop, 30, 5)
    for _ in range(3):
        made = reserve(session, year.shop, card_of(session, year.shop), (year.shop.milk.id, 2))
        sign(session, year.shop, made)
    parcels(session, year, 3)
    shipment(session, year)
    found = said(session, community_id)
    counts = {purpose: one for purpose, one in found["beneficiaries"].items() if one != {"persons": 0, "households": 0}}  # type: ignore[attr-defined]
    ground = next(iter(counts.keys() - {"yearly_round", "relief"}))
    assert counts == {
        ground: {"persons": 3, "households": 3},
        "yearly_round": {"persons": 6, "households": 3},
        "relief": {"persons": PERSONS, "households": 0},
    }
    assert found["beneficiaries_in_all"] == {"persons": 9 + PERSONS, "households": 6}
    used = {(row["commodity"], purpose): amount for row in found["funds"] for purpose, amount in row["used"].items()}  # type: ignore[attr-defined]
    assert used == {("gram", "yearly_round"): 15_000, ("piece", ground): 6, ("piece", "relief"): COATS - 5}


def test_a_round_that_reached_two_households_hides_its_group(session: Session) -> None:
    year = make_year(session)
    parcels(session, year, 2)
    found = said(session, year.shop.world.community.id)
    assert found["beneficiaries"]["yearly_round"] is found["beneficiaries"]["relief"] is None  # type: ignore[index]
    assert found["beneficiaries_in_all"] is None
