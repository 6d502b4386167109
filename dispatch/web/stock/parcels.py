"""What the pages of rounds and shipments share: goods with amounts, names, and what was signed outside the house."""

from flask import request
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.market import Facility, Goods
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.grid.identity import mask_name
from dispatch.services import market
from dispatch.services.market.signing import Signed
from dispatch.web.stock.door import read_amount, read_signature


def goods_rows(session: Session, facility: Facility, actor: Actor) -> list[tuple[Goods, int]]:
    """The goods of a facility's community, each with what of it stands there outside quarantine."""
    stands: dict[int, int] = {}
    for one in market.stock_of(session, facility.id, actor=actor):
        if one.shelf.spot != "quarantine":
            stands[one.goods_id] = stands.get(one.goods_id, 0) + one.free
    goods = [one for one in market.list_goods(session, actor=actor) if one.community_id == facility.community_id]
    return [(one, stands.get(one.id, 0)) for one in sorted(goods, key=lambda one: one.id not in stands)]


def amounts_of(session: Session, facility: Facility, actor: Actor, field: str = "amount") -> dict[int, int]:
    """What the form says of each of the goods, those left empty left out; raises Invalid naming `amount-<id>`."""
    found = {}
    for goods, _ in goods_rows(session, facility, actor):
        name = f"{field}-{goods.id}"
        if said := request.form.get(name, "").strip():
            found[goods.id] = read_amount(said, goods.commodity, name)
    return found


def whole_amount(name: str, commodity: str) -> int:
    """An amount of the form that may be nothing at all; raises Invalid."""
    said = request.form.get(name, "").strip()
    return 0 if said in {"", "0"} else read_amount(said, commodity, name)


def sees_names(actor: Actor) -> bool:
    """Whether somebody brings the parcels, and so has to know to whom."""
    return actor.may(Right.CAMPAIGNS_RUN)


def shown_name(name: str, *, whole: bool) -> str:
    """A name, masked for whoever need not know it."""
    return name if whole else mask_name(name)


def read_signed() -> Signed:
    """The stroke or the paper of the form; raises Invalid("signature") for none."""
    sent = request.files.get("paper")
    if sent is not None and sent.filename:
        sent.stream.seek(0)
        return Signed(paper=sent.stream.read())
    try:
        return Signed(stroke=read_signature())
    except Invalid as error:
        raise Invalid("signature", "请在框里签名，或者上传签收单的照片") from error
