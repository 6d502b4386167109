"""A small world for each test, and a way to read the links that offers were sent with."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.services.access import vault
from tests.factories.world import World, make_world

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def world(session: Session) -> World:
    """A small world in the test's own transaction."""
    return make_world(session)


@pytest.fixture
def links(session: Session) -> Callable[[Order], dict[int, str]]:
    """The link tokens of an order's open round by performer, unsealed from the notices that wait."""

    def read(order: Order) -> dict[int, str]:
        rows = session.execute(
            select(OfferRecipient.performer_id, Notice.dedupe, Notice.secret)
            .join(Offer, Offer.id == OfferRecipient.offer_id)
            .join(Notice, Notice.offer_recipient_id == OfferRecipient.id)
            .where(Offer.order_id == order.id, Offer.closed_at.is_(None))
        )
        return {
            performer: vault.open_sealed(f"notices.secret.{dedupe}", secret)
            for performer, dedupe, secret in rows
            if secret is not None
        }

    return read
