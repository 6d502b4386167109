"""Service vouchers over HTTP: for firms' own systems (a card looked at, some of it taken), and settled by the month."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.funds import plain
from dispatch.api.once import Answer, once
from dispatch.api.vouchers import ID, paged, redemption_out
from dispatch.gateways import limits
from dispatch.gateways.limits import wrong_codes
from dispatch.rules.access.roles import Right
from dispatch.schemas import vouchers as schemas
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import NewRedemption, SettlementRow, UnknownCode
from dispatch.transaction import transaction

blueprint = Blueprint("redeeming", __name__, url_prefix="/api", description="服务券核销与结算 · Redeeming vouchers")

SETTLEMENT = f"/voucher-settlements/{ID.format('voucher_settlement')}"
OF_SETTLEMENT = tuple(name for name in schemas.SettlementOut().fields if name not in {"firm", "month", "payment"})


def settlement_out(row: SettlementRow) -> dict[str, Any]:
    """What leaves of a settlement."""
    more = {"firm": row.firm, "month": f"{row.settlement.month:%Y-%m}", "payment": row.state}
    return plain(OF_SETTLEMENT, row.settlement) | more


@blueprint.route("/voucher-cards/look-up")
class CardLookUp(MethodView):
    """A card on the table."""

    @allow(Right.VOUCHERS_REDEEM)
    @wrong_codes
    @blueprint.arguments(schemas.LookUp)
    @blueprint.response(200, schemas.ShownVoucherOut)
    def post(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Show part of the name and what is left. The key is a firm's (else 403); wrong codes are counted (429)."""
        with limits.guessing(UnknownCode), transaction() as session:
            shown = vouchers.look_up(session, data["code"], actor=actor())
        return plain(("number", "name", "expires_on", "state"), shown) | {"left_fen": shown.left}


@blueprint.route("/voucher-redemptions")
class VoucherRedemptions(MethodView):
    """What the firm of the key took."""

    @allow(Right.VOUCHERS_REDEEM)
    @blueprint.arguments(schemas.PageQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.RedemptionsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List it, the newest first."""
        with transaction() as session:
            firm = vouchers.firm_of(session, actor())
            before, limit = query["cursor"], query["limit"]
            rows = vouchers.redemptions_of_firm(session, firm.id, actor=actor(), before=before, limit=limit + 1)
            return paged(rows, limit, redemption_out)

    @allow(Right.VOUCHERS_REDEEM)
    @wrong_codes
    @blueprint.takes(schemas.Redeem, schemas.RedemptionOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Take some of it, never more than is left (422); an order of the firm is paid once (409)."""

        def work(session: Session) -> Answer:
            made = vouchers.redeem(session, NewRedemption(**data), actor=actor(), now=clock.now(session))
            row = vouchers.view_redemption(session, made.id, actor=actor())
            return 201, schemas.RedemptionOut().dump(redemption_out(row)), {}

        with limits.guessing(UnknownCode):
            return once("vouchers.redeem", data, work)


@blueprint.route("/voucher-dues")
class VoucherDues(MethodView):
    """What firms are owed."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.arguments(schemas.MonthQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.AllOwedOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List what was taken until the end of a month and is settled nowhere, by firm and fund."""
        with transaction() as session:
            rows = vouchers.owed_of_month(session, query["community_id"], query["month"], actor=actor())
        return {
            "items": [
                plain(("performer_id", "fund_id", "fen"), row.owed)
                | {"firm": row.firm, "redemption_count": len(row.owed.redemptions)}
                for row in rows
            ]
        }


@blueprint.route("/voucher-settlements")
class VoucherSettlements(MethodView):
    """What firms are paid by the month."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.arguments(schemas.PageQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.SettlementsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List settlements, the newest first."""
        with transaction() as session:
            before, limit = query["cursor"], query["limit"]
            rows = vouchers.list_settlements(session, actor=actor(), before=before, limit=limit + 1)
            return paged(list(rows), limit, settlement_out)

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.SettleMonth, schemas.MadeSettlementsOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Ask that each firm is paid what it is owed; a person approves it on `/funds/spendings`, a key never does."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            made = vouchers.settle_month(session, data["community_id"], data["month"], actor=actor(), now=now)
            rows = [vouchers.view_settlement(session, one.id, actor=actor()) for one in made]
            return 201, schemas.MadeSettlementsOut().dump({"items": [settlement_out(row) for row in rows]}), {}

        return once("vouchers.settle_month", data, work)


@blueprint.route(SETTLEMENT)
class OneVoucherSettlement(MethodView):
    """One of them."""

    @allow(Right.VOUCHERS_READ)
    @blueprint.response(200, schemas.WholeSettlementOut)
    def get(self, voucher_settlement_id: int) -> Mapping[str, Any]:
        """Show a firm's statement of a month."""
        with transaction() as session:
            row = vouchers.view_settlement(session, voucher_settlement_id, actor=actor())
            taken = vouchers.redemptions_of_settlement(session, voucher_settlement_id, actor=actor())
            return settlement_out(row) | {"redemptions": [redemption_out(one) for one in taken]}
