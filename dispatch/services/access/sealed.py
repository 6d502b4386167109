"""Every column that holds sealed values: the one list by which they are found, counted and sealed anew."""

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.rules.access.sealing import Undeclared

BY_ID = ("id",)
BY_UID = ("uid",)
ROWS_AT_ONCE = 500
PICTURES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: what names its rows in the place, its table's primary key, rows a transaction.

    Tables are known by name: sealing is the house's lowest service and imports no domain above it.
    """

    table: str
    column: str
    named_by: tuple[str, ...] = BY_UID
    key: tuple[str, ...] = BY_ID
    rows_at_once: int = ROWS_AT_ONCE

    @property
    def name(self) -> str:
        """The beginning of its places, `table.column`."""
        return f"{self.table}.{self.column}"

    def place(self, row: Mapping[str, object]) -> str:
        """Where a row's value is sealed; `row` has the columns of `named_by`."""
        return f"{self.name}.{'/'.join(str(row[name]) for name in self.named_by)}"


ANSWER = ("principal", "route", "key")

SEALED = (
    SealedColumn("users", "totp_secret"),
    SealedColumn("users", "phone"),
    SealedColumn("users", "email"),
    SealedColumn("residents", "phone"),
    SealedColumn("residents", "identity_number"),
    SealedColumn("residents", "sensitive"),
    SealedColumn("establishments", "phone"),
    SealedColumn("performers", "contact"),
    SealedColumn("performers", "phone"),
    SealedColumn("performers", "email"),
    SealedColumn("performers", "webhook_secret"),
    SealedColumn("orders", "caller_phone", ("number",)),
    SealedColumn("order_callers", "phone"),
    SealedColumn("consents", "given_by"),
    SealedColumn("life_events", "words"),
    SealedColumn("life_events", "withdrawal_reason"),
    SealedColumn("donors", "phone"),
    SealedColumn("donors", "email"),
    SealedColumn("pledges", "phone"),
    SealedColumn("partners", "phone"),
    SealedColumn("receipts", "received_from"),
    SealedColumn("hand_outs", "proxy_name"),
    SealedColumn("aid_applications", "ground"),
    SealedColumn("aid_applications", "circumstances"),
    SealedColumn("aid_applications", "reason"),
    SealedColumn("aid_applications", "end_reason"),
    SealedColumn("enrolments", "end_reason"),
    SealedColumn("duty_periods", "excuse_words"),
    SealedColumn("contacts", "complaint"),
    SealedColumn("contacts", "difficulty"),
    SealedColumn("contacts", "note"),
    SealedColumn("alarm_devices", "secret"),
    SealedColumn("alarm_contacts", "phone"),
    SealedColumn("alarm_contacts", "email"),
    SealedColumn("appointments", "phone"),
    SealedColumn("appointments", "email"),
    SealedColumn("course_members", "phone"),
    SealedColumn("job_seekers", "phone"),
    SealedColumn("solicitation_entries", "words"),
    SealedColumn("solicitation_entries", "name"),
    SealedColumn("solicitation_entries", "phone"),
    SealedColumn("notices", "secret", ("dedupe",)),
    SealedColumn("idempotency", "body", ANSWER, ANSWER, PICTURES_AT_ONCE),
    SealedColumn("files", "sealed", rows_at_once=PICTURES_AT_ONCE),
)
OF_PEOPLE = frozenset(
    {
        ("sealing_keys", "public_key"),
        ("sealing_keys", "wrapped"),
        ("sealing_keys", "recovery"),
        ("key_shares", "sealed"),
        ("counselling_notes", "sealed"),
        ("danger_disclosures", "sealed"),
    }
)
"""Table and column of what people seal with keys of their own: the installation cannot open it, nor seal it anew."""
NAMES = frozenset(one.name for one in SEALED)


def demand_declared(place: str) -> None:
    """Refuse a place whose column is not on the list: nobody would seal it anew. Raises Undeclared."""
    table, _, rest = place.partition(".")
    if f"{table}.{rest.partition('.')[0]}" not in NAMES:
        raise Undeclared
