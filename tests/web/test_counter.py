"""The counter without a browser: a signing that was made offline and is refused leaves an alarm."""

from datetime import timedelta
from io import BytesIO

from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.models.notify import Alarm
from dispatch.services.access import vault
from dispatch.services.market import hand_outs
from tests.factories.counter import card_of, reserve
from tests.factories.market import make_shop, milk_of, signature
from tests.web.conftest import Site
from tests.web.counter_world import keeper_of


def test_a_signing_told_late_and_refused_is_alarmed(site: Site) -> None:
    with site.database.session() as session:
        shop, now = make_shop(session), clock.now(session)
        milk_of(session, shop, 5, 3)
        made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
        hand_outs.cancel(session, made, actor=shop.keeper, now=now)
        token = keeper_of(session, shop.world.community.id)
        session.commit()
    client = site.app.test_client()
    client.set_cookie("session", token)
    form = {"way": "stroke", "list_hash": made.list_hash.hex(), "signed_at": (now - timedelta(minutes=9)).isoformat()}
    headers = {"X-CSRF-Token": vault.sign("csrf", token.encode()).hex(), "Idempotency-Key": "offline-1"}
    sent = form | {"signature": (BytesIO(signature()), "signature.png")}
    refused = client.post(f"/counter/hand-outs/{made.id}/signature", data=sent, headers=headers)
    assert refused.status_code == 409
    with site.database.session() as session:
        assert session.scalars(select(Alarm.kind)).all() == ["signing_refused"]
    assert "请盘点" in client.get("/alarms").text


def test_a_reservation_reads_the_card_once(site: Site) -> None:
    # everything on the shelf was looked up twice for it, and the audit log told of two scans
    with site.database.session() as session:
        shop = make_shop(session)
        milk_of(session, shop, 5, 3)
        card = card_of(session, shop)
        token = keeper_of(session, shop.world.community.id)
        session.commit()
    client = site.app.test_client()
    client.set_cookie("session", token)
    form = {"facility_id": str(shop.facility.id), "card": card.qr, f"goods.{shop.milk.id}": "1"}
    shown = client.post(
        "/counter/reservations", data=form, headers={"X-CSRF-Token": vault.sign("csrf", token.encode()).hex()}
    )
    assert shown.status_code == 200
    assert "list_hash" in shown.text
    with site.database.session() as session:
        scans = select(AuditEntry.id).where(AuditEntry.action == "market.scan_card")
        assert len(session.scalars(scans).all()) == 1
