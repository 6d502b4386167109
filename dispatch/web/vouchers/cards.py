"""One voucher: its statement, its paper cards, freezing it, and taking back what a firm took."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import segno
from flask import Response, make_response, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, NotFound
from dispatch.models.access import Organisation
from dispatch.models.care import VoucherRefund
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import PaperCard
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, errors_of
from dispatch.web.vouchers.door import ID, blueprint, words

VOUCHER = f"/{ID.format('voucher')}"
CARD = f"/cards/{ID.format('card')}"
REDEMPTION = f"/redemptions/{ID.format('redemption')}"
REFUND = f"/refunds/{ID.format('refund')}"
CONFLICT = 409


@blueprint.get(VOUCHER)
@allow(Right.VOUCHERS_READ)
def show(voucher_id: int) -> str:
    """The person's statement with the cards and what firms took."""
    return render_voucher(voucher_id, current_actor(), {})


def render_voucher(voucher_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed; raises NotFound."""
    with transaction() as session:
        found = vouchers.list_vouchers(session, actor=actor, voucher_id=voucher_id, limit=1)
        if not found:
            raise NotFound
        lines, month = vouchers.statement(session, voucher_id, actor=actor), request.args.get("month", "")
        opening, shown = vouchers.in_month(lines, month) if month else (None, lines)
        return render_template(
            "vouchers/voucher.html",
            row=found[0],
            lines=shown,
            opening=opening,
            month=month,
            cards=vouchers.cards_of(session, voucher_id, actor=actor),
            taken=vouchers.redemptions_of_voucher(session, voucher_id, actor=actor),
            place=session.get_one(Organisation, found[0].voucher.community_id).name,
            errors=errors,
            typed=request.form,
            now=clock.now(session),
            **words(),
        )


@blueprint.post(f"{VOUCHER}/cards")
@allow(Right.VOUCHERS_GRANT)
@retrying
def issue_card(voucher_id: int) -> Response:
    """Print a card, this once."""
    return paper(voucher_id, lambda session, actor, now: vouchers.issue_card(session, voucher_id, actor=actor, now=now))


@blueprint.post(f"{CARD}/replacement")
@allow(Right.VOUCHERS_GRANT)
@retrying
def replace_card(card_id: int) -> Response:
    """A lost card opens nothing any more; print the new one, this once."""
    return paper(
        voucher_of(card_id), lambda session, actor, now: vouchers.replace_card(session, card_id, actor=actor, now=now)
    )


@blueprint.post(f"{CARD}/revocation")
@allow(Right.VOUCHERS_GRANT)
@retrying
def revoke_card(card_id: int) -> Response:
    """Take a card back."""
    return changed(voucher_of(card_id), partial(revoke, card_id))


def revoke(card_id: int, session: Session, actor: Actor, now: datetime) -> None:
    """The work of it."""
    vouchers.revoke_card(session, card_id, actor=actor, now=now)


def voucher_of(card_id: int) -> int:
    """Whose card it is; raises NotFound."""
    with transaction() as session:
        return vouchers.find_card(session, card_id, actor=current_actor()).voucher_id


def paper(voucher_id: int, work: Callable[[Session, Actor, datetime], PaperCard]) -> Response:
    """Make a card and show it as it is printed; its code stands nowhere else. A refusal is shown on the voucher."""
    actor = current_actor()
    try:
        with transaction() as session:
            made = work(session, actor, clock.now(session))
            row = vouchers.list_vouchers(session, actor=actor, voucher_id=voucher_id, limit=1)[0]
            place = session.get_one(Organisation, row.voucher.community_id).name
    except Conflict as error:
        return make_response(render_voucher(voucher_id, actor, errors_of(error)), CONFLICT)
    drawn = segno.make_qr(made.qr, error="m")
    code = Markup(drawn.svg_inline(scale=4, border=2, svgclass=None, lineclass=None, omitsize=True))  # noqa: S704 - segno draws it from our letters
    return make_response(render_template("vouchers/paper.html", made=made, row=row, place=place, code=code, **words()))


@blueprint.post(f"{VOUCHER}/freezing")
@allow(Right.VOUCHERS_GRANT)
@retrying
def freeze(voucher_id: int) -> Response:
    """Nothing is taken of it any more."""
    return changed(
        voucher_id, lambda session, actor, now: vouchers.freeze_voucher(session, voucher_id, actor=actor, now=now)
    )


@blueprint.post(f"{VOUCHER}/thawing")
@allow(Right.VOUCHERS_APPROVE)
@retrying
def thaw(voucher_id: int) -> Response:
    """It may be used again."""
    return changed(
        voucher_id, lambda session, actor, now: vouchers.thaw_voucher(session, voucher_id, actor=actor, now=now)
    )


def changed(voucher_id: int, work: Callable[[Session, Actor, datetime], object]) -> Response:
    """Do something about a voucher and show it."""
    return change(work, partial(render_voucher, voucher_id), url_for("pages_vouchers.show", voucher_id=voucher_id))


@blueprint.post(f"{REDEMPTION}/refund")
@allow(Right.VOUCHERS_GRANT)
@retrying
def ask_refund(redemption_id: int) -> Response:
    """Ask that what a firm took comes back."""
    reason = request.form.get("words", "")
    return changed(
        taken_of(redemption_id),
        lambda session, actor, now: vouchers.ask_refund(session, redemption_id, words=reason, actor=actor, now=now),
    )


def taken_of(redemption_id: int) -> int:
    """Of which voucher it was taken; raises NotFound."""
    with transaction() as session:
        return vouchers.find_redemption(session, redemption_id, actor=current_actor()).voucher_id


@blueprint.post(f"{REFUND}/approve")
@allow(Right.VOUCHERS_APPROVE)
@retrying
def approve_refund(refund_id: int) -> Response:
    """Take back what another asked to be."""
    return decided(refund_id, vouchers.approve_refund)


@blueprint.post(f"{REFUND}/refuse")
@allow(Right.VOUCHERS_APPROVE)
@retrying
def refuse_refund(refund_id: int) -> Response:
    """Refuse it, with a reason."""
    reason = request.form.get("reason", "")
    return decided(refund_id, lambda *about, **who: vouchers.refuse_refund(*about, reason=reason, **who))


@blueprint.post(f"{REFUND}/withdraw")
@allow(Right.VOUCHERS_GRANT)
@retrying
def withdraw_refund(refund_id: int) -> Response:
    """Take back what one asked for oneself."""
    return decided(refund_id, vouchers.withdraw_refund)


def decided(refund_id: int, work: Callable[..., VoucherRefund]) -> Response:
    """Do something about a refund and show its voucher."""
    with transaction() as session:
        voucher_id = vouchers.voucher_of_refund(session, refund_id, actor=current_actor())
    return changed(voucher_id, lambda session, actor, now: work(session, refund_id, actor=actor, now=now))
