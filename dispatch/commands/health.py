"""How the work goes, as `dispatch doctor` sees it in the database: clocks, jobs, dead jobs, calendars, papers."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.engine import Connection

from dispatch import clock
from dispatch.commands.findings import Finding
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.queue import CLOCKS_MAY_DIFFER_SECONDS, Lane
from dispatch.rules.shanghai import SHANGHAI
from dispatch.transaction import BEGIN

LYING_SECONDS = 60
SILENT_SECONDS = 180
WARNING_DAYS = 60

REAL_CLOCK = text("SELECT clock_timestamp()")
RATE = text("SELECT greatest(1, coalesce(max(rate), 1)) FROM clock_settings")
DUE = text(
    "SELECT lane, count(*), max(extract(epoch FROM dispatch_now() - run_at)) FROM jobs "
    "WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= dispatch_now() "
    "AND (lease_until IS NULL OR lease_until < clock_timestamp()) GROUP BY lane ORDER BY lane"
)
DEAD = text("SELECT kind, count(*), max(error) FROM jobs WHERE dead_at IS NOT NULL GROUP BY kind ORDER BY kind")
LAST_DONE = text("SELECT extract(epoch FROM dispatch_now() - max(done_at)), count(*) FROM jobs")
MISSING_YEAR = text(
    "SELECT name FROM organisations WHERE parent_id IS NULL AND NOT EXISTS (SELECT FROM calendar_years "
    "WHERE calendar_years.organisation_id = organisations.id AND year = :year) ORDER BY id"
)
EXPIRED = text(
    "SELECT count(DISTINCT performer_id) FROM (SELECT performer_id FROM papers "
    "JOIN performers ON performers.id = papers.performer_id WHERE performers.is_active AND papers.given_up_at IS NULL "
    "GROUP BY performer_id, papers.kind HAVING max(valid_until) < :today) AS expired"
)


def examine(connection: Connection) -> Iterator[Finding]:
    """Look at everything that the database tells of the work; raises SQLAlchemyError when it cannot be asked."""
    setting = EVERYTHING.setting(EVERYTHING.communities)
    (now, *_) = connection.execute(BEGIN, {"organisations": setting, "communities": setting}).one()
    today = now.astimezone(SHANGHAI).date()
    yield clocks(connection)
    yield from due_jobs(connection)
    yield dead_jobs(connection)
    yield workers(connection)
    yield from calendars(connection, today)
    yield papers(connection, today)


def clocks(connection: Connection) -> Finding:
    """Whether this machine's clock and the database's agree; else its processes leave deadlines and periods."""
    there: datetime = connection.execute(REAL_CLOCK).scalar_one()
    seconds = abs((clock.host_now() - there).total_seconds())
    sentence = f"clocks: this machine and the database differ by {seconds:.1f} s"
    if seconds <= CLOCKS_MAY_DIFFER_SECONDS:
        return Finding(well=True, sentence=sentence)
    return Finding(well=False, sentence=f"{sentence}: no deadline and no periodic work is done from here")


def due_jobs(connection: Connection) -> Iterator[Finding]:
    """How long the oldest due job of each lane has been waiting for somebody to take it."""
    rate = float(connection.execute(RATE).scalar_one())
    rows = connection.execute(DUE).all()
    if not rows:
        yield Finding(well=True, sentence="jobs: nothing is due and waiting")
    for lane, number, waited in rows:
        seconds = float(waited) / rate
        sentence = f"jobs: {number} due in lane {Lane(lane).name.lower()}, the oldest for {seconds:.0f} s"
        yield Finding(well=seconds <= LYING_SECONDS, sentence=sentence)


def dead_jobs(connection: Connection) -> Finding:
    """Jobs that were given up; their alarms stand at the desk."""
    rows = connection.execute(DEAD).all()
    if not rows:
        return Finding(well=True, sentence="jobs: none is dead")
    kinds = ", ".join(f"{number} {kind} ({error})" for kind, number, error in rows)
    return Finding(well=False, sentence=f"jobs: dead: {kinds}")


def workers(connection: Connection) -> Finding:
    """Whether anybody has finished a job lately; the canary gives work every minute."""
    waited, number = connection.execute(LAST_DONE).one()
    if waited is None:
        return Finding(well=not number, sentence=f"workers: none has finished a job yet ({number} wait)")
    seconds = float(waited) / float(connection.execute(RATE).scalar_one())
    return Finding(well=seconds <= SILENT_SECONDS, sentence=f"workers: the last job was finished {seconds:.0f} s ago")


def calendars(connection: Connection, today: date) -> Iterator[Finding]:
    """Whether the working calendar of this year is there, and in its last sixty days that of the next."""
    for name in connection.execute(MISSING_YEAR, {"year": today.year}).scalars():
        yield Finding(well=False, sentence=f"calendar: {name} has none for {today.year}: limits are assumed")
    if (date(today.year + 1, 1, 1) - today).days <= WARNING_DAYS:
        for name in connection.execute(MISSING_YEAR, {"year": today.year + 1}).scalars():
            sentence = f"calendar: {name} has none for {today.year + 1} yet: enter its holidays"
            yield Finding(well=True, sentence=sentence, noted=True)


def papers(connection: Connection, today: date) -> Finding:
    """Performers who get no orders because a paper of theirs has expired."""
    number = connection.execute(EXPIRED, {"today": today}).scalar_one()
    sentence = f"papers: {number} performers have an expired one and get no orders"
    return Finding(well=True, sentence=sentence, noted=bool(number))
