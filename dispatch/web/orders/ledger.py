"""The time ledger of an order as a picture: a bar with its table, and the same as a file to take away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Response, render_template
from flask_babel import gettext

from dispatch import clock
from dispatch.rules.access.roles import Right
from dispatch.rules.orders.ledger import Bucket, Ledger
from dispatch.services import catalogue, orders
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.door import blueprint
from dispatch.web.pages import span

WIDTH = 720
LEAST_FOR_A_MARK = 16
FILLS = {
    Bucket.US: ("#1c5d6b", "#ffffff"),
    Bucket.TEAM: ("#7a4b00", "#ffffff"),
    Bucket.PROVIDER: ("#1f5f36", "#ffffff"),
    Bucket.RESIDENT: ("#5a3d7a", "#ffffff"),
    Bucket.HOLD: ("#f0c96b", "#1d2427"),
    Bucket.OUTSIDE: ("#d5dbdd", "#1d2427"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One bucket of the bar: its number in the table, where it is drawn, and how long it is in words."""

    mark: int
    word: str
    x: float
    width: float
    fill: str
    ink: str
    time: str
    percent: str

    @property
    def is_marked(self) -> bool:
        """Whether its number fits into the bar."""
        return self.width >= LEAST_FOR_A_MARK


def bucket_word(bucket: Bucket) -> str:
    """Whom a bucket's time waited for."""
    words = {
        Bucket.US: gettext("等我们（坐席、派单、回访）"),
        Bucket.TEAM: gettext("等团队"),
        Bucket.PROVIDER: gettext("等服务商"),
        Bucket.RESIDENT: gettext("等居民"),
        Bucket.HOLD: gettext("挂起"),
        Bucket.OUTSIDE: gettext("非工作时间"),
    }
    return words[bucket]


def time_words(seconds: int) -> str:
    """A length of time; what is under a minute in seconds."""
    return gettext("%(seconds)s 秒", seconds=seconds) if 0 < seconds < 60 else span(timedelta(seconds=seconds))  # noqa: PLR2004 - a minute


def parts_of(made: Ledger) -> Sequence[Part]:
    """The buckets that are not empty, side by side over the bar's width."""
    parts: list[Part] = []
    x = 0.0
    booked = [(bucket, seconds) for bucket, seconds in made.seconds.items() if seconds]
    for mark, (bucket, seconds) in enumerate(booked, start=1):
        width = WIDTH * seconds / made.elapsed
        fill, ink = FILLS[bucket]
        percent = f"{100 * seconds / made.elapsed:.1f}%"
        parts.append(
            Part(mark, bucket_word(bucket), round(x, 2), round(width, 2), fill, ink, time_words(seconds), percent)
        )
        x += width
    return parts


@blueprint.get("/orders/<number>/ledger.svg")
@allow(Right.ORDERS_READ)
def ledger_picture(number: str) -> Response:
    """The bar as a file."""
    actor = current_actor()
    with transaction() as session:
        order = orders.find(session, number, actor=actor)
        service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
        events = orders.time_line(session, order)
        made = orders.ledger_of(session, order, service, events, now=clock.now(session))
    text = render_template("orders/ledger.svg", parts=parts_of(made), width=WIDTH, number=order.number)
    response = Response(text, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename={order.number}-ledger.svg"
    return response
