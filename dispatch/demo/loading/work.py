"""Chunks of the load: teams with their territory, and performers with shifts, cover and papers."""

from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY, DISTRICT
from dispatch.demo.performers import Performer
from dispatch.services import catalogue
from dispatch.services.catalogue import loading

NAMES = UUID("5f0c7a3e-4a1c-4d43-9d0e-9cf0a5b1d2aa")


def load_teams(session: Session, book: Book) -> int:
    """Block teams with their buildings, and line teams."""
    known = book.known(session)
    before, areas, buildings = known.teams(), known.areas(), known.buildings()
    teams = [
        loading.NewTeam(
            code=one.code,
            name=one.name,
            kind=one.kind,
            area_id=areas[one.area_code] if one.area_code else None,
            speciality=one.speciality,
            head_name=one.head_name,
        )
        for one in book.community.teams
    ]
    territories = [
        loading.NewTerritory(one.team_code, buildings[one.building_code], one.from_date)
        for one in book.community.territories
    ]
    community_id = known.organisations()[COMMUNITY]
    after = loading.load_teams(session, community_id, teams, territories, actor=book.actor)
    return len(after) - len(before)


def load_performers(session: Session, book: Book) -> int:
    """Firms of the district, team workers and helpers of the community; their webhooks lead to the inbox."""
    known = book.known(session)
    before = known.performers()
    organisations, areas, teams, users = known.organisations(), known.areas(), known.teams(), known.users()
    residents = known.residents()

    def new(one: Performer) -> loading.NewPerformer:
        is_firm = one.kind == "firm"
        everywhere = len(one.areas) == len(areas)
        return loading.NewPerformer(
            uid=uuid5(NAMES, f"{book.community.seed}:{one.code}"),
            organisation_id=organisations[DISTRICT if is_firm else COMMUNITY],
            community_id=None if is_firm else organisations[COMMUNITY],
            kind=one.kind,
            code=one.code,
            name=one.name,
            uscc=one.uscc,
            team_id=teams[one.team_code] if one.team_code else None,
            user_id=users[one.login] if one.login else None,
            resident_id=residents[one.resident_code] if one.resident_code else None,
            phone=one.phone,
            email=one.email,
            webhook_url=webhook_url(book, one),
            webhook_secret=book.secrets.webhook_secret(one.code) if one.webhook_path else None,
            channel=one.channel,
            latitude=one.latitude,
            longitude=one.longitude,
            capacity=one.capacity,
            shifts=catalogue.shifts_of(one.hours),
            satisfaction_permille=one.satisfaction_permille,
            service_codes=one.kinds,
            areas=None if everywhere else tuple(areas[code] for code in one.areas),
            papers=papers_of(one),
        )

    rows = [new(one) for one in book.community.performers if one.code not in before]
    if rows:
        loading.load_performers(session, organisations[COMMUNITY], rows, actor=book.actor)
    return len(rows)


def papers_of(one: Performer) -> tuple[loading.NewPaper, ...]:
    """A performer's papers with their days."""
    return tuple(
        loading.NewPaper(
            kind=paper.kind, number=paper.number, valid_from=paper.valid_from, valid_until=paper.valid_until
        )
        for paper in one.papers
    )


def webhook_url(book: Book, one: Performer) -> str | None:
    """Where a performer's messages go: a path of the demo inbox."""
    return f"{book.inbox_url}{one.webhook_path}" if one.webhook_path else None


def move_webhooks(session: Session, book: Book) -> int:
    """Point the webhooks at the inbox of this start; returns how many changed."""
    addresses = {one.code: url for one in book.community.firms if (url := webhook_url(book, one)) is not None}
    return loading.move_webhooks(session, addresses)
