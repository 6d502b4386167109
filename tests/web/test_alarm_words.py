"""What an alarm says to people: a sentence in their language, never its code, never whose device it is."""

import pytest

from dispatch.models.notify import Alarm
from dispatch.services.care.alarms import acting, hearing, refusing, watching
from dispatch.web.home import alarm_words
from tests.web.conftest import Site

OF_DEVICES = (
    acting.UNPLACED,
    acting.UNKNOWN_CODE,
    acting.UNINSTALLED,
    hearing.SILENT,
    refusing.REFUSED,
    watching.TEST_DUE,
)


@pytest.mark.parametrize("kind", OF_DEVICES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_alarm_of_a_device_is_a_sentence_with_its_number(site: Site, kind: str, lang: str) -> None:
    alarm = Alarm(kind=kind, subject="device:7", facts={"device": "D-0007", "account": "3001", "code": "999"})
    with site.app.test_request_context(f"/alarms?lang={lang}"):
        said = alarm_words(alarm, {})
    assert "D-0007" in said
    assert kind not in said
    assert ("电子保姆" in said) is (lang == "zh")
