"""The rule in Python and its twin in the database agree on everything."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session

from dispatch.rules.market.shelf import (
    JUDGED,
    Days,
    LifeUnit,
    LotShelf,
    MoveKind,
    ShelfLife,
    Spot,
    last_good_day,
    refusal,
)

TODAY = date(2026, 11, 24)
NEAR = st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days))
DAYS = st.one_of(NEAR, st.dates(date(1990, 1, 1), date(2199, 12, 31)))
LIVES = st.one_of(
    st.builds(ShelfLife, st.integers(1, 3650), st.just(LifeUnit.DAY)),
    st.builds(ShelfLife, st.integers(1, 120), st.just(LifeUnit.MONTH)),
)
LOTS = st.builds(
    LotShelf,
    is_food=st.booleans(),
    last_good_day=st.none() | NEAR,
    received_on=NEAR,
    spot=st.sampled_from(list(Spot)),
    is_recalled=st.sampled_from([False, False, True]),
)
KINDS = st.one_of(st.sampled_from(sorted(JUDGED)), st.sampled_from(list(MoveKind)))
IN_THE_TEST_S_TRANSACTION = [HealthCheck.function_scoped_fixture]


@settings(max_examples=400, suppress_health_check=IN_THE_TEST_S_TRANSACTION)
@given(lot=LOTS, kind=KINDS, days=st.builds(Days, signed_on=NEAR, today=NEAR, consumed_on=st.none() | NEAR))
def test_both_refuse_the_same_for_the_same_reason(session: Session, lot: LotShelf, kind: MoveKind, days: Days) -> None:
    asked = func.market_refusal(
        lot.is_food,
        cast(lot.last_good_day, Date),
        lot.received_on,
        str(lot.spot),
        lot.is_recalled,
        str(kind),
        days.signed_on,
        days.today,
        cast(days.consumed_on, Date),
    )
    assert session.execute(select(asked)).scalar_one() == refusal(lot, kind, days)


@settings(max_examples=400, suppress_health_check=IN_THE_TEST_S_TRANSACTION)
@given(produced=st.none() | DAYS, life=st.none() | LIVES, stated=st.none() | DAYS)
def test_both_know_the_same_last_good_day(
    session: Session, produced: date | None, life: ShelfLife | None, stated: date | None
) -> None:
    asked = func.market_last_good_day(
        cast(produced, Date),
        life.amount if life else None,
        str(life.unit) if life else None,
        cast(stated, Date),
    )
    assert session.execute(select(asked)).scalar_one() == last_good_day(produced, life, stated)
