"""Appeals, the media log, partners and their agreements, sessions of the 爱心聊吧: what each must say.

Source: rules.md §6 (《倡议书》, 捐赠热线, 爱心义卖, 报纸、电视: appeal with version, prints, where given; media log
with consent; partner charity and agreement; 爱心聊吧 sessions with attendance only).
"""

from datetime import date
from enum import StrEnum

from dispatch.errors import Invalid

LONGEST_TITLE = 60
LONGEST_WORDS = 4_000
MOST_COPIES = 1_000_000
MOST_PEOPLE = 1_000


class PartnerKind(StrEnum):
    """Who works with us."""

    CHARITY = "charity"
    SCHOOL = "school"
    UNIT = "unit"
    OVERSEAS = "overseas"


class AgreementPurpose(StrEnum):
    """What an agreement is about."""

    SALE = "sale"
    SHIPMENT = "shipment"
    GIFT = "gift"


class Medium(StrEnum):
    """Where something was reported."""

    NEWSPAPER = "newspaper"
    TELEVISION = "television"
    RADIO = "radio"
    WEB = "web"


PARTNER_LABELS: dict[PartnerKind, str] = {
    PartnerKind.CHARITY: "慈善机构",
    PartnerKind.SCHOOL: "学校",
    PartnerKind.UNIT: "共建单位",
    PartnerKind.OVERSEAS: "侨胞团体",
}
PURPOSE_LABELS: dict[AgreementPurpose, str] = {
    AgreementPurpose.SALE: "义卖",
    AgreementPurpose.SHIPMENT: "联合发运",
    AgreementPurpose.GIFT: "捐赠",
}
MEDIUM_LABELS: dict[Medium, str] = {
    Medium.NEWSPAPER: "报纸",
    Medium.TELEVISION: "电视",
    Medium.RADIO: "广播",
    Medium.WEB: "网络",
}


def check_title(title: str, field: str = "title") -> None:
    """Refuse an empty or overlong title; raises Invalid naming the field."""
    if not title.strip() or len(title) > LONGEST_TITLE:
        raise Invalid(field, "请写明名称，不超过60字")


def check_words(words: str, field: str = "words") -> None:
    """Refuse empty or overlong words; raises Invalid naming the field."""
    if not words.strip() or len(words) > LONGEST_WORDS:
        raise Invalid(field, "请写明内容，不超过4000字")


def check_prints(copies: int, given_where: str, given_on: date, written_on: date, today: date) -> None:
    """Refuse prints of nothing, given nowhere, before the version was written or on a day to come."""
    if not 1 <= copies <= MOST_COPIES:
        raise Invalid("copies", "请填印发的份数")
    check_title(given_where, "given_where")
    if not written_on <= given_on <= today:
        raise Invalid("given_on", "发放的日子不能早于这一版写成，也不能晚于今天")


def check_agreement(signed_on: date, valid_until: date | None, today: date) -> None:
    """Refuse an agreement of a day to come, or one that ends before it begins."""
    if signed_on > today:
        raise Invalid("signed_on", "签订的日子不能晚于今天")
    if valid_until is not None and valid_until < signed_on:
        raise Invalid("valid_until", "到期的日子不能早于签订的日子")


def check_media(published_on: date, today: date, *, shows_people: bool, consent: str) -> None:
    """Refuse a report that shows people without saying how they consented, or of a day to come."""
    if published_on > today:
        raise Invalid("published_on", "刊播的日子不能晚于今天")
    if shows_people and not consent.strip():
        raise Invalid("consent", "报道里有当事人的，要写明怎样征得同意")


def check_attendance(present: int, referred: int, held_on: date, today: date) -> None:
    """Refuse an impossible attendance: nobody's names are kept, only how many came and how many were referred."""
    if held_on > today:
        raise Invalid("held_on", "聊吧的日子不能晚于今天")
    if not 1 <= present <= MOST_PEOPLE:
        raise Invalid("present", "请填来了多少人")
    if not 0 <= referred <= present:
        raise Invalid("referred", "转介的人数不能超过来的人数")
