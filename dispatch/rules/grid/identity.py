"""Identity numbers of residents (GB 11643) and of organisations (GB 32100), checked by their own digits."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from dispatch.errors import Invalid

Sex = Literal["male", "female"]

RESIDENT_ID_LENGTH = 18
OLD_RESIDENT_ID_LENGTH = 15
"""Of first-generation cards, which ended with 2012 (居民身份证法, 2011)."""
UNIFIED_CODE_LENGTH = 18

# GB 11643-1999, 4.3: weights 2^(18-i) mod 11 of the first seventeen digits; check characters by remainder.
RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_ID_CHECK_CHARACTERS = "10X98765432"

# GB/T 2260: the first two digits, the provinces; 81, 82 and 83 stand on residence permits.
_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
PROVINCE_CODES = frozenset(_PROVINCES.split())
# GB/T 2260: the county codes of Lishui, with 331102 (莲都区) and those that older papers carry.
_LISHUI_COUNTIES = "331100 331101 331102 331121 331122 331123 331124 331125 331126 331127 331181"
LISHUI_COUNTY_CODES = frozenset(_LISHUI_COUNTIES.split())

# GB 32100-2015, 4.2: thirty-one characters, without I, O, S, V and Z.
UNIFIED_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
UNIFIED_CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# GB 11714-1997, 3.2: the organisation code uses all thirty-six characters, in their natural order.
ORGANISATION_CODE_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CODE_PLACE = slice(8, 17)

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u00b7.]+")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_UNIFIED_CODE = re.compile(f"[{UNIFIED_CODE_CHARACTERS}]{{2}}[0-9]{{6}}[{UNIFIED_CODE_CHARACTERS}]{{10}}")
_COMPOUND = "欧阳 上官 司马 诸葛 东方 皇甫 尉迟 公孙 令狐 慕容 司徒 夏侯 端木 南宫 长孙 宇文 轩辕 司空"
_COMPOUND_FAMILY_NAMES = frozenset(_COMPOUND.split())


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A checked resident identity number.

    `area_code_known` is False when the first six digits are in no list that we hold: a warning for the desk,
    never a refusal, for old codes live on in numbers after the counties are renamed.
    """

    value: str
    birth_date: date
    sex: Sex
    area_code_known: bool


def check_resident_id(text: str) -> ResidentId:
    """Return the identity number in `text`, upper case and without separators, with what it tells.

    Source: GB 11643-1999 (18 characters, real birth date, ISO 7064 MOD 11-2 check character).
    Raises Invalid("resident_id", …) for a wrong length, character, date or check character.
    """
    value = _compact(text)
    if len(value) == OLD_RESIDENT_ID_LENGTH and value.isdigit():
        raise Invalid("resident_id", "这是15位的旧身份证号,2013年起不再使用,请照现在的18位身份证填写。")
    if len(value) != RESIDENT_ID_LENGTH:
        raise Invalid("resident_id", "身份证号应为18位,现为%(length)s位,请核对后重新输入。", length=len(value))
    if not _RESIDENT_ID.fullmatch(value):
        raise Invalid("resident_id", "身份证号只能由数字组成,末位可为X,请核对后重新输入。")
    birth_date = _birth_date(value[6:14])
    if value[-1] != resident_id_check_character(value[:17]):
        raise Invalid("resident_id", "身份证号校验位不符,可能有一位输错,请逐位核对。")
    sex: Sex = "male" if int(value[16]) % 2 else "female"
    return ResidentId(value, birth_date, sex, area_code_known=_is_area_code_known(value[:6]))


def resident_id_check_character(first_seventeen: str) -> str:
    """Return the check character of seventeen digits. Source: GB 11643-1999, ISO 7064 MOD 11-2."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, RESIDENT_ID_WEIGHTS, strict=True))
    return RESIDENT_ID_CHECK_CHARACTERS[total % 11]


def check_uscc(text: str) -> str:
    """Return the unified social credit code in `text`, upper case and without separators.

    Source: GB 32100-2015 (character set, check character mod 31) and GB 11714-1997 (check character of the
    organisation code at places 9 to 17). Raises Invalid("uscc", …) naming which of them does not fit.
    """
    value = _compact(text)
    if len(value) != UNIFIED_CODE_LENGTH:
        raise Invalid("uscc", "统一社会信用代码应为18位,现为%(length)s位,请核对后重新输入。", length=len(value))
    if not _UNIFIED_CODE.fullmatch(value):
        raise Invalid("uscc", "统一社会信用代码第3至8位为数字,其余为数字或大写字母(不用I、O、S、V、Z),请核对。")
    organisation_code = value[ORGANISATION_CODE_PLACE]
    if organisation_code[-1] != organisation_code_check_character(organisation_code[:-1]):
        raise Invalid("uscc", "统一社会信用代码中的组织机构代码(第9至17位)校验位不符,请逐位核对。")
    if value[-1] != unified_code_check_character(value[:-1]):
        raise Invalid("uscc", "统一社会信用代码末位校验码不符,可能有一位输错,请逐位核对。")
    return value


def unified_code_check_character(first_seventeen: str) -> str:
    """Return the eighteenth character of a unified social credit code. Source: GB 32100-2015, mod 31."""
    total = sum(
        UNIFIED_CODE_CHARACTERS.index(character) * weight
        for character, weight in zip(first_seventeen, UNIFIED_CODE_WEIGHTS, strict=True)
    )
    return UNIFIED_CODE_CHARACTERS[-total % 31]


def organisation_code_check_character(first_eight: str) -> str:
    """Return the ninth character of an organisation code: 10 is X, 11 is 0. Source: GB 11714-1997, mod 11."""
    total = sum(
        ORGANISATION_CODE_CHARACTERS.index(character) * weight
        for character, weight in zip(first_eight, ORGANISATION_CODE_WEIGHTS, strict=True)
    )
    return "0123456789X"[-total % 11]


def mask_resident_id(value: str) -> str:
    """Return the number with its birth date and order hidden: 331102********0015 keeps six and four.

    What is shorter than a number shows nothing at all. Source: promise.md, identity numbers masked in output.
    """
    if len(value) != RESIDENT_ID_LENGTH:
        return "*" * min(len(value), RESIDENT_ID_LENGTH)
    return f"{value[:6]}********{value[-4:]}"


def mask_name(name: str) -> str:
    """Return the family name and a star for each further character: 张三 → 张*, 欧阳娜娜 → 欧阳**.

    A name of one character is a star; of a name in another script the first letter is kept, and three stars.
    Source: promise.md, personal data masked in output.
    """
    stripped = name.strip()
    if len(stripped) <= 1:
        return "*" * len(stripped)
    if stripped.isascii():
        return f"{stripped[0]}***"
    is_compound = stripped[:2] in _COMPOUND_FAMILY_NAMES and stripped[2:]
    shown = 2 if is_compound else 1
    return stripped[:shown] + "*" * min(len(stripped) - shown, 8)


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text.translate(_FULL_WIDTH)).upper()


def _birth_date(digits: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise Invalid("resident_id", "身份证号中的出生日期%(digits)s不存在,请核对后重新输入。", digits=digits) from None


def _is_area_code_known(code: str) -> bool:
    if code[:4] == "3311":
        return code in LISHUI_COUNTY_CODES
    return code[:2] in PROVINCE_CODES and code[2:] != "0000"
