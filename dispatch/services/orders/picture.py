"""What routing must know of a set of orders, read in a number of queries that does not grow with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import Service, Team
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.orders.decision import PerformerClass, RoutingRequest, Weights
from dispatch.rules.orders.panel import NOBODY, Panel
from dispatch.rules.orders.urgency import Urgency
from dispatch.services import catalogue
from dispatch.services.access import policies

WEIGHT_POLICIES = (
    "routing.queue_permille",
    "routing.travel_permille",
    "routing.minutes_step",
    "routing.satisfaction_step",
    "routing.minutes_per_job",
    "routing.metres_per_minute",
    "routing.first_offers",
    "escalation.levels",
    "notify.quiet_hours",
)
REFUSALS = ("declined", "lapsed", "withdrawn")


@dataclass(slots=True)
class Picture:
    """The facts behind a routing run: kinds, teams, refusals, performers, policies and calendars."""

    services: dict[int, Service]
    teams_of_building: dict[int, int]
    teams_of_area: dict[int, tuple[int, ...]]
    line_teams: dict[tuple[int, str], int]
    refused: dict[int, frozenset[int]]
    with_open_round: frozenset[int]
    panels: dict[int, Panel]
    policy_values: dict[int, dict[str, object]]
    calendars: dict[int, WorkingCalendar]
    catalogue_versions: dict[int, int]

    def block_teams(self, order: Order) -> tuple[int, ...]:
        """The block teams that the order's place may belong to."""
        if order.building_id is not None:
            team = self.teams_of_building.get(order.building_id)
            return () if team is None else (team,)
        return self.teams_of_area.get(order.area_id, ()) if order.area_id is not None else ()

    def line_team(self, order: Order, service: Service) -> int | None:
        """The line team of the kind's speciality in the order's community."""
        if service.speciality is None or order.community_id is None:
            return None
        return self.line_teams.get((order.community_id, service.speciality))

    def panel_of(self, order: Order) -> Panel:
        """The performers to be considered for the order."""
        return self.panels.get(order.id, NOBODY)

    def weights(self, order: Order) -> Weights:
        """The weights of the score where the order was taken."""
        values = self.policy_values[order.organisation_id]
        return Weights(
            queue_permille=int(str(values["routing.queue_permille"])),
            travel_permille=int(str(values["routing.travel_permille"])),
            minutes_step=int(str(values["routing.minutes_step"])),
            satisfaction_step=int(str(values["routing.satisfaction_step"])),
        )

    def first_offers(self, order: Order) -> int:
        """How many are asked at once where a kind goes to the first three, where the order was taken."""
        return int(str(self.policy_values[order.organisation_id]["routing.first_offers"]))

    def calendar(self, order: Order) -> WorkingCalendar:
        """The working calendar where the order was taken."""
        return self.calendars[order.organisation_id]

    @property
    def minutes_per_job(self) -> int:
        """Minutes of queue that one more open job means."""
        return self.pace.minutes_per_job

    @property
    def pace(self) -> catalogue.Pace:
        """How fast work and ways go, by the policies of the organisation that took the first of the orders."""
        values = next(iter(self.policy_values.values()))
        return catalogue.Pace(
            minutes_per_job=int(str(values["routing.minutes_per_job"])),
            metres_per_minute=int(str(values["routing.metres_per_minute"])),
        )


def picture_of(session: Session, orders: Sequence[Order], *, now: datetime) -> Picture:
    """Read everything that routing these orders needs."""
    services = catalogue.services_by_id(session, {order.service_id for order in orders})
    organisations = {order.organisation_id for order in orders}
    refused, with_open_round = offers_before(session, orders)
    seen = catalogue.tokens(session, organisations | {order.community_id for order in orders if order.community_id})
    picture = Picture(
        services=services,
        teams_of_building=catalogue.block_teams(
            session,
            {order.building_id for order in orders if order.building_id is not None},
            clock.today(now),
        ),
        teams_of_area=teams_of_areas(session, orders),
        line_teams=line_teams(session, orders, services),
        refused=refused,
        with_open_round=with_open_round,
        panels={},
        policy_values={one: policies.policies(session, one, WEIGHT_POLICIES) for one in organisations},
        calendars={one: catalogue.calendar_of(session, one) for one in organisations},
        catalogue_versions=catalogue.counted(seen),
    )
    requests = [request_of(order, services[order.service_id], picture) for order in orders]
    picture.panels = catalogue.performer_panels(session, requests, now=now, pace=picture.pace, seen=seen)
    return picture


def teams_of_areas(session: Session, orders: Sequence[Order]) -> dict[int, tuple[int, ...]]:
    """The block teams of the areas of orders whose building is not known."""
    areas = {order.area_id for order in orders if order.building_id is None and order.area_id is not None}
    if not areas:
        return {}
    rows = session.execute(select(Team.area_id, Team.id).where(Team.kind == "block", Team.area_id.in_(areas)))
    found: dict[int, tuple[int, ...]] = {}
    for area_id, team_id in rows:
        if area_id is not None:
            found[area_id] = (*found.get(area_id, ()), team_id)
    return found


def line_teams(session: Session, orders: Sequence[Order], services: dict[int, Service]) -> dict[tuple[int, str], int]:
    """The line teams by community and speciality that these orders may need."""
    communities = {order.community_id for order in orders if order.community_id is not None}
    specialities = {service.speciality for service in services.values() if service.speciality is not None}
    if not communities or not specialities:
        return {}
    rows = session.execute(
        select(Team.community_id, Team.speciality, Team.id).where(
            Team.kind == "line", Team.community_id.in_(communities), Team.speciality.in_(specialities)
        )
    )
    return {(community, str(speciality)): team for community, speciality, team in rows}


def offers_before(session: Session, orders: Sequence[Order]) -> tuple[dict[int, frozenset[int]], frozenset[int]]:
    """Who has refused, let lapse or given back each order in its present cycle, and which have an open round.

    Every round counts its order's `rounds` on, under the order's lock: one without rounds needs no look.
    """
    asked = [order.id for order in orders if order.rounds]
    if not asked:
        return {}, frozenset()
    refused = and_(OfferRecipient.outcome.in_(REFUSALS), Offer.cycle == Order.cycle)
    rows = session.execute(
        select(Offer.order_id, OfferRecipient.performer_id, Offer.closed_at.is_(None), refused)
        .join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
        .join(Order, Order.id == Offer.order_id)
        .where(Offer.order_id.in_(asked))
    ).all()
    found: dict[int, frozenset[int]] = {}
    for order_id, performer_id, _, is_refused in rows:
        if is_refused:
            found[order_id] = found.get(order_id, frozenset()) | {performer_id}
    return found, frozenset(order_id for order_id, _, is_open, _ in rows if is_open)


def request_of(order: Order, service: Service, picture: Picture, *, round_number: int = 1) -> RoutingRequest:
    """One order as the router sees it."""
    return RoutingRequest(
        order_id=order.id,
        kind_id=service.id,
        kind_code=service.code,
        urgency=Urgency(order.urgency),
        community_id=order.community_id or 0,
        area_id=order.area_id or 0,
        building_id=order.building_id,
        stairwell_id=order.stairwell_id,
        latitude=order.latitude,
        longitude=order.longitude,
        wanted_from=order.wanted_from,
        wanted_until=order.wanted_until,
        excluded=frozenset(order.excluded_performers),
        refused=picture.refused.get(order.id, frozenset()),
        performer_class=PerformerClass.NAMED
        if order.named_performer_id is not None
        else PerformerClass(service.performer),
        speciality_team_id=picture.line_team(order, service),
        block_team_id=next(iter(picture.block_teams(order)), None),
        named_performer_id=order.named_performer_id,
        round_number=round_number,
        papers=frozenset(service.papers),
        catalogue_version=picture.catalogue_versions.get(order.organisation_id, 0),
    )
