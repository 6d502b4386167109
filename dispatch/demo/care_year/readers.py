"""Those who read from outside: helpers' telephones that subscribe, and families far away, by consent."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from dispatch.demo.care_year.elders import Elders
from dispatch.demo.year.shop import OK, Shop, Surprise
from dispatch.rules.care.terms import Programme

CALENDAR = re.compile(r"<code>https?://[^/<]+(/calendar/\w+\.ics)</code>")
PAGE = re.compile(r"<code>https?://[^/<]+(/f/[\w-]+)</code>")
MOST_TELEPHONES = 6
A_TERM = timedelta(days=365)
FOLDER = "care-year-read"


@dataclass(slots=True)
class Readers:
    """Who was given a link, and what each of them reads every few days."""

    shop: Shop
    elders: Elders
    home: Path
    links: dict[str, str] = field(default_factory=dict)

    def begin(self, day: date) -> None:
        """Some helpers get their calendar, the families of who lives alone with a voucher a calendar and a page."""
        paired = [int(one["performer_id"]) for one in self.shop.read("/api/care/helpers")["items"] if one["paired"]]
        for helper in self.shop.chance("telephones").sample(paired, min(MOST_TELEPHONES, len(paired))):
            self.give(f"helper-{helper}", CALENDAR, f"/care/helpers/{helper}/feed", {})
        for enrolment_id, home in self.elders.enrolled(Programme.VOUCHER):
            if len(home.names) == 1:
                form = {"resident_id": str(self.elders.resident_of(home)), "consented_on": day.isoformat()}
                self.give(
                    f"family-{enrolment_id}", CALENDAR, f"/care/{enrolment_id}/feeds", form | {"relation": "儿子"}
                )
                sees = {"sees_visits": "1", "sees_alarms": "1", "expires_on": (day + A_TERM).isoformat()}
                self.give(f"page-{enrolment_id}", PAGE, "/family", form | sees | {"relation": "child"})

    def give(self, whose: str, pattern: re.Pattern[str], path: str, form: dict[str, str]) -> None:
        """The desk makes a link, which is shown this once."""
        found = pattern.search(self.elders.screen.send(path, form).text)
        if found is None:
            words = f"no link for {whose}"
            raise Surprise(words)
        self.links[whose] = found[1]
        self.shop.diary.keep("links", {"whose": whose, "path": found[1]})

    def look(self, day: date) -> None:
        """Each opens the link; what it shows is kept in a file."""
        folder = self.home / FOLDER
        folder.mkdir(exist_ok=True)
        for whose, path in self.links.items():
            answer = self.shop.wire.ask("GET", path)
            if answer.status == OK:
                (folder / f"{whose}-{day}").write_text(answer.text, encoding="utf-8", newline="")
            self.shop.diary.keep("read", {"whose": whose, "day": day.isoformat(), "status": answer.status})
