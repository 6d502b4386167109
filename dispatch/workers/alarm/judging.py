"""Whole frames in, answers out: a batch of them in one transaction, which is over before anybody is answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.gateways import dc09
from dispatch.gateways.dc09 import BadFrame, Content, Envelope, Fault
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.care.devices import is_in_time
from dispatch.rules.care.signals import (
    POLL,
    PRESSING,
    TOKENS,
    Meaning,
    Signal,
    UnreadableSignal,
    meaning_of,
    read_signals,
)
from dispatch.services.care import alarms
from dispatch.services.care.alarms import Heed, Reason, Report, Standing
from dispatch.transaction import retrying, transaction
from dispatch.workers.alarm.limits import Refusals

HURRY = text("SET LOCAL lock_timeout = '100ms'")
"""Among frames of several devices nobody waits longer than this for what somebody else holds."""

REASONS = {Fault.KEY: Reason.KEY, Fault.STAMP: Reason.CLOCK}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A frame that waits for its answer."""

    envelope: Envelope = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a frame, and what became of it: for the count."""

    reply: bytes = field(repr=False)
    result: str
    reason: str = ""
    meanings: tuple[Meaning, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A frame of a known device that could be read: what it reports is heard together with what others do."""

    envelope: Envelope = field(repr=False)
    standing: Standing
    report: Report = field(repr=False)
    reply: bytes = field(repr=False)


@dataclass(slots=True)
class Judge:
    """One batch in its transaction: the devices that it is about, locked, and who was heard."""

    session: Session
    up_since: datetime
    refusals: Refusals
    standings: dict[str, Standing]
    heard: list[Standing] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The business time of the transaction."""
        return clock.now(self.session)

    @property
    def real(self) -> datetime:
        """Real time, by which devices' stamps and repetitions are judged."""
        return clock.real(self.session)

    def answers(self, frames: Sequence[Waiting]) -> list[Verdict]:
        """The answers to frames, in their order; what they lead to is in the transaction."""
        read = [self.read(one) for one in frames]
        heard = iter(self.hear([one for one in read if isinstance(one, Told)]))
        return [next(heard) if isinstance(one, Told) else one for one in read]

    def read(self, waiting: Waiting) -> Verdict | Told:
        """One frame, as far as it can be answered by itself."""
        envelope = waiting.envelope
        standing = self.standings.get(envelope.account)
        if envelope.token not in TOKENS:
            return self.refuse(waiting, standing, Reason.FORMAT)
        if standing is None:
            return self.refuse(waiting, None, Reason.UNKNOWN, said(envelope))
        key = alarms.key_of(standing.device)
        if key is not None and not envelope.encrypted:
            return self.refuse(waiting, standing, Reason.PLAIN, said(envelope))
        try:
            content = dc09.unseal(envelope.body, encrypted=envelope.encrypted, key=key)
        except BadFrame as error:
            return self.refuse(waiting, standing, REASONS.get(error.fault, Reason.UNREADABLE))
        return self.read_known(waiting, standing, content, key)

    def read_known(self, waiting: Waiting, standing: Standing, content: Content, key: bytes | None) -> Verdict | Told:
        """A frame of a known device that could be opened."""
        envelope = waiting.envelope
        try:
            signals = read_signals(envelope.token, content.data)
        except UnreadableSignal:
            return self.refuse(waiting, standing, Reason.UNREADABLE)
        if not is_in_time(content.stamped_at, self.real):
            pressing = pressing_among(signals)
            if pressing is None:
                return Verdict(dc09.refuse(now=self.real), "refused", str(Reason.CLOCK))
            return self.refuse(waiting, standing, Reason.CLOCK, pressing)
        self.heard.append(standing)
        reply = dc09.acknowledge(envelope, now=self.real, key=key)
        if not signals:
            return Verdict(reply, "poll")
        return Told(envelope, standing, self.report(envelope, content, signals), reply)

    def hear(self, told: Sequence[Told]) -> list[Verdict]:
        """The answers to what devices report."""
        heeds = alarms.hear_all(self.session, [(one.standing, one.report) for one in told], now=self.now)
        stamped = [one.standing.device for one in told if one.report.stamped_at is not None]
        alarms.clocks_are_right(self.session, stamped, now=self.now)
        return [self.verdict(one, heed) for one, heed in zip(told, heeds, strict=True)]

    def verdict(self, told: Told, heed: Heed) -> Verdict:
        """What became of a report."""
        if heed is Heed.AGAIN:
            return Verdict(told.reply, "repeated")
        keys = alarms.keys_of(self.session, told.standing.device)
        return Verdict(told.reply, "accepted", meanings=tuple(meaning_of(one, keys) for one in told.report.signals))

    def report(self, envelope: Envelope, content: Content, signals: tuple[Signal, ...]) -> Report:
        """What a frame reports, as the service takes it."""
        return Report(
            sequence=envelope.sequence,
            content="\n".join((envelope.token, content.data, *content.extended)),
            signals=signals,
            stamped_at=content.stamped_at,
            arrived_at=self.real,
            up_since=self.up_since,
        )

    def refuse(
        self, waiting: Waiting, standing: Standing | None, reason: Reason, meaning: Meaning | None = None
    ) -> Verdict:
        """NAK for a clock that is wrong, DUH for all else; the desk is told."""
        if self.refusals.may_count(pressing=meaning is not None):
            device = None if standing is None else standing.device
            account = waiting.envelope.account
            alarms.refuse(self.session, account, reason, device=device, meaning=meaning, now=self.now)
        reply = dc09.refuse(now=self.real) if reason is Reason.CLOCK else dc09.cannot(waiting.envelope)
        return Verdict(reply, "refused", str(reason))


@retrying
def judge(frames: Sequence[Waiting], up_since: datetime, refusals: Refusals) -> list[Verdict | None]:
    """Act on a batch of frames in one transaction, and give their answers once it is committed.

    Among frames of several devices there is no answer yet (None) for one that somebody else holds: nobody waits for
    it, and it is judged by itself. Raises what the transaction raises: then nothing was kept and nobody may be
    answered.
    """
    accounts = {one.envelope.account for one in frames}
    with transaction(EVERYTHING) as session:
        if len(accounts) > 1:
            session.execute(HURRY)
        standings = alarms.lock_devices(session, accounts, wait=len(accounts) == 1)
        held = alarms.held_devices(session, accounts - standings.keys()) if len(accounts) > 1 else frozenset()
        bench = Judge(session, up_since, refusals, standings)
        answers = iter(bench.answers([one for one in frames if one.envelope.account not in held]))
        alarms.note_heard(session, bench.heard, now=bench.now, real=bench.real)
    return [None if one.envelope.account in held else next(answers) for one in frames]


def said(envelope: Envelope) -> Meaning | None:
    """What a plain frame of nobody's says, when it says that somebody needs help."""
    if envelope.encrypted:
        return None
    try:
        content = dc09.unseal(envelope.body, encrypted=False)
        return pressing_among(read_signals(envelope.token, content.data))
    except (BadFrame, UnreadableSignal):
        return None


def pressing_among(signals: Sequence[Signal]) -> Meaning | None:
    """The first signal that calls for somebody at once."""
    return next((meaning for one in signals if (meaning := meaning_of(one)) in PRESSING), None)


def is_event(waiting: Waiting) -> bool:
    """Whether a frame is more than a poll: those are what takes time."""
    return waiting.envelope.token != POLL
