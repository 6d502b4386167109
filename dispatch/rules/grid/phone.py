"""Telephone numbers of the mainland: one stored form, and how they are shown."""

import re
from typing import Final

import phonenumbers

from dispatch.errors import Invalid

# 莲都 and all of Lishui share one trunk code (电信网编号计划, 0578).
LISHUI_AREA_CODE: Final = "0578"
LONGEST_TEXT: Final = 64
SHORTEST_LANDLINE: Final = 9

# Short numbers of emergency and public service (电信网编号计划, YD/T; 96345 is the district's own centre).
_EMERGENCY = "110 119 120 122"
_OPERATORS_AND_POST = "114 10000 10010 10086 10099 11185"
_PUBLIC_SERVICE = (
    "12110 12117 12121 12122 12123 12300 12306 12309 12315 12318 12319 12320 12328 12333 12338 12339 12345 "
    "12348 12349 12350 12351 12355 12356 12358 12363 12366 12367 12368 12369 12371 12377 12378 12380 12385 "
    "12388 12389 12393 12395 95598 96345"
)
SERVICE_NUMBERS: Final = frozenset(f"{_EMERGENCY} {_OPERATORS_AND_POST} {_PUBLIC_SERVICE}".split())

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212()./·]+")
_COUNTRY = re.compile(r"^(?:(?:\+|00)86|86(?=1[3-9][0-9]{9}$))")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LOCAL = re.compile(r"[2-8][0-9]{6,7}")
_TOLL_FREE = re.compile(r"(?:400|800)[0-9]{7}")
_AREA_CODE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})")

_MESSAGE_EMPTY = "请填写电话号码。"
_MESSAGE_SHAPE = "电话号码不对:手机请填11位(如13800005678),座机请填区号加号码(如0578-2123456),请核对后重新输入。"
_MESSAGE_ABROAD = "目前只登记中国大陆的电话号码(+86),请填写一个大陆手机或座机。"


def normalise_phone(text: str, default_area: str = LISHUI_AREA_CODE) -> str:
    """Return the number in `text` in the form that is stored and looked up.

    Mobiles, landlines and 400/800 numbers become E.164 (+8613800005678, +865782123456); a local number of
    seven or eight digits gets `default_area` (with its leading 0); numbers of public service (110, 96345 …)
    stay as they are. Idempotent. Source: 电信网编号计划 as held by phonenumbers, ITU-T E.164.
    Raises Invalid("phone", …) whose message says what to enter.
    """
    if len(text) > LONGEST_TEXT:
        raise Invalid("phone", _MESSAGE_SHAPE)
    compact = _SEPARATORS.sub("", text.translate(_FULL_WIDTH))
    if not compact:
        raise Invalid("phone", _MESSAGE_EMPTY)
    if compact in SERVICE_NUMBERS:
        return compact
    national = _COUNTRY.sub("", compact, count=1)
    if national.startswith("+"):
        raise Invalid("phone", _MESSAGE_ABROAD)
    if _LOCAL.fullmatch(national) and national == compact:
        national = default_area + national
    return _to_international(national)


def mask_phone(number: str) -> str:
    """Return the number with its middle hidden: 138****5678, 0578****456, service numbers whole.

    What is no number of a subscriber shows nothing. Source: promise.md, personal data masked in output.
    """
    if number in SERVICE_NUMBERS:
        return number
    national = number.removeprefix("+86")
    if _MOBILE.fullmatch(national):
        return f"{national[:3]}****{national[-4:]}"
    if _TOLL_FREE.fullmatch(national):
        return f"{national[:3]}****{national[-3:]}"
    area = _AREA_CODE.match(f"0{national.removeprefix('0')}")
    if area and national.isascii() and national.isdigit() and len(national) >= SHORTEST_LANDLINE:
        return f"{area.group()}****{national[-3:]}"
    return "****"


def _to_international(national: str) -> str:
    if not (national.isascii() and national.isdigit()):
        raise Invalid("phone", _MESSAGE_SHAPE)
    if not (_MOBILE.fullmatch(national) or _TOLL_FREE.fullmatch(national)):
        national = f"0{national.removeprefix('0')}"
        if not _AREA_CODE.match(national):
            raise Invalid("phone", _MESSAGE_SHAPE)
    try:
        parsed = phonenumbers.parse(national, "CN")
    except phonenumbers.NumberParseException:
        raise Invalid("phone", _MESSAGE_SHAPE) from None
    if not phonenumbers.is_possible_number(parsed) or not _is_number_of_a_subscriber(national, parsed):
        raise Invalid("phone", _MESSAGE_SHAPE)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _is_number_of_a_subscriber(national: str, parsed: phonenumbers.PhoneNumber) -> bool:
    if _MOBILE.fullmatch(national) or _TOLL_FREE.fullmatch(national):
        return True
    return phonenumbers.is_valid_number(parsed) and phonenumbers.region_code_for_number(parsed) == "CN"
