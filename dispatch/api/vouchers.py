"""Service vouchers over HTTP for the staff: lists, accounts, cards, freezing, what is to be taken back.

What a second person decides (a list, a refund) is no key's: `/vouchers`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.funds import plain
from dispatch.api.once import Answer, once
from dispatch.errors import NotFound
from dispatch.models.care import VoucherRefund
from dispatch.rules.access.roles import Right
from dispatch.schemas import vouchers as schemas
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import GrantRow, NewGrant, PaperCard, RedemptionRow, VoucherRow
from dispatch.transaction import retrying, transaction

blueprint = Blueprint("vouchers", __name__, url_prefix="/api", description="服务券 · Service vouchers")

ID = "<int(min=1, max=9223372036854775807):{}_id>"
VOUCHER, GRANT = f"/vouchers/{ID.format('voucher')}", f"/voucher-grants/{ID.format('voucher_grant')}"
CARD, REFUND = f"/voucher-cards/{ID.format('voucher_card')}", f"/voucher-refunds/{ID.format('voucher_refund')}"
REDEMPTION = f"/voucher-redemptions/{ID.format('redemption')}"
OF_GRANT = tuple(name for name in schemas.GrantOut().fields if name != "people")
OF_VOUCHER = tuple(name for name in schemas.VoucherOut().fields if name not in {"name", "left_fen"})
OF_CARD = tuple(schemas.VoucherCardOut().fields)
OF_LINE = ("day", "kind", "what", "firm", "fen")
OF_REDEMPTION = ("id", "performer_id", "fen", "what", "redeemed_on", "redeemed_at", "settlement_id")
OF_REFUND = tuple(schemas.RefundOut().fields)


def grant_out(row: GrantRow) -> dict[str, Any]:
    """What leaves of a list."""
    return plain(OF_GRANT, row.grant) | {"people": row.people}


def voucher_out(row: VoucherRow) -> dict[str, Any]:
    """What leaves of an account."""
    return plain(OF_VOUCHER, row.voucher) | {"name": row.name, "left_fen": row.left}


def redemption_out(row: RedemptionRow) -> dict[str, Any]:
    """What leaves of a redemption."""
    return plain(OF_REDEMPTION, row.redemption) | {
        "voucher_number": row.voucher_number,
        "firm": row.firm,
        "order_number": row.order_number,
        "refund": None if row.refund is None else row.refund.state,
    }


def paged(rows: list[Any], limit: int, out: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """A page of what was asked for with one row more; the mark is the id of its last row."""
    items = [out(row) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


@blueprint.route("/vouchers")
class Vouchers(MethodView):
    """The accounts."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.arguments(schemas.PageQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.VouchersOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List those that were granted, the newest first; names masked."""
        with transaction() as session:
            rows = vouchers.list_vouchers(session, actor=actor(), before=query["cursor"], limit=query["limit"] + 1)
            return paged(rows, query["limit"], voucher_out)


@blueprint.route(VOUCHER)
class OneVoucher(MethodView):
    """One account."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.response(200, schemas.WholeVoucherOut)
    def get(self, voucher_id: int) -> Mapping[str, Any]:
        """Show it with its statement, its cards and what firms took."""
        with transaction() as session:
            lines = vouchers.statement(session, voucher_id, actor=actor())
            taken = vouchers.redemptions_of_voucher(session, voucher_id, actor=actor())
            return row_of(session, voucher_id) | {
                "statement": [plain(OF_LINE, line) | {"left_fen": line.left} for line in lines],
                "cards": vouchers.cards_of(session, voucher_id, actor=actor()),
                "redemptions": [redemption_out(one) for one in taken],
            }


def row_of(session: Session, voucher_id: int) -> dict[str, Any]:
    """One account as lists show it; raises NotFound."""
    rows = vouchers.list_vouchers(session, actor=actor(), voucher_id=voucher_id, limit=1)
    if not rows:
        raise NotFound
    return voucher_out(rows[0])


def turned(name: str, voucher_id: int, data: Mapping[str, Any], deed: Callable[..., object]) -> Response:
    """Freeze or thaw an account; it is shown."""

    def work(session: Session) -> Answer:
        deed(session, voucher_id, actor=actor(), now=clock.now(session))
        return 200, schemas.VoucherOut().dump(row_of(session, voucher_id)), {}

    return once(f"vouchers.{name}:{voucher_id}", data, work)


@blueprint.route(f"{VOUCHER}/freezing")
class VoucherFreezing(MethodView):
    """Stopping an account."""

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.takes(schemas.Nothing, schemas.VoucherOut)
    def post(self, data: Mapping[str, Any], voucher_id: int) -> Response:
        """Let nothing be taken of it any more; said twice is said once."""
        return turned("freeze", voucher_id, data, vouchers.freeze_voucher)


@blueprint.route(f"{VOUCHER}/thawing")
class VoucherThawing(MethodView):
    """Letting an account be used again."""

    @allow(Right.VOUCHERS_APPROVE)
    @blueprint.takes(schemas.Nothing, schemas.VoucherOut)
    def post(self, data: Mapping[str, Any], voucher_id: int) -> Response:
        """Let it be used again; 409 after its last day, or when its person has died or moved away."""
        return turned("thaw", voucher_id, data, vouchers.thaw_voucher)


def paper_out(made: PaperCard) -> Mapping[str, Any]:
    """A card with what is printed of it."""
    return plain(OF_CARD, made.card) | {"qr": made.qr, "code": made.code}


@blueprint.route(f"{VOUCHER}/cards")
class VoucherCards(MethodView):
    """The paper card of an account."""

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(201, schemas.NewVoucherCardOut)
    @retrying
    def post(self, _data: Mapping[str, Any], voucher_id: int) -> Mapping[str, Any]:
        """Issue it; what is printed is told in this answer and never again: lost, it is replaced."""
        with transaction() as session:
            return paper_out(vouchers.issue_card(session, voucher_id, actor=actor(), now=clock.now(session)))


@blueprint.route(f"{CARD}/replacement")
class VoucherCardReplacement(MethodView):
    """A lost card."""

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(201, schemas.NewVoucherCardOut)
    @retrying
    def post(self, _data: Mapping[str, Any], voucher_card_id: int) -> Mapping[str, Any]:
        """Kill a lost card at once and issue another; what is printed is told in this answer and never again."""
        with transaction() as session:
            return paper_out(vouchers.replace_card(session, voucher_card_id, actor=actor(), now=clock.now(session)))


@blueprint.route(CARD)
class OneVoucherCard(MethodView):
    """One card."""

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(200, schemas.VoucherCardOut)
    @retrying
    def delete(self, _data: Mapping[str, Any], voucher_card_id: int) -> object:
        """Take it back: it opens nothing any more."""
        with transaction() as session:
            return vouchers.revoke_card(session, voucher_card_id, actor=actor(), now=clock.now(session))


@blueprint.route("/voucher-grants")
class VoucherGrants(MethodView):
    """Lists of persons who are to have vouchers."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.arguments(schemas.PageQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.GrantsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List them, the newest first."""
        with transaction() as session:
            rows = vouchers.list_grants(session, actor=actor(), before=query["cursor"], limit=query["limit"] + 1)
            return paged(rows, query["limit"], grant_out)

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.takes(schemas.AskGrant, schemas.GrantOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Ask for a list of enrolled persons; a person grants it on `/vouchers`, a key never does."""

        def work(session: Session) -> Answer:
            wanted = NewGrant(**(data | {"residents": tuple(data["residents"])}))
            made = vouchers.ask_grant(session, wanted, actor=actor(), now=clock.now(session))
            location = url_for("vouchers.OneVoucherGrant", voucher_grant_id=made.id)
            return 201, schemas.GrantOut().dump(grant_of(session, made.id)), {"Location": location}

        return once("vouchers.ask_grant", data, work)


def grant_of(session: Session, grant_id: int) -> dict[str, Any]:
    """One list as lists show it; raises NotFound."""
    rows = vouchers.list_grants(session, actor=actor(), grant_id=grant_id, limit=1)
    if not rows:
        raise NotFound
    return grant_out(rows[0])


@blueprint.route(GRANT)
class OneVoucherGrant(MethodView):
    """One list."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.response(200, schemas.GrantOut)
    def get(self, voucher_grant_id: int) -> Mapping[str, Any]:
        """Show it."""
        with transaction() as session:
            return grant_of(session, voucher_grant_id)

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(200, schemas.GrantOut)
    def delete(self, data: Mapping[str, Any], voucher_grant_id: int) -> Response:
        """Withdraw what the same key has asked for (else 403) while nobody has decided (else 409)."""

        def work(session: Session) -> Answer:
            vouchers.withdraw_grant(session, voucher_grant_id, actor=actor(), now=clock.now(session))
            return 200, schemas.GrantOut().dump(grant_of(session, voucher_grant_id)), {}

        return once(f"vouchers.withdraw_grant:{voucher_grant_id}", data, work)


def refund_changed(
    route: str, data: Mapping[str, Any], deed: Callable[[Session, datetime], VoucherRefund], status: int = 200
) -> Response:
    """Ask for a redemption to be taken back, or withdraw that; it is shown."""

    def work(session: Session) -> Answer:
        return status, schemas.RefundOut().dump(plain(OF_REFUND, deed(session, clock.now(session)))), {}

    return once(route, data, work)


@blueprint.route(f"{REDEMPTION}/refund-request")
class RefundRequest(MethodView):
    """A redemption that is to be taken back."""

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.takes(schemas.AskRefund, schemas.RefundOut, status=201)
    def post(self, data: Mapping[str, Any], redemption_id: int) -> Response:
        """Ask for it, and say why; a person approves it on `/vouchers`, a key never does. 409 for what was settled."""
        return refund_changed(
            f"vouchers.ask_refund:{redemption_id}",
            data,
            lambda session, now: vouchers.ask_refund(session, redemption_id, **data, actor=actor(), now=now),
            201,
        )


@blueprint.route(REFUND)
class OneVoucherRefund(MethodView):
    """One request to take a redemption back."""

    @allow(Right.VOUCHERS_GRANT)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(200, schemas.RefundOut)
    def delete(self, data: Mapping[str, Any], voucher_refund_id: int) -> Response:
        """Withdraw what the same key has asked for (else 403) while nobody has decided (else 409)."""
        return refund_changed(
            f"vouchers.withdraw_refund:{voucher_refund_id}",
            data,
            lambda session, now: vouchers.withdraw_refund(session, voucher_refund_id, actor=actor(), now=now),
        )
