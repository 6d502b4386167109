"""The register of alarm devices: entered, installed by consent, tested at home, recovered; found and listed."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.db import constraint_of
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import AlarmDevice, AlarmEvent, AlarmState
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.devices import POSSIBLE, DeviceState
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify, orders
from dispatch.services.access import audit, policies, reach, vault
from dispatch.services.care.alarms.hearing import subject_of
from dispatch.services.care.alarms.refusing import clear_refused
from dispatch.services.care.checks import desk_of, resident_in_reach
from dispatch.services.care.placing import phone_of
from dispatch.services.grid.build import demand_community

LONGEST_NUMBER = 40
LONGEST_LINE = 40
FEWEST_SECONDS, MOST_SECONDS = 10, 86_400
TEST_MINUTES = 15
MOST_LISTED = 500
MOST_EVENTS = 50
RECOVERY = "care.device"
ACCOUNT = re.compile(r"[0-9A-F]{3,16}", re.ASCII)
KEY = re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})", re.ASCII)
CONSENTS = frozenset({"self", "family"})
FIELDS = {
    "uq_alarm_devices_community_id_number": ("number", "这个编号已经登记过"),
    "ix_alarm_devices_account": ("account", "这个账号正由另一台设备使用"),
    "ix_alarm_devices_resident_id": ("resident_id", "这位老人已经有一台在用的设备"),
}


class DeviceTaken(Conflict):
    """设备当前的状态不允许这一步"""


class StaleDevice(Conflict):
    """别人刚刚改过这台设备,请刷新后再操作"""


@dataclass(frozen=True, slots=True)
class DeviceDraft:
    """A device to be entered: the number on it, the account of its frames, its model; the key where they are sealed."""

    number: str
    account: str
    model: str = "standard"
    line: str = ""
    poll_seconds: int = 60
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """A device on the list, with its last state and whose it is."""

    device: AlarmDevice
    state: AlarmState
    resident: str | None


def register_device(
    session: Session, community_id: int, draft: DeviceDraft, *, actor: Actor, now: datetime
) -> AlarmDevice:
    """Enter a device; raises Invalid naming the field, NotFound for a community out of reach."""
    demand_community(actor, community_id)
    number = check_text("number", draft.number, LONGEST_NUMBER)
    account = draft.account.strip().upper()
    check_draft(session, community_id, draft, number, account)
    device = AlarmDevice(
        uid=uuid4(),
        community_id=community_id,
        number=number,
        account=account,
        model=draft.model,
        line=check_text("line", draft.line, LONGEST_LINE),
        state=str(DeviceState.REGISTERED),
        poll_seconds=draft.poll_seconds,
        created_by=actor.user_id,
        created_by_key=actor.api_key_id,
        created_at=now,
        version=1,
    )
    if draft.key:
        device.secret = vault.seal(f"alarm_devices.secret.{device.uid}", draft.key.lower())
    with told_by_field(session):
        session.add(device)
    session.add(AlarmState(device_id=device.id, community_id=community_id))
    session.flush()
    record(session, "register_device", device, actor=actor)
    clear_refused(session, device, now=now)
    return device


def check_draft(session: Session, community_id: int, draft: DeviceDraft, number: str, account: str) -> None:
    """Refuse what cannot be entered, naming the field."""
    if not number:
        raise Invalid("number", "请填写设备上的编号")
    if not ACCOUNT.fullmatch(account):
        raise Invalid("account", "账号是3到16位的0-9、A-F,请照设备说明填写")
    if not FEWEST_SECONDS <= draft.poll_seconds <= MOST_SECONDS:
        raise Invalid("poll_seconds", "心跳间隔应在10秒到1天之间")
    if draft.key and not KEY.fullmatch(draft.key):
        raise Invalid("key", "密钥是32、48或64位的十六进制数字")
    if draft.model not in models(session, community_id):
        raise Invalid("model", "没有这个型号,请在设置“alarms.models”里先加上")


def models(session: Session, organisation_id: int) -> dict[str, str]:
    """The models that are known, code and name."""
    return {one["code"]: one["name"] for one in policies.policy(session, organisation_id, "alarms.models")}


@contextmanager
def told_by_field(session: Session) -> Iterator[None]:
    """Change a device; what the database refuses is told by its field, and only that is undone."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        name = constraint_of(error)
        if name in FIELDS:
            raise Invalid(*FIELDS[name]) from error
        raise


def record(session: Session, deed: str, device: AlarmDevice, *, actor: Actor, **fields: str) -> None:
    """The audit entry of what was done with a device."""
    audit.record(
        session, f"care.{deed}", "alarm_devices", device.id, actor=actor, community_id=device.community_id,
        fields=fields,
    )  # fmt: skip


def find_device(session: Session, device_id: int, *, actor: Actor, locked: bool = False) -> AlarmDevice:
    """The device, if the actor may see it; raises NotFound."""
    query = select(AlarmDevice).where(AlarmDevice.id == device_id, reach.visible(AlarmDevice, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    device = session.scalars(query).one_or_none()
    if device is None:
        raise NotFound
    return device


def changeable(
    session: Session, device_id: int, target: DeviceState | None, version: int | None, *, actor: Actor
) -> AlarmDevice:
    """The device, locked, of which this version was seen and which may come to this state."""
    device = find_device(session, device_id, actor=actor, locked=True)
    if version is not None and version != device.version:
        raise StaleDevice
    if target is not None and target not in POSSIBLE[DeviceState(device.state)]:
        raise DeviceTaken
    return device


def install_device(
    session: Session,
    device_id: int,
    *,
    resident_id: int,
    consent_by: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> AlarmDevice:
    """Install a device in the home of a resident who, or whose family, has consented; it is tested next."""
    device = changeable(session, device_id, DeviceState.INSTALLED, version, actor=actor)
    if consent_by not in CONSENTS:
        raise Invalid("consent_by", "请说明由老人本人还是家属同意安装")
    resident = resident_in_reach(session, resident_id, actor=actor)
    if resident.community_id != device.community_id:
        raise Invalid("resident_id", "设备和老人要在同一个社区")
    with told_by_field(session):
        device.resident_id, device.household_id = resident.id, resident.household_id
        device.consented_at, device.consent_by, device.installed_at = now, consent_by, now
        device.state = str(DeviceState.INSTALLED)
        device.version += 1
    record(session, "install_device", device, actor=actor)
    notify.clear_alarms(session, subject=subject_of(device), kinds=("device_uninstalled",), now=now)
    return device


def begin_test(
    session: Session, device_id: int, *, version: int | None = None, actor: Actor, now: datetime
) -> AlarmDevice:
    """For some minutes what the device reports is a test; a pressing alarm within them proves that it works."""
    device = changeable(session, device_id, None, version, actor=actor)
    if DeviceState(device.state) is DeviceState.RECOVERED:
        raise DeviceTaken
    device.testing_until = now + timedelta(minutes=TEST_MINUTES)
    device.version += 1
    session.flush()
    record(session, "begin_device_test", device, actor=actor)
    return device


def recover_device(
    session: Session,
    device_id: int,
    *,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> AlarmDevice:
    """The device is back: nothing it says counts any more, its account is free, its alarms are over."""
    device = changeable(session, device_id, DeviceState.RECOVERED, version, actor=actor)
    device.state, device.recovered_at, device.testing_until = str(DeviceState.RECOVERED), now, None
    device.version += 1
    session.flush()
    record(session, "recover_device", device, actor=actor)
    notify.clear_alarms(session, subject=subject_of(device), kinds=None, now=now)
    return device


def ask_recovery(session: Session, resident_id: int, *, now: datetime) -> Order | None:
    """Send somebody for the device of a person who needs it no more (death, moved away); said twice is said once."""
    device = session.scalars(
        select(AlarmDevice)
        .where(AlarmDevice.resident_id == resident_id, AlarmDevice.state != DeviceState.RECOVERED)
        .with_for_update()
    ).one_or_none()
    if device is None or device.recovery_order_id is not None:
        return None
    occasion = f"recovery-{device.version}"
    order = send(session, device, "recovery", occasion=occasion, words="回收电子保姆", now=now)
    device.recovery_order_id = order.id
    device.version += 1
    session.flush()
    record(session, "ask_device_recovery", device, actor=SYSTEM)
    return order


def keep_device(session: Session, order_id: int) -> None:
    """Whoever was to fetch a device does not come: it stays where it is, and may be asked for another time."""
    query = select(AlarmDevice).where(AlarmDevice.recovery_order_id == order_id).with_for_update()
    for device in session.scalars(query).all():
        device.recovery_order_id = None
        device.version += 1
        record(session, "keep_device", device, actor=SYSTEM)
    session.flush()


def send(session: Session, device: AlarmDevice, purpose: str, *, occasion: str, words: str, now: datetime) -> Order:
    """Place the order of somebody who goes to a device: `purpose` is a key of the policy alarms.kinds."""
    organisation_id = desk_of(session, device.community_id)
    resident = session.get_one(Resident, device.resident_id)
    draft = orders.OrderDraft(
        description=f"{words} {device.number}",
        service_code=policies.policy(session, organisation_id, "alarms.kinds")[purpose],
        caller_name=resident.name,
        caller_phone=phone_of(resident),
        caller_resident_id=resident.id,
        source="programme",
        origin=RECOVERY,
        origin_id=device.id,
        occasion=occasion,
        organisation_id=organisation_id,
    )
    return orders.place(session, draft, actor=SYSTEM, now=now)


def list_devices(
    session: Session,
    *,
    actor: Actor,
    states: Sequence[DeviceState] = (),
    silent: bool = False,
    limit: int = MOST_LISTED,
) -> Sequence[ListedDevice]:
    """The devices that the actor may see, of these states (all but the recovered), by number; one query.

    `silent`: only those whose signals have not come.
    """
    wanted = [str(one) for one in states] or [str(one) for one in DeviceState if one is not DeviceState.RECOVERED]
    query = (
        select(AlarmDevice, AlarmState, Resident.name)
        .join(AlarmState, AlarmState.device_id == AlarmDevice.id)
        .outerjoin(Resident, Resident.id == AlarmDevice.resident_id)
        .where(reach.visible(AlarmDevice, actor), AlarmDevice.state.in_(wanted))
        .order_by(AlarmDevice.community_id, AlarmDevice.number)
        .limit(limit)
    )
    if silent:
        query = query.where(AlarmState.silent_since.is_not(None))
    return [ListedDevice(*row) for row in session.execute(query)]


def shown_device(session: Session, device_id: int, *, actor: Actor) -> ListedDevice:
    """One device with its last state and whose it is; raises NotFound."""
    device = find_device(session, device_id, actor=actor)
    state = session.get_one(AlarmState, device.id, populate_existing=True)
    resident = None if device.resident_id is None else session.get_one(Resident, device.resident_id).name
    return ListedDevice(device, state, resident)


def events_of(
    session: Session, device: AlarmDevice, *, limit: int = MOST_EVENTS
) -> Sequence[tuple[AlarmEvent, str | None]]:
    """The newest events of a device with the number of their order, newest first."""
    rows = session.execute(
        select(AlarmEvent, Order.number)
        .outerjoin(Order, Order.id == AlarmEvent.order_id)
        .where(AlarmEvent.device_id == device.id)
        .order_by(AlarmEvent.id.desc())
        .limit(limit)
    )
    return [(event, number) for event, number in rows]
