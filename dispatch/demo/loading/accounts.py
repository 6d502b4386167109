"""Chunks of the load: users with their second factor, their roles, and the API keys."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import CENTRE
from dispatch.demo.staff import StaffMember
from dispatch.models.access import Membership
from dispatch.rules.access.roles import Right, Role
from dispatch.services.access import given_keys, users

USERS_AT_ONCE = 20
READ = frozenset(
    {
        Right.ORDERS_READ,
        Right.BOARD_READ,
        Right.GRID_READ,
        Right.CATALOGUE_READ,
        Right.VISITS_READ,
        Right.NOTICES_READ,
        Right.REPORTS_READ,
    }
)
SCOPES: dict[str, frozenset[Right]] = {
    "intake": frozenset(
        {
            Right.ORDERS_PLACE,
            Right.ORDERS_READ,
            Right.ORDERS_MERGE,
            Right.CALLERS_READ,
            Right.GRID_READ,
            Right.CATALOGUE_READ,
        }
    ),
    "dispatch": READ
    | {Right.ORDERS_PLACE, Right.ORDERS_DISPATCH, Right.ORDERS_WORK, Right.ORDERS_VOID, Right.ORDERS_MERGE},
    "read": READ,
    "team": READ | {Right.ORDERS_WORK, Right.ORDERS_REQUEST},
    "centre": READ
    | {
        Right.ORDERS_DECIDE,
        Right.ORDERS_SUPERVISE,
        Right.ORDERS_CONFIDENTIAL,
        Right.CALLERS_READ,
        Right.CATALOGUE_EDIT,
        Right.FIRMS_EDIT,
    },
    "care": frozenset({Right.VISITS_READ, Right.VISITS_PLAN, Right.ORDERS_READ, Right.GRID_READ, Right.CATALOGUE_READ}),
    "all": frozenset(Right),
}


def load_users(session: Session, book: Book) -> int:
    """The next twenty people who can log in, without roles yet; 0 when all are there."""
    known = book.known(session).users()
    fresh = [one for one in book.community.staff if one.login not in known][:USERS_AT_ONCE]
    for one in fresh:
        users.create_user(
            session,
            login=one.login,
            name=one.name,
            password=book.secrets.password(one.login),
            phone=one.phone,
            actor=book.actor,
            now=book.now,
        )
    return len(fresh)


def load_roles(session: Session, book: Book) -> int:
    """The role of each user at its organisation, with the team, area or performer that it is for."""
    known = book.known(session)
    held = set(session.scalars(select(Membership.user_id)))
    ids, organisations = known.users(), known.organisations()
    teams, areas, performers = known.teams(), known.areas(), known.performers()
    performer_of = {one.login: performers[one.code] for one in book.community.performers if one.login}

    def give(one: StaffMember) -> None:
        users.add_role(
            session,
            ids[one.login],
            one.role,
            organisation_id=organisations[one.organisation_code],
            team_id=teams[one.team_code] if one.role is Role.TEAM_HEAD and one.team_code else None,
            area_id=areas[one.area_code] if one.area_code else None,
            performer_id=performer_of.get(one.login),
            actor=book.actor,
            now=book.now,
        )

    fresh = [one for one in book.community.staff if ids[one.login] not in held]
    for one in fresh:
        give(one)
    return len(fresh)


def load_keys(session: Session, book: Book) -> int:
    """One API key per set of scopes, at the 96345 centre."""
    organisation_id = book.known(session).organisations()[CENTRE]
    return sum(
        given_keys.keep_key(
            session,
            book.secrets.api_key(name),
            name=f"演示 {name}",
            organisation_id=organisation_id,
            scopes=scopes,
            actor=book.actor,
            now=book.now,
        )
        for name, scopes in SCOPES.items()
    )
