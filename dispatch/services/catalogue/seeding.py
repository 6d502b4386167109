"""The catalogue that a new district starts with, from the files of config/seed."""

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from config.seed import ServiceKind, service_kinds
from dispatch.rules.access.roles import Actor
from dispatch.services.catalogue.loading import load_services


def seed_catalogue(session: Session, organisation_id: int, *, actor: Actor) -> dict[str, int]:
    """Enter every kind of the seed that the organisation has not got yet; returns the id of each code.

    What operators have changed stays. Source: rules.md §2, 32 hotline services; §3, 13 of counselling.
    """
    kinds = service_kinds()
    rows = [service_row(kind, popularity=len(kinds) - place) for place, kind in enumerate(kinds)]
    return load_services(session, organisation_id, rows, actor=actor)


def service_row(kind: ServiceKind, *, popularity: int = 0) -> dict[str, Any]:
    """A kind of the seed as columns of the table of services; its place in the files makes it popular."""
    return {
        "code": kind.code,
        "name": kind.name,
        "group": kind.group,
        "synonyms": list(kind.synonyms),
        "offered": list(kind.offered),
        "form": kind.form,
        "questions": [asdict(question) | {"values": dict(question.values)} for question in kind.questions],
        "performer": kind.performer,
        "given": kind.given,
        "speciality": kind.speciality,
        "urgency": kind.urgency,
        "hours": ";".join(kind.hours) or None,
        "price_note": kind.price or None,
        "civic_working_days": kind.civic_working_days,
        "service_minutes": kind.service_minutes,
        "service_clock": kind.service_clock,
        "arrive_minutes": kind.arrive_minutes,
        "sign_minutes": kind.sign_minutes,
        "hold_minutes": kind.hold_minutes,
        "signed_for": kind.signed_for,
        "callback": kind.callback,
        "in_figures": kind.in_figures,
        "confidential": kind.confidential,
        "proof": list(kind.proof),
        "papers": list(kind.papers),
        "escalation_levels": list(kind.escalation_levels) if kind.escalation_levels else None,
        "popularity": popularity,
    }
