"""What a record of a visit or call must say, and how its proof is read.

Source: rules.md §4 (情有所系、苦有所诉、难有所帮: visit record: mood, complaint, difficulty); issue 5 (arrival proof:
QR at the door or the elder's confirmation).
"""

from datetime import datetime, timedelta

from dispatch.errors import Invalid
from dispatch.rules.care.terms import ContactKind, Mood, Proof

LONGEST_WORDS = 500
CODE_BEGINNING = "HQD1/"
CODE_LETTERS = 8


def check_moment(happened_at: datetime, now: datetime, *, days: int) -> None:
    """Refuse a contact of the future or of more than so many days ago; raises Invalid("happened_at")."""
    if happened_at > now:
        raise Invalid("happened_at", "探访时间不能晚于现在")
    if happened_at < now - timedelta(days=days):
        raise Invalid("happened_at", "探访要在%(days)s天以内登记", days=days)


def kind_of(code: str) -> ContactKind:
    """How somebody was reached; raises Invalid("kind")."""
    if code not in {str(ContactKind.VISIT), str(ContactKind.CALL)}:
        raise Invalid("kind", "请选择上门或电话")
    return ContactKind(code)


def check_answered(kind: ContactKind, mood: str | None, *, answered: bool, tested: bool) -> None:
    """A call may stay unanswered, and then nothing is known; raises Invalid naming the field."""
    if kind is ContactKind.CALL and tested:
        raise Invalid("tested", "试报警要上门做")
    if not answered and kind is not ContactKind.CALL:
        raise Invalid("answered", "只有电话可以记“没有人接”;上门没有见到人,请把订单报为未能完成")
    if not answered and mood:
        raise Invalid("mood", "没有人接的电话不用填情绪")
    if answered and mood not in set(Mood):
        raise Invalid("mood", "请选择老人情绪怎样")


def check_words(field: str, words: str) -> str:
    """Words of a record without blanks around them; raises Invalid naming the field."""
    said = words.strip()
    if len(said) > LONGEST_WORDS:
        raise Invalid(field, "最多写%(most)s字", most=LONGEST_WORDS)
    return said


def code_said(text: str) -> str:
    """The letters of a door's code as scanned or typed."""
    said = text.strip().upper().removeprefix(CODE_BEGINNING)
    return said.replace("-", "").replace(" ", "").replace("0", "O").replace("1", "I").replace("8", "B")


def proof_of(kind: ContactKind, *, code_fits: bool | None, confirmed: bool, signed: bool) -> Proof:
    """What shows that somebody was there; a code that does not fit is refused (None: none was given)."""
    if code_fits is False:
        raise Invalid("door_code", "这不是这一户门上的码,请重新扫描或输入")
    if kind is ContactKind.CALL:
        return Proof.REPORT
    if code_fits:
        return Proof.DOOR_CODE
    return Proof.CONFIRMED if confirmed or signed else Proof.REPORT
