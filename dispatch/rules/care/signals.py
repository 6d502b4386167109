"""What an alarm device says, in one word: Contact ID and SIA codes, and the keys of a model that differ.

Source: SIA DC-05-2016 (Ademco Contact ID: QXYZ GG CCC), SIA DC-03-2017 (blocks of letters), rules.md §4 (three keys).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dispatch.errors import DispatchError

CONTACT_ID: Final = "ADM-CID"
SIA: Final = "SIA-DCS"
POLL: Final = "NULL"
TOKENS: Final = frozenset({CONTACT_ID, SIA, POLL})
MOST_SIGNALS: Final = 8
"""Of one frame; what has more is refused whole: half of it would be lost."""


class Meaning(StrEnum):
    """What is the matter."""

    EMERGENCY = "emergency"
    FALL = "fall"
    NO_MOVEMENT = "no_movement"
    FIRE = "fire"
    GAS = "gas"
    WATER = "water"
    COMMUNITY = "community"
    LIFE = "life"
    BATTERY_LOW = "battery_low"
    BATTERY_GOOD = "battery_good"
    MAINS_LOST = "mains_lost"
    MAINS_BACK = "mains_back"
    TEST = "test"
    TROUBLE = "trouble"
    GOOD_AGAIN = "good_again"
    CANCELLED = "cancelled"
    AWAY = "away"
    HOME = "home"
    UNKNOWN = "unknown"


MEANING_LABELS: Final[Mapping[Meaning, str]] = {
    Meaning.EMERGENCY: "红键：紧急呼叫",
    Meaning.FALL: "跌倒报警",
    Meaning.NO_MOVEMENT: "长时间没有活动",
    Meaning.FIRE: "烟火报警",
    Meaning.GAS: "燃气报警",
    Meaning.WATER: "漏水报警",
    Meaning.COMMUNITY: "黄键：社区服务",
    Meaning.LIFE: "绿键：生活服务",
    Meaning.BATTERY_LOW: "电池不足",
    Meaning.BATTERY_GOOD: "电池恢复",
    Meaning.MAINS_LOST: "断电",
    Meaning.MAINS_BACK: "来电",
    Meaning.TEST: "设备自检",
    Meaning.TROUBLE: "设备故障",
    Meaning.GOOD_AGAIN: "恢复正常",
    Meaning.CANCELLED: "老人自己取消",
    Meaning.AWAY: "外出",
    Meaning.HOME: "回家",
    Meaning.UNKNOWN: "不认识的代码",
}

PRESSING: Final = frozenset(
    {Meaning.EMERGENCY, Meaning.FALL, Meaning.NO_MOVEMENT, Meaning.FIRE, Meaning.GAS, Meaning.WATER}
)
"""Somebody goes at once."""

WISHES: Final = frozenset({Meaning.COMMUNITY, Meaning.LIFE})
"""Somebody asks what is wanted: ordinary orders."""

ASKED: Final = PRESSING | WISHES
"""What becomes an order."""


class UnreadableSignal(DispatchError):
    """设备报文的内容看不懂"""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a device reports: the code with its qualifier (1101, PA), and the zone or key (001)."""

    code: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class KeyOfModel:
    """A code of a model that means something of its own, of one zone or (zone empty) of all."""

    code: str
    zone: str
    meaning: Meaning


_NEW, _RESTORED, _STILL = "136"
_CONTACT_ID: Final = re.compile(r"([136][0-9A]{3}) ([0-9A-F]{2}) ([0-9A-F]{3})")
_PACKET: Final = re.compile(
    r"(?:[a-z]{2}[0-9:.\-]*(?:\^[^^]*\^)?"  # a modifier: ri1, ti10:23, id5^name^
    r'|(?P<code>[A-Z]{2})(?P<zone>[0-9A-F]{0,6})(?:\^[^^]*\^)?(?:\*"[^"]*"(?:NM)?)?)/?'
)

# code without qualifier: what it means when it begins, and when it is over
_EVENTS: Final[Mapping[str, tuple[Meaning, Meaning]]] = {
    "100": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "101": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "102": (Meaning.NO_MOVEMENT, Meaning.GOOD_AGAIN),
    "103": (Meaning.FALL, Meaning.GOOD_AGAIN),
    "110": (Meaning.FIRE, Meaning.GOOD_AGAIN),
    "111": (Meaning.FIRE, Meaning.GOOD_AGAIN),
    "114": (Meaning.FIRE, Meaning.GOOD_AGAIN),
    "115": (Meaning.FIRE, Meaning.GOOD_AGAIN),
    "120": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "121": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "122": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "123": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "140": (Meaning.EMERGENCY, Meaning.GOOD_AGAIN),
    "145": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "151": (Meaning.GAS, Meaning.GOOD_AGAIN),
    "154": (Meaning.WATER, Meaning.GOOD_AGAIN),
    "300": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "301": (Meaning.MAINS_LOST, Meaning.MAINS_BACK),
    "302": (Meaning.BATTERY_LOW, Meaning.BATTERY_GOOD),
    "305": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "309": (Meaning.BATTERY_LOW, Meaning.BATTERY_GOOD),
    "311": (Meaning.BATTERY_LOW, Meaning.BATTERY_GOOD),
    "350": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "354": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "381": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "383": (Meaning.TROUBLE, Meaning.GOOD_AGAIN),
    "384": (Meaning.BATTERY_LOW, Meaning.BATTERY_GOOD),
    "400": (Meaning.HOME, Meaning.AWAY),
    "401": (Meaning.HOME, Meaning.AWAY),
    "406": (Meaning.CANCELLED, Meaning.CANCELLED),
    "407": (Meaning.HOME, Meaning.AWAY),
    "408": (Meaning.HOME, Meaning.AWAY),
    "441": (Meaning.HOME, Meaning.HOME),
    "601": (Meaning.TEST, Meaning.TEST),
    "602": (Meaning.TEST, Meaning.TEST),
    "603": (Meaning.TEST, Meaning.TEST),
    "607": (Meaning.TEST, Meaning.TEST),
    "608": (Meaning.TEST, Meaning.TEST),
    "641": (Meaning.NO_MOVEMENT, Meaning.GOOD_AGAIN),
    "654": (Meaning.NO_MOVEMENT, Meaning.GOOD_AGAIN),
}
_BY_CODE: Final[Mapping[str, Meaning]] = {
    **{qualifier + code: begun for code, (begun, _) in _EVENTS.items() for qualifier in (_NEW, _STILL)},
    **{_RESTORED + code: over for code, (_, over) in _EVENTS.items()},
    **dict.fromkeys(("PA", "MA", "QA", "HA"), Meaning.EMERGENCY),
    **dict.fromkeys(("NA", "NC"), Meaning.NO_MOVEMENT),
    **dict.fromkeys(("FA", "KA"), Meaning.FIRE),
    "GA": Meaning.GAS,
    "WA": Meaning.WATER,
    **dict.fromkeys(("AT", "YP"), Meaning.MAINS_LOST),
    **dict.fromkeys(("AR", "YQ"), Meaning.MAINS_BACK),
    **dict.fromkeys(("YT", "YM", "XT"), Meaning.BATTERY_LOW),
    **dict.fromkeys(("YR", "XR"), Meaning.BATTERY_GOOD),
    **dict.fromkeys(("RP", "RX", "TX", "TS", "TE"), Meaning.TEST),
    **dict.fromkeys(("TA", "YC", "LT", "XL", "RR", "RN"), Meaning.TROUBLE),
    **dict.fromkeys(
        ("PR", "PH", "MR", "MH", "QR", "QH", "HR", "HH", "FR", "FH", "GR", "GH", "WR", "WH", "KR", "NS", "TR", "YK"),
        Meaning.GOOD_AGAIN,
    ),
    "LR": Meaning.GOOD_AGAIN,
    **dict.fromkeys(("BC", "OC"), Meaning.CANCELLED),
    **dict.fromkeys(("OP", "OR", "OA"), Meaning.HOME),
    **dict.fromkeys(("CL", "CA", "CG"), Meaning.AWAY),
}


def read_signals(token: str, data: str) -> tuple[Signal, ...]:
    """What a frame of this token reports; raises UnreadableSignal.

    The data of DC-09 is `#account|event`, of Contact ID without its checksum, of SIA one or more blocks: N new, O
    old events, A text (which is left out). A poll has no data.
    """
    if token == POLL:
        return ()
    blocks = [block for block in data.split("|") if block and not block.startswith("#")]
    signals = _of_contact_id(blocks) if token == CONTACT_ID else _of_sia(blocks)
    if not 1 <= len(signals) <= MOST_SIGNALS:
        raise UnreadableSignal
    return signals


def meaning_of(signal: Signal, keys: Sequence[KeyOfModel] = ()) -> Meaning:
    """What a signal means on a device whose model has these keys: the key of the zone first, then the standard.

    A code that nobody knows is UNKNOWN: it is kept and somebody is told, never dropped.
    """
    own = {(key.code, key.zone): key.meaning for key in keys}
    for place in ((signal.code, signal.zone), (signal.code, "")):
        if place in own:
            return own[place]
    return _BY_CODE.get(signal.code, Meaning.UNKNOWN)


def is_still(signal: Signal) -> bool:
    """Whether a signal only says again what was reported before (qualifier 6, status)."""
    return signal.code.startswith(_STILL)


def _of_contact_id(blocks: Sequence[str]) -> tuple[Signal, ...]:
    found = [_CONTACT_ID.fullmatch(block) for block in blocks]
    if len(found) != 1 or found[0] is None:
        raise UnreadableSignal
    code, _, zone = found[0].groups()
    return (Signal(code.replace("A", "0"), zone),)


def _of_sia(blocks: Sequence[str]) -> tuple[Signal, ...]:
    return tuple(signal for block in blocks if block[0] in "NO" for signal in _of_block(block))


def _of_block(block: str) -> Sequence[Signal]:
    place, signals = 1, []
    while place < len(block):
        found = _PACKET.match(block, place)
        if found is None or found.end() == place:
            raise UnreadableSignal
        place = found.end()
        if found["code"]:
            signals.append(Signal(found["code"], found["zone"]))
    return signals
