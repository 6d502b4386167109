"""The owner's ground: a treasury that is written to past every service, so that only the database stands in the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from config.settings import Settings
from dispatch import clock
from dispatch.models.funds import Consent, Entry
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.rules.funds.terms import Commodity, Purpose
from dispatch.services import funds
from dispatch.transaction import begin
from tests.conftest import Servers
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury

NOBODY = b"nobody"


@dataclass(frozen=True, slots=True)
class Ground:
    """The owner's session on a treasury with 1,000 fen in the till and 1,000 g in the stock."""

    session: Session
    treasury: Treasury
    gift: Entry
    till: int
    custody: int
    stock: int
    goods: int
    wish: int
    day: str

    def entry(self, kind: str, *lines: tuple[int, int], count: int | None = None, **more: object) -> int:
        """An entry that follows the head, with any lines."""
        session, community = self.session, self.treasury.community_id
        head = session.execute(text("SELECT seq, digest FROM lock_journal(:c)"), {"c": community}).one()
        values = {
            "community_id": community,
            "seq": head.seq + 1,
            "previous": head.digest,
            "digest": sha256(head.digest).digest(),
            "kind": kind,
            "posted_on": self.day,
            "happened_on": self.day,
            "line_count": len(lines) if count is None else count,
        } | more
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        made = session.execute(text(f"INSERT INTO entries ({names}) VALUES ({marks}) RETURNING id"), values)  # noqa: S608
        entry_id: int = made.scalar_one()
        for account, amount in lines:
            self.line(entry_id, account, amount)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        return entry_id

    def line(self, entry_id: int, account: int, amount: int) -> None:
        """A line of an entry."""
        self.run(
            "INSERT INTO entry_lines (entry_id, account_id, community_id, amount) VALUES (:e, :a, :c, :n)",
            e=entry_id,
            a=account,
            c=self.treasury.community_id,
            n=amount,
        )

    def consent(self, amount: int, to_earmark_id: int | None) -> int:
        """A donor's consent to take fen of the general fund to a wish."""
        made = Consent(
            uid="00000000-0000-0000-0000-000000000001",
            community_id=self.treasury.community_id,
            from_fund_id=self.treasury.general.id,
            to_fund_id=self.treasury.general.id,
            to_earmark_id=to_earmark_id,
            commodity="fen",
            amount=amount,
            given_by=NOBODY,
            given_on=self.day,
            evidence="收据背面",
        )
        self.session.add(made)
        self.session.flush()
        return made.id

    def account(self, **changes: object) -> int:
        """An account of the general fund; where exactly is said by the changes."""
        values = {
            "community_id": self.treasury.community_id,
            "fund_id": self.treasury.general.id,
            "owner": "own",
            "earmark_id": None,
            "commodity": "fen",
            "holding_id": None,
            "holding_kind": None,
        } | changes
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        made: int = self.run(f"INSERT INTO accounts ({names}) VALUES ({marks}) RETURNING id", **values)  # noqa: S608
        return made

    def run(self, statement: str, **values: object) -> int:
        """Any statement; the first value that it gives."""
        result = self.session.execute(text(statement), values)
        return result.scalar_one() if result.returns_rows else 0


@pytest.fixture
def owner(servers: Servers, settings: Settings) -> Iterator[Session]:
    """A session of the role that owns the tables, rolled back."""
    assert servers.postgres.is_ready()
    engine = create_engine(settings.owner_database_url, poolclass=NullPool)
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            begin(session, EVERYTHING)
            yield session
        outer.rollback()
    engine.dispose()


@pytest.fixture
def ground(owner: Session) -> Ground:
    """A treasury with something in it."""
    district = make_organisation(owner, "district", name="莲都区")
    treasury = make_treasury(owner, make_organisation(owner, "community", district, name="后庆社区").id)
    gift, now = give(owner, treasury, 1_000), clock.now(owner)
    give(owner, treasury, 1_000, commodity=Commodity.GRAM, holding=treasury.way)
    wish = funds.add_earmark(
        owner, treasury.general, name="给独居老人", purposes=[Purpose.LONE_ELDER], actor=SYSTEM, now=now
    )
    give(owner, treasury, 1, earmark_id=wish.id)
    owner.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    owner.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    rows = owner.execute(
        text("SELECT id, commodity, side FROM accounts WHERE fund_id = :f AND earmark_id IS NULL"),
        {"f": treasury.general.id},
    )
    ids = {(row.commodity, row.side): row.id for row in rows}
    return Ground(
        owner,
        treasury,
        gift,
        ids["fen", "holding"],
        ids["fen", "custody"],
        ids["gram", "holding"],
        ids["gram", "custody"],
        wish.id,
        clock.today(now).isoformat(),
    )
