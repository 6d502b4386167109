"""A firm's own figures, for itself: its offers, its work against the fair share, how even its kinds are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Performer, PerformerService, Service
from dispatch.models.orders import OfferRecipient, Order
from dispatch.rules.reports.own import OwnShare, own_share
from dispatch.services.access import policies
from dispatch.services.orders import ComplaintFigures, complaint_figures

POLICIES = ("firms.figures_days", "routing.minutes_step", "routing.satisfaction_step")


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """What a firm is shown of itself; of others nothing but how many share a kind."""

    performer: Performer
    days: int
    offers: Mapping[str, int]
    kinds: Sequence[tuple[str, OwnShare]]
    complaints: ComplaintFigures
    minutes_step: int
    satisfaction_step: int

    @property
    def asked(self) -> int:
        """How often it was asked."""
        return sum(self.offers.values())


def own_figures(session: Session, performer_id: int, *, now: datetime) -> OwnFigures:
    """The figures of one performer over the last days (policy), in a number of queries that stays the same.

    The caller has established that whoever asks is that performer; the session reaches everything.
    """
    performer = session.get_one(Performer, performer_id)
    values = policies.policies(session, performer.organisation_id, POLICIES)
    since = now - timedelta(days=int(values["firms.figures_days"]))
    kinds = session.execute(
        select(Service.id, Service.name)
        .join(PerformerService, PerformerService.service_id == Service.id)
        .where(PerformerService.performer_id == performer_id, Service.in_figures, ~Service.confidential)
        .order_by(Service.popularity.desc(), Service.id)
    ).all()
    ids = [kind.id for kind in kinds]
    done, can = finished_by(session, ids, since=since), capacities_of(session, performer, ids)
    return OwnFigures(
        performer=performer,
        days=int(values["firms.figures_days"]),
        offers=offers_by_outcome(session, performer_id, since=since),
        kinds=[(kind.name, own_share(done.get(kind.id, {}), can.get(kind.id, {}), performer_id)) for kind in kinds],
        complaints=complaint_figures(session, performer_id, performer.organisation_id, now=now),
        minutes_step=int(values["routing.minutes_step"]),
        satisfaction_step=int(values["routing.satisfaction_step"]),
    )


def offers_by_outcome(session: Session, performer_id: int, *, since: datetime) -> dict[str, int]:
    """How the offers to a performer ended."""
    rows = session.execute(
        select(OfferRecipient.outcome, func.count().label("number"))
        .where(OfferRecipient.performer_id == performer_id, OfferRecipient.opened_at >= since)
        .group_by(OfferRecipient.outcome)
    )
    return {row.outcome: row.number for row in rows}


def finished_by(session: Session, service_ids: Sequence[int], *, since: datetime) -> dict[int, dict[int, int]]:
    """How many orders of each kind each performer has finished; a firm is not told the kind of a confidential one."""
    rows = session.execute(
        select(Order.service_id, Order.performer_id, func.count())
        .where(
            Order.service_id.in_(service_ids),
            Order.performer_id.is_not(None),
            Order.finished_at >= since,
            ~Order.is_canary,
            ~Order.confidential,
        )
        .group_by(Order.service_id, Order.performer_id)
    )
    found: dict[int, dict[int, int]] = {}
    for service_id, performer_id, number in rows:
        found.setdefault(service_id, {})[int(performer_id or 0)] = number
    return found


def capacities_of(session: Session, performer: Performer, service_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """The capacities of those of the same sort and organisation in use who may do each kind."""
    rows = session.execute(
        select(PerformerService.service_id, Performer.id, Performer.capacity)
        .join(Performer, Performer.id == PerformerService.performer_id)
        .where(
            PerformerService.service_id.in_(service_ids),
            Performer.is_active,
            Performer.kind == performer.kind,
            Performer.organisation_id == performer.organisation_id,
        )
    )
    found: dict[int, dict[int, int]] = {}
    for service_id, performer_id, capacity in rows:
        found.setdefault(service_id, {})[performer_id] = capacity
    return found
