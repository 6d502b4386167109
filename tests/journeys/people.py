"""The people of a journey: a caller, the firms with their inbox, the desk, a clerk, and the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from urllib.parse import urlsplit

from dispatch.clock import SHANGHAI
from dispatch.demo.day.firms import photo
from dispatch.demo.day.wire import Browser, Part, Wire, multipart
from dispatch.gateways.messages.received import Received, read_received
from dispatch.supervisor.home import read_json
from tests.faults.town import Town

CREATED, OK, SEE_OTHER = 201, 200, 303
SOON_SECONDS = 60.0
SIMPLE_KIND = "waste_removal"


@dataclass(slots=True)
class People:
    """Who acts in a town; every deed has a key of its own."""

    town: Town
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def wire(self) -> Wire:
        """The way to the town's pages."""
        return Wire(f"http://127.0.0.1:{self.town.port}")

    def call(self, description: str, **place: object) -> Mapping[str, Any]:
        """Somebody calls; the order that they were promised."""
        content = {
            "service_code": SIMPLE_KIND,
            "description": description,
            **(place or {"stairwell_id": self.stairwell()}),
        }
        status, body = self.town.api("POST", "/api/orders", content, once=self.key())
        assert status == CREATED, body
        found: Mapping[str, Any] = body
        return found

    def stairwell(self) -> int:
        """Some stairwell that exists."""
        return int(self.town.rows("SELECT min(id) FROM stairwells")[0][0])

    def key(self) -> str:
        """A fresh Idempotency-Key."""
        return f"journey-{next(self.numbers)}"

    def offer(self, number: str, nth: int = 1) -> Received:
        """The n-th offer of an order as it arrived at its firm."""
        found: list[Received] = []

        def arrived() -> bool:
            found[:] = [
                one
                for one in read_received(self.town.home, limit=10_000)
                if one.order_number == number and one.link and one.message_id.startswith("offer:") and not one.repeat
            ]
            return len(found) >= nth

        self.town.until(arrived, f"offer {nth} of {number}", SOON_SECONDS)
        return found[nth - 1]

    def does(self, offer: Received, act: str, **content: str) -> int:
        """What a firm does with its link; gives the status."""
        return self.town.answer(offer.link, act, content, once=self.key())

    def works(self, offer: Received) -> None:
        """The firm comes and finishes."""
        assert self.does(offer, "accept") == OK
        assert self.does(offer, "set-out") == OK
        assert self.does(offer, "arrive", how="resident") == OK
        photos = (Part("photos", "photo.jpg", "image/jpeg", photo(Random(1))),)  # noqa: S311 - a made-up picture
        body, content_type = multipart({"result": "done", "cost": "60", "note": "已运走"}, photos)
        headers = {"Content-Type": content_type, "Accept": "application/json", "Idempotency-Key": self.key()}
        answer = self.wire.ask("POST", f"{urlsplit(offer.link).path}/finish", body=body, headers=headers)
        assert answer.status == OK, answer.text[:2_000]

    def says(self, number: str, what: str, content: Mapping[str, object]) -> Mapping[str, Any]:
        """What the desk does with an order."""
        version = self.order(number)["version"]
        sent = {**content, "version": version}
        status, body = self.town.api("POST", f"/api/orders/{number}/{what}", sent, once=self.key())
        assert status in {OK, CREATED}, body
        found: Mapping[str, Any] = body
        return found

    def calls_back(self, number: str, *, solved: bool) -> None:
        """A callback clerk asks the resident, at a screen."""
        accounts = read_json(self.town.home / "demo.json")["accounts"]
        account = next(one for one in accounts if one["role"] == "callback_clerk")
        browser = Browser(self.wire, account["login"], account["password"])
        said = {"solved": "yes" if solved else "no", "satisfaction": "satisfied" if solved else "dissatisfied"}
        form = {"reached": "yes", "contacted": "yes", **said}
        answer = browser.post(f"/orders/{number}", f"/orders/{number}/callback", form)
        assert answer.status == SEE_OTHER, answer.text[:2_000]

    def order(self, number: str) -> Mapping[str, Any]:
        """The order as the desk sees it."""
        status, body = self.town.api("GET", f"/api/orders/{number}")
        assert status == OK, body
        found: Mapping[str, Any] = body
        return found

    def state(self, number: str) -> str:
        """Where the order stands."""
        return str(self.order(number)["state"])

    def now(self) -> datetime:
        """What the town's clock shows."""
        instant: datetime = self.town.rows("SELECT dispatch_now()")[0][0]
        return instant

    def later(self, by: timedelta) -> None:
        """Time passes."""
        self.sets_clock(self.now() + by)

    def sets_clock(self, instant: datetime) -> None:
        """The clock shows this instant."""
        self.town.command("demo", "--clock", instant.astimezone(SHANGHAI).isoformat())

    def actions(self, number: str) -> list[str]:
        """The order's history."""
        query = (
            "SELECT event.action FROM order_events AS event JOIN orders ON orders.id = event.order_id "
            "WHERE number = %(number)s ORDER BY event.version"
        )
        return [row[0] for row in self.town.rows(query, {"number": number})]
