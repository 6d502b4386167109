"""Q values: what an organisation has decided, inherited down the tree (rules.md §9)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import any_, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from dispatch import clock, queue
from dispatch.errors import DispatchError, Invalid, NotFound
from dispatch.models.access import Organisation, Policy
from dispatch.rules.access.roles import Actor
from dispatch.rules.queue import Lane
from dispatch.services.access import audit
from dispatch.services.access.memory import ShortMemory

LONGEST_REASON = 500
FIRST_REASON = "初始值"
CALENDAR = frozenset({"calendar.working_periods", "calendar.working_weekdays"})
"""What the limits of open orders are counted by: a change works them out anew when it begins."""


class PolicyMissing(DispatchError):
    """没有设置“%(key)s”这一项，请管理员补上"""


remembered: ShortMemory[Mapping[str, Any]] = ShortMemory("policies")


def policy(session: Session, organisation_id: int, key: str) -> Any:
    """The value (JSON) that holds now for an organisation: its own, else the nearest above; PolicyMissing."""
    return policies(session, organisation_id, (key,))[key]


def policies(session: Session, organisation_id: int, keys: Iterable[str]) -> dict[str, Any]:
    """The values of several keys in one query; raises PolicyMissing for a key that nobody above has set.

    Remembered per process for at most 5 s: a change made elsewhere is seen that much later.
    """
    wanted = tuple(keys)
    memory_key = (organisation_id, wanted)
    known = remembered.get(session, memory_key)
    if known is None:
        known = read(session, organisation_id, wanted)
        remembered.put(session, memory_key, known)
    return dict(known)


def read(session: Session, organisation_id: int, keys: tuple[str, ...]) -> dict[str, Any]:
    """The same from the database."""
    depth = func.array_position(Organisation.path, Policy.organisation_id)
    rows = session.execute(
        select(Policy.key, Policy.value)
        .ext(distinct_on(Policy.key))
        .join(Organisation, Policy.organisation_id == any_(Organisation.path))
        .where(
            Organisation.id == organisation_id,
            Policy.key == any_(literal(list(keys), ARRAY(Text))),
            Policy.valid_from <= clock.now(session),
        )
        .order_by(Policy.key, depth.desc(), Policy.valid_from.desc(), Policy.id.desc())
    ).all()
    found = {row.key: row.value for row in rows}
    for key in keys:
        if key not in found:
            raise PolicyMissing(key=key)
    return found


def set_policy(
    session: Session,
    organisation_id: int,
    key: str,
    value: Any,
    *,
    reason: str,
    valid_from: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give an organisation its own value of a known key, from `valid_from` (now) on; the old row stays.

    Raises NotFound for an organisation out of reach, Invalid for an unknown key, another kind of value, a
    date in the past or no reason.
    """
    if not actor.scope.everything and organisation_id not in actor.scope.organisations:
        raise NotFound
    check_change(read_known(session, organisation_id, key), value, reason)
    if valid_from is not None and valid_from < now:
        raise Invalid("valid_from", "生效时间不能早于现在")
    begins = valid_from or now
    insert_values(session, organisation_id, {key: value}, valid_from=begins, reason=reason, changed_by=actor.user_id)
    if key in CALENDAR:
        queue.enqueue(session, "orders.recompute_due", lane=Lane.PERIODIC, reference=organisation_id, run_at=begins)
    audit.record(
        session,
        "access.set_policy",
        "policies",
        None,
        actor=actor,
        organisation_id=organisation_id,
        fields={"key": key},
    )


def read_known(session: Session, organisation_id: int, key: str) -> Any:
    """The value that holds now; raises Invalid for a key that is not known here."""
    try:
        return read(session, organisation_id, (key,))[key]
    except PolicyMissing as error:
        raise Invalid("key", "没有这一项设置") from error


def check_change(before: Any, value: Any, reason: str) -> None:
    """A value keeps its kind (number, text, flag, list); a change has a reason."""
    if kind_of_value(before) != kind_of_value(value):
        raise Invalid("value", "新值的类型与现在的不一致")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid("reason", "请写明修改原因，不超过 500 字")


def kind_of_value(value: Any) -> type:
    """The kind of a JSON value; whole and other numbers are one kind."""
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def seed(session: Session, organisation_id: int, values: Mapping[str, Any], now: datetime) -> int:
    """Give an organisation (the root) the starting values that it has not yet; returns how many were new.

    Repeating changes nothing: a value that was ever set there stays.
    """
    known = set(session.scalars(select(Policy.key).where(Policy.organisation_id == organisation_id)))
    missing = {key: value for key, value in values.items() if key not in known}
    insert_values(session, organisation_id, missing, valid_from=now, reason=FIRST_REASON, changed_by=None)
    return len(missing)


def complete(session: Session, values: Mapping[str, Any], now: datetime) -> int:
    """Give every installation's root the starting values that a release has added; returns how many were new.

    Only a root that has policies already is completed: a new one is given them with everything else it begins with.
    """
    begun = select(Policy.organisation_id).where(Policy.organisation_id == Organisation.id).exists()
    roots = session.scalars(select(Organisation.id).where(Organisation.parent_id.is_(None), begun)).all()
    return sum(seed(session, root, values, now) for root in roots)


def insert_values(
    session: Session,
    organisation_id: int,
    values: Mapping[str, Any],
    *,
    valid_from: datetime,
    reason: str,
    changed_by: int | None,
) -> None:
    """Insert rows and forget what was remembered."""
    remembered.forget(session)
    if values:
        session.execute(
            insert(Policy),
            [
                {
                    "organisation_id": organisation_id,
                    "key": key,
                    "value": value,
                    "valid_from": valid_from,
                    "reason": reason,
                    "changed_by": changed_by,
                }
                for key, value in values.items()
            ],
        )
