"""What happens once in the lived year: a charity sale, a shipment of relief, a recall."""

from collections import Counter as Tally
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dispatch.clock import today
from dispatch.demo.day.firms import in_letters, signature
from dispatch.demo.year.giving import BANK, GENERAL
from dispatch.demo.year.shop import LOVE, OK, SEE_OTHER, Shop

COUNTERS, ACCOUNTANT, WELFARE, CENTRE = ("keeper3", "accountant2"), "accountant1", "welfare1", "centre1"
TAKINGS = 523_460
COUNTED_WRONG = 100
USED_WITHIN = timedelta(days=10)
SHARE_SENT = 2
MOST_READ = 100


@dataclass(slots=True)
class Campaigns:
    """The welfare worker and the centre, with those who count."""

    shop: Shop

    def sell(self) -> None:
        """Agreement, plan, two counts that differ and two that do not, all of it banked, published."""
        day = today(self.shop.time.now()).isoformat()
        about = {"community_id": self.shop.community_id, "kind": "charity", "name": "莲都义卖伙伴（演示）"}
        partner = self.shop.made("/api/partners", about)
        signed = {"purpose": "sale", "number": "义卖-演示-2", "words": "所得全部归入爱心基金。", "signed_on": day}
        agreement = self.shop.made(f"/api/partners/{partner['id']}/agreements", signed)
        plan = {"name": "邻里义卖", "place": "文化广场", "held_on": day, "fund_id": GENERAL}
        plan |= {"agreement_id": agreement["agreements"][0]["id"]}
        sale = self.shop.made("/api/sales", plan)["id"]
        for fens in ((TAKINGS, TAKINGS - COUNTED_WRONG), (TAKINGS, TAKINGS)):
            for login, fen in zip(COUNTERS, fens, strict=True):
                answer = self.shop.screens[login].send(f"/sales/{sale}/counts", {"yuan": yuan(fen)})
                self.shop.diary.count(f"takings counted {answer.status}")
        self.finish_sale(sale, day)

    def finish_sale(self, sale: int, day: str) -> None:
        """The accountant banks all of it, the welfare worker publishes."""
        diary, form = self.shop.diary, {"yuan": yuan(TAKINGS), "holding_id": str(BANK)}
        banked = self.shop.screens[ACCOUNTANT].send(f"/sales/{sale}/banking", form)
        if diary.expect(banked, SEE_OTHER, what="banking of the sale"):
            diary.keep("bank", [day, TAKINGS, "义卖款"])
        said = {"result": "谢谢每一位邻居，所得全部归入爱心基金。"}
        answer = self.shop.screens[WELFARE].send(f"/sales/{sale}/publication", said)
        diary.expect(answer, SEE_OTHER, what="publication of the sale")
        diary.keep("sale", {"id": sale, "fen": TAKINGS})

    def relieve(self) -> None:
        """Goods go to a town: some are signed for, some come back, something is lost with a reason."""
        now = today(self.shop.time.now())
        lines = self.lines_to_send((now + USED_WITHIN).isoformat())
        plan = {
            "facility_id": self.shop.facilities[LOVE]["id"],
            "city": "丽水市",
            "county": "莲都区",
            "town": "碧湖镇",
            "receiver": "碧湖镇救灾点（演示）",
            "persons": 180,
            "sends_on": now.isoformat(),
            "consumed_by": (now + USED_WITHIN).isoformat(),
            "lines": [{"goods_id": goods, "amount": amount} for goods, amount in lines],
        }
        shipment = self.shop.made("/api/shipments", plan)["id"]
        self.shop.made(f"/api/shipments/{shipment}/sending", {})
        said = [
            {"goods_id": goods, "received": amount - 2 * (place == 0) - (place == 1), "returned": int(place == 0)}
            for place, (goods, amount) in enumerate(lines)
        ]
        drawn = in_letters(signature(self.shop.chance("shipment")))
        receipt = {"signer": "镇民政干部（演示）", "signature": drawn, "lines": said}
        self.shop.made(f"/api/shipments/{shipment}/signature", receipt)
        reasons = [{"goods_id": goods, "reason": "路上破损"} for goods, _ in lines[:2]]
        closed = self.shop.made(f"/api/shipments/{shipment}/reconciliation", {"reasons": reasons})
        self.shop.diary.keep("shipment", closed)

    def lines_to_send(self, until: str) -> list[tuple[int, int]]:
        """Half of what stands there of three kinds of things that are good until then."""
        free: Tally[int] = Tally()
        stock = self.shop.read(f"/api/facilities/{self.shop.facilities[LOVE]['id']}/stock")["items"]
        for one in stock:
            last = one["last_good_day"]
            if one["may_be_given"] and one["fund_id"] == GENERAL and (last is None or last > until):
                free[one["goods_id"]] += one["amount"] * (one["commodity"] == "piece")
        return [(goods, amount // SHARE_SENT) for goods, amount in free.most_common(3)]

    def recall(self) -> None:
        """All of what was handed out most is called back: the centre reads who got some."""
        facility = self.shop.facilities[LOVE]["id"]
        given: Tally[str] = Tally()
        for one in self.shop.read(f"/api/hand-outs?facility_id={facility}&limit={MOST_READ}")["items"]:
            if one["state"] == "done":
                lines = self.shop.read(f"/api/hand-outs/{one['id']}")["lines"]
                given.update(line["goods"] for line in lines)
        stock: list[dict[str, Any]] = self.shop.read(f"/api/facilities/{facility}/stock")["items"]
        here = [one for one in stock if one["batch_number"] and one["may_be_given"]]
        chosen = max(here, key=lambda one: given[one["goods"]])
        content: dict[str, Any] = {"goods_id": chosen["goods_id"], "batch_number": None}
        content |= {"reason": "厂家召回（演示）", "source": "市场监管通报"}
        called = self.shop.made("/api/recalls", content)
        shown = self.shop.screens[CENTRE].read(f"/stock/recalls/{called['id']}")
        self.shop.diary.expect(shown, OK, what="page of the recall")
        self.shop.diary.keep("recall", called)
        self.shop.diary.count("receivers of a recalled batch", len(called["given"]))


def yuan(fen: int) -> str:
    """Fen as they are typed."""
    return f"{fen / 100:.2f}"
