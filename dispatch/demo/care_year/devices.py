"""The devices of the lived year: each polls the real receiver, presses now and then, repeats until it is answered."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dispatch.demo.care_year.elders import Elders, Home
from dispatch.demo.year.shop import CREATED, OK, Shop, Surprise
from dispatch.gateways import dc09
from dispatch.gateways.dc09 import ACK, Envelope
from dispatch.rules.care.signals import CONTACT_ID, POLL
from dispatch.rules.care.terms import Programme

HALF_A_DAY = 43_200
ANSWER_SECONDS, REPEAT_SECONDS, PATIENCE_SECONDS = 8.0, 0.5, 120.0
PRESSES = (("1101 00 001", 0.018), ("1101 00 002", 0.012), ("1101 00 003", 0.012), ("1302 00 000", 0.004))
"""The red, the yellow and the green key, a battery: how likely each is on a day."""
GOOD_BATTERY = "3302 00 000"
DIES, WAKES, FEWEST_SILENT = 0.40, 0.46, 6
FIRST_NUMBER, LAST_NUMBER = 100, 9_999


class Unanswered(Exception):
    """The receiver has not answered for two minutes."""


@dataclass(slots=True)
class Device:
    """One device in a home: its register number, its account, what it has sent."""

    id: int
    number: str
    account: str
    home: Home
    sequence: int = FIRST_NUMBER
    is_dead: bool = False


@dataclass(slots=True)
class Devices:
    """All of them, and the way to the receiver."""

    shop: Shop
    elders: Elders
    address: tuple[str, int]
    days: int
    known: list[Device] = field(default_factory=list)

    def learn(self) -> None:
        """Those that stand in homes and poll once a day; the demo has two that poll each minute and are silent."""
        lines = self.shop.listed("/api/care/enrolments")
        enrolled = {one["resident_id"]: int(one["id"]) for one in lines if one["programme"] == Programme.DEVICE}
        homes = {number: home for home in self.elders.homes.values() for number in home.enrolments}
        for one in self.shop.read("/api/care/devices")["items"]:
            if one["resident_id"] in enrolled and one["poll_seconds"] >= HALF_A_DAY:
                home = homes[enrolled[one["resident_id"]]]
                self.known.append(Device(int(one["id"]), one["number"], one["account"], home))

    def test(self, home: Home) -> None:
        """The helper at the door presses the key after having told the desk."""
        for device in self.known:
            if device.home is home and not device.is_dead:
                self.shop.made(f"/api/care/devices/{device.id}/test", {})
                self.send(device, PRESSES[0][0], is_test=True)

    def fetched(self, words: str) -> None:
        """Who fetched a device from the home of the dead has brought it; the desk writes down that it is back."""
        for device in self.known:
            if words.endswith(device.number):
                self.shop.made(f"/api/care/devices/{device.id}/recovery", {})
                self.shop.diary.keep("fetched", {"device": device.id})

    def live(self, number: int, day: date) -> None:
        """The day's word of each, and what is pressed; one falls silent for some weeks."""
        if self.known and number == int(DIES * self.days):
            self.known[-1].is_dead = True
            self.shop.diary.keep("silent", {"device": self.known[-1].id, "day": day.isoformat()})
        if self.known and number == max(int(WAKES * self.days), int(DIES * self.days) + FEWEST_SILENT):
            self.known[-1].is_dead = False
        for device in self.known:
            if device.home.household_id not in self.elders.homes:
                device.is_dead = True
            if device.is_dead:
                continue
            self.send(device, None)
            luck = self.shop.chance("press", device.account, day).random()
            for data, share in PRESSES:
                if 0 <= luck < share:
                    self.press(device, data)
                luck -= share

    def press(self, device: Device, data: str) -> None:
        """Something is the matter; a pressing alarm is followed by calls at the desk; a battery is changed."""
        self.send(device, data)
        if data.startswith("1302"):
            self.send(device, GOOD_BATTERY)
        if data != PRESSES[0][0]:
            return
        shown = self.shop.read(f"/api/care/devices/{device.id}")
        order = next((one["order_number"] for one in shown["events"] if one["order_number"]), None)
        if order is None:
            words = f"no order for the alarm of device {device.id}"
            raise Surprise(words)
        for content in self.calls(shown["contacts"]):
            answer = self.shop.api(f"/api/care/alarms/{order}/calls", content)
            self.shop.diary.expect(answer, OK, CREATED, what=f"call about {order}")
        self.shop.diary.keep("alarms", {"device": device.id, "order": order})

    def calls(self, contacts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Nobody answers at home; the child confirms."""
        child = next(one for one in contacts if one["kind"] == "child")
        return [
            {"kind": "home", "outcome": "no_answer"},
            {"kind": "child", "outcome": "confirmed", "contact_id": child["id"]},
        ]

    def send(self, device: Device, data: str | None, *, is_test: bool = False) -> None:
        """One frame, repeated as it is until it is acknowledged."""
        device.sequence = device.sequence % LAST_NUMBER + 1
        body = b"]" if data is None else f"#{device.account}|{data}]".encode()
        envelope = Envelope(POLL if data is None else CONTACT_ID, device.sequence, device.account, body=body)
        frame, limit = dc09.write(envelope), time.monotonic() + PATIENCE_SECONDS
        while not self.is_acknowledged(frame):
            self.shop.diary.count("frames sent again")
            if time.monotonic() > limit:
                raise Unanswered(device.account)
            time.sleep(REPEAT_SECONDS)
        self.shop.diary.count("polls" if data is None else "reports")
        if data is not None:
            told = {"device": device.id, "sequence": device.sequence, "data": data, "is_test": is_test}
            self.shop.diary.keep("frames", told)

    def is_acknowledged(self, frame: bytes) -> bool:
        """Whether the receiver has answered with ACK, on a connection of its own."""
        try:
            with socket.create_connection(self.address, ANSWER_SECONDS) as connection:
                connection.sendall(frame)
                return f'"{ACK}"'.encode() in connection.recv(256)
        except OSError:
            return False
