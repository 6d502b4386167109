"""What a firm fills in, read into what the services take; raises Invalid naming the field of the form."""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage

from dispatch.errors import Invalid
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import idempotency
from dispatch.services.care.reporting import Said
from dispatch.services.orders import WorkReport

REASONS = {
    "busy": "现在忙不过来",
    "far": "太远了",
    "not_mine": "不做这种活",
    "time": "时间不合适",
    "parts": "没有配件或工具",
    "other": "其他原因",
}
SHOWN_FIELDS = (
    *("reason", "result", "cost", "note", "photos", "signature", "code", "yuan", "what"),
    *("mood", "complaint", "difficulty", "door_code"),
)
MOST_PHOTOS = 5
FEN_OF_YUAN = 100
KEY_BYTES = 18
NUMBER = re.compile(r"-?\d+(\.\d*)?")
YUAN = re.compile(r"(\d{1,9})(?:\.(\d{1,2})0*)?")


def fields() -> Mapping[str, Any]:
    """The fields of this request, sent as a form or as JSON."""
    if not request.is_json:
        return request.form
    try:
        body = request.get_json()
    except RecursionError as error:
        raise Invalid("body", "请求的内容要是一个 JSON 对象") from error
    if not isinstance(body, Mapping):
        raise Invalid("body", "请求的内容要是一个 JSON 对象")
    return body


def text_of(sent: Mapping[str, Any], name: str) -> str:
    """One field as text without blanks around it; refuses what is no text or number."""
    value = sent.get(name, "")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid(name, "填写的内容不正确")
    return check_text(name, str(value))


def reason_of(sent: Mapping[str, Any]) -> str:
    """The reason in words: one of the list, with what was added; a machine may send words alone."""
    chosen, words = text_of(sent, "reason"), text_of(sent, "words")
    if chosen == "other" and not words:
        raise Invalid("reason", "选了“其他原因”，请写明是什么原因")
    label = "" if chosen == "other" else REASONS.get(chosen, chosen)
    reason = "；".join(part for part in (label, words) if part)
    if not reason:
        raise Invalid("reason", "请说明原因")
    return reason


def fen_of(text: str) -> int:
    """Yuan as people write them (80, 80.5, ¥80.50, 80元) in whole fen; nothing written is 0."""
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("¥").removesuffix("元").strip()
    if not plain:
        return 0
    if not plain.isascii() or NUMBER.fullmatch(plain) is None:
        raise Invalid("cost", "费用请填数字，例如 80 或 80.50")
    if plain.startswith("-"):
        raise Invalid("cost", "费用不能是负数")
    found = YUAN.fullmatch(plain.removesuffix("."))
    if found is None:
        raise Invalid("cost", "费用最多 100 万元，最多两位小数")
    yuan, rest = found.groups(default="")
    return int(yuan) * FEN_OF_YUAN + int(rest.ljust(2, "0"))


def report_of(sent: Mapping[str, Any]) -> WorkReport:
    """The report of finished work with its pictures."""
    photos = pictures(request.files.getlist("photos"))
    if len(photos) > MOST_PHOTOS:
        raise Invalid("photos", "照片最多 5 张")
    signatures = pictures(request.files.getlist("signature"))
    return WorkReport(
        result=text_of(sent, "result"),
        cost_fen=fen_of(text_of(sent, "cost")),
        note=text_of(sent, "note"),
        photos=photos,
        signature=signatures[0] if signatures else None,
    )


def said_of(sent: Mapping[str, Any], *, signed: bool) -> Said | None:
    """What the form of a visit says beside the report; None where it was not asked, as by machines."""
    if text_of(sent, "asked") != "1":
        return None
    return Said(
        mood=text_of(sent, "mood") or None,
        complaint=text_of(sent, "complaint"),
        difficulty=text_of(sent, "difficulty"),
        door_code=text_of(sent, "door_code"),
        confirmed=signed or text_of(sent, "confirmed") == "yes",
    )


def pictures(sent: Iterable[FileStorage]) -> list[bytes]:
    """The bytes of the files that were really chosen: an empty chooser sends one without a name."""
    return [content for one in sent if (content := one.read()) or one.filename]


def key_of(sent: Mapping[str, Any]) -> str | None:
    """The act's own key: from the header, else from the form; None where none was given."""
    key = request.headers.get(idempotency.HEADER) or text_of(sent, "key")
    return idempotency.check_key(key) if key else None


def payload_of(report: WorkReport, said: Said | None) -> dict[str, object]:
    """The report as far as a repeat is told by it: its words and what its pictures hold."""
    return ({} if said is None else asdict(said)) | {
        "result": report.result,
        "cost_fen": report.cost_fen,
        "note": report.note,
        "photos": [sha256(photo).hexdigest() for photo in report.photos],
        "signature": sha256(report.signature or b"").hexdigest(),
    }


def new_key() -> str:
    """A key that makes one press of a button one act, however often it is sent."""
    return secrets.token_urlsafe(KEY_BYTES)
