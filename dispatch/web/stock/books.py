"""日常管理制度 and 财务管理制度: every version, the one that holds, and the next one; what holds is public."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import market
from dispatch.services.market.facilities import versions_of_books
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day
from dispatch.web.stock.door import blueprint


def book_words() -> dict[str, str]:
    """The two rule books."""
    return {"daily": gettext("日常管理制度"), "finance": gettext("财务管理制度")}


@blueprint.get("/rule-books")
@allow(Right.MARKET_READ)
def books() -> str:
    """The rule books."""
    return render_books(current_actor(), NOTHING_WRONG)


def render_books(actor: Actor, errors: Mapping[str, str]) -> str:
    """What holds today and every version, the newest first; the form of the next one."""
    with transaction() as session:
        today = clock.today(clock.now(session))
        communities = communities_of(session, actor)
        return render_template(
            "stock/books.html",
            holding={one.id for one in market.rule_books(session, actor=actor, today=today)},
            versions=versions_of_books(session, actor=actor),
            communities=communities,
            community_names=dict(communities),
            words=book_words(),
            may_write=actor.may(Right.MARKET_APPROVE),
            today=today,
            typed=request.form,
            errors=errors,
        )


@blueprint.post("/rule-books")
@allow(Right.MARKET_APPROVE)
@retrying
def write_book() -> Response:
    """Write the next version; earlier ones stay."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form, begins = request.form, needed_day(request.form, "valid_from", "请填写生效日期")
        kind, body = form.get("kind", ""), form.get("body", "").replace("\r\n", "\n")
        market.write_rule_book(session, chosen_community(), kind, body, begins, actor=actor, now=now)

    return change(work, render_books, url_for("pages_stock.books"))
