"""The programmes of a community: 结对, 居家养老服务券, 电子保姆, each with its places and what it asks for."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Enrolment, Programme
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.eligibility import AGED, FOR_EMPTY_NESTS, LEAST_AGE, PLACES
from dispatch.rules.care.terms import Programme as Kind
from dispatch.services.access import audit, reach

MOST_PLACES = 10_000


def begin_programmes(session: Session, community_id: int, *, actor: Actor) -> int:
    """Give a community the programmes that it has not yet, as the document has them; how many were new."""
    if not actor.scope.everything and community_id not in actor.scope.communities:
        raise NotFound
    known = set(session.scalars(select(Programme.kind).where(Programme.community_id == community_id)))
    fresh = [kind for kind in Kind if str(kind) not in known]
    for kind in fresh:
        made = Programme(
            community_id=community_id,
            kind=str(kind),
            places=PLACES[kind],
            least_age=LEAST_AGE if kind in AGED else None,
            empty_nest=kind in FOR_EMPTY_NESTS,
        )
        session.add(made)
        session.flush()
        audit.record(session, "care.begin_programme", "programmes", made.id, actor=actor, community_id=community_id)
    return len(fresh)


def programmes_of(session: Session, *, actor: Actor) -> Sequence[tuple[Programme, int]]:
    """The programmes in reach with how many of their places are taken."""
    taken = (
        select(Enrolment.programme_id, func.count().label("taken"))
        .where(Enrolment.ends_on.is_(None))
        .group_by(Enrolment.programme_id)
        .subquery()
    )
    rows = session.execute(
        select(Programme, func.coalesce(taken.c.taken, 0))
        .outerjoin(taken, taken.c.programme_id == Programme.id)
        .where(reach.visible(Programme, actor))
        .order_by(Programme.community_id, Programme.id)
    )
    return [(programme, count) for programme, count in rows]


def find_programme(session: Session, community_id: int, kind: str) -> Programme:
    """A community's programme of a kind; raises Invalid("programme")."""
    found = session.scalars(
        select(Programme).where(Programme.community_id == community_id, Programme.kind == kind)
    ).one_or_none()
    if found is None:
        raise Invalid("programme", "本社区没有这个项目,请重新选择")
    return found


def change_places(session: Session, programme_id: int, places: int, *, actor: Actor) -> Programme:
    """Give a programme more or fewer places; who is enrolled stays. Raises NotFound, Invalid("places")."""
    found = session.scalars(
        select(Programme).where(Programme.id == programme_id, reach.visible(Programme, actor)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    if not 0 <= places <= MOST_PLACES:
        raise Invalid("places", "名额请填0到%(most)s", most=MOST_PLACES)
    found.places = places
    session.flush()
    fields = {"places": str(places)}
    audit.record(
        session,
        "care.change_places",
        "programmes",
        found.id,
        actor=actor,
        community_id=found.community_id,
        fields=fields,
    )
    return found
