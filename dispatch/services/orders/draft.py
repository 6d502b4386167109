"""What an order is placed with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order to be: the kind by id or code, the place by id or free text, the caller, what is wanted when."""

    description: str
    service_id: int | None = None
    service_code: str | None = None
    address_text: str = ""
    stairwell_id: int | None = None
    building_id: int | None = None
    room: str | None = None
    caller_name: str | None = None
    caller_phone: str | None = field(default=None, repr=False)
    caller_resident_id: int | None = None
    wanted_from: datetime | None = None
    wanted_until: datetime | None = None
    urgency: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    source: str = "hotline"
    source_number: str | None = None
    origin: str | None = None
    origin_id: int | None = None
    occasion: str | None = None
    organisation_id: int | None = None
    named_performer_id: int | None = None
    confidential: bool | None = None
    excluded_performers: tuple[int, ...] = ()
    is_canary: bool = False
