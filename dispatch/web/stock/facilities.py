"""The facilities at a glance; one of them: what stands there, what is open, goods that come in, the hand-over."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.market.shelf import LifeUnit, ShelfLife
from dispatch.services import market
from dispatch.services.market import LotDraft, Receipt
from dispatch.services.market.overview import keepers_of
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import number
from dispatch.web.stock.door import (
    ID,
    amount_words,
    blueprint,
    day_look,
    finding_words,
    kind_words,
    read_amount,
    read_purse,
    spot_words,
)

FACILITY = f"/{ID.format('facility_id')}"
ENTRIES = {"gift": EntryKind.GIFT, "opening": EntryKind.OPENING}


@blueprint.get("")
@allow(Right.MARKET_READ)
def overview() -> str:
    """The facilities of the reach."""
    actor = current_actor()
    with transaction() as session:
        rows = market.overview(session, actor=actor, now=clock.now(session))
    return render_template("stock/overview.html", rows=rows, kinds=kind_words(), me=actor.user_id)


@blueprint.get(FACILITY)
@allow(Right.MARKET_READ)
def facility(facility_id: int) -> str:
    """One facility."""
    return render_facility(facility_id, current_actor(), NOTHING_WRONG)


def render_facility(facility_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """What stands there by goods, first out first, and what is open."""
    with transaction() as session:
        now = clock.now(session)
        found = market.find_facility(session, facility_id, actor=actor)
        keeper = market.keeper_of(session, facility_id, now=now)
        disposals = market.open_disposals(session, facility_id, actor=actor)
        return render_template(
            "stock/facility.html",
            facility=found,
            stock=market.stock_of(session, facility_id, actor=actor),
            rounds=market.open_inspections(session, facility_id, actor=actor),
            disposals=disposals,
            names=market.names_of_lots(session, [one.lot_id for one in disposals]),
            count=market.open_count_of(session, facility_id),
            handover=market.waiting_handover(session, facility_id),
            people=market.keepers_to_be(session, found.community_id),
            is_keeper=keeper is not None and keeper.user_id == actor.user_id,
            keepers=keepers_of(session, facility_id),
            may_count=actor.may(Right.MARKET_COUNT) or actor.may(Right.MARKET_APPROVE),
            me=actor.user_id,
            today=clock.today(now),
            kinds=kind_words(),
            spots=spot_words(),
            causes=finding_words(),
            say=amount_words,
            look=partial(day_look, near_days=market.near_days(session, found.community_id)),
            errors=errors,
        )


def address_of(facility_id: int) -> str:
    """The page of a facility."""
    return url_for("pages_stock.facility", facility_id=facility_id)


def changed(facility_id: int, work: Work) -> Response:
    """Do one thing with a facility and show it."""
    return change(work, partial(render_facility, facility_id), address_of(facility_id))


@blueprint.get(f"{FACILITY}/receive")
@allow(Right.MARKET_KEEP)
def receiving(facility_id: int) -> str:
    """The form for goods that come in."""
    return render_receiving(facility_id, current_actor(), NOTHING_WRONG)


def render_receiving(facility_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The form, with what was typed."""
    with transaction() as session:
        found = market.find_facility(session, facility_id, actor=actor)
        return render_template(
            "stock/receive.html",
            facility=found,
            goods=[one for one in market.list_goods(session, actor=actor) if one.community_id == found.community_id],
            purses=market.purses(session, found.community_id, actor=actor),
            today=clock.today(clock.now(session)),
            typed=request.form,
            errors=errors,
        )


@blueprint.post(f"{FACILITY}/receive")
@allow(Right.MARKET_KEEP)
@retrying
def receive(facility_id: int) -> Response:
    """Take in one lot."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        draft = read_lot(session, actor)
        entry = ENTRIES.get(request.form.get("entry", ""))
        if entry is None:
            raise Invalid("entry", "请选择期初、捐赠、采购或盘盈")
        market.receive(session, Receipt(facility_id, (draft,), entry=entry), actor=actor, now=now)

    return change(
        work, partial(render_receiving, facility_id), url_for("pages_stock.facility", facility_id=facility_id)
    )


def read_lot(session: Session, actor: Actor) -> LotDraft:
    """The lot that the form describes; raises Invalid naming the field."""
    form = request.form
    goods_id = number(form, "goods_id")
    if goods_id is None:
        raise Invalid("goods_id", "物品目录里没有这一种，请重新选择")
    goods = market.find_goods(session, goods_id, actor=actor)
    fund_id, earmark_id = read_purse(form)
    return LotDraft(
        goods_id=goods.id,
        amount=read_amount(form.get("amount", ""), goods.commodity),
        fund_id=fund_id,
        earmark_id=earmark_id,
        produced_on=read_day(form, "produced_on"),
        life=read_life(form),
        expires_on=read_day(form, "expires_on"),
        batch_number=form.get("batch_number", ""),
    )


def read_life(form: Mapping[str, str]) -> ShelfLife | None:
    """The shelf life of the form; None where that of the goods holds."""
    amount = number(form, "life_amount")
    if amount is None:
        return None
    return ShelfLife(amount, LifeUnit.MONTH if form.get("life_unit") == "month" else LifeUnit.DAY)


@blueprint.post(f"{FACILITY}/handover")
@allow(Right.MARKET_KEEP)
@retrying
def start_handover(facility_id: int) -> Response:
    """The keeper hands over."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        taker = number(request.form, "taker_id")
        if taker is None:
            raise Invalid("user_id", "请选择本社区的保管员")
        remarks = request.form.get("remarks", "")
        market.start_handover(session, facility_id, taker, remarks=remarks, actor=actor, now=now)

    return changed(facility_id, work)


@blueprint.post(f"{FACILITY}/takeover")
@allow(Right.MARKET_KEEP)
@retrying
def take_over(facility_id: int) -> Response:
    """The taker confirms."""
    return changed(
        facility_id, lambda session, actor, now: market.take_over(session, facility_id, actor=actor, now=now)
    )
