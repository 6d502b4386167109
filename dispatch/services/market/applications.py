"""Applications to be given something (救助申请): registered with evidence, decided by others, read with audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.grid import Household, Resident
from dispatch.models.market.people import AidApplication, Beneficiary
from dispatch.rules.access.roles import Actor
from dispatch.rules.market import eligibility as rule
from dispatch.rules.market.eligibility import Ground, Standing
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, files, policies, reach, vault
from dispatch.services.market import cards

LONGEST_WORDS = 1_000
SUBJECT = "aid_applications"
EVIDENCE = "evidence"
OF_PERSONS, OF_HOUSEHOLDS = "market.eligible_months", "market.eligible_months_of_households"


class AlreadyApplied(Conflict):
    """这个人或这一户已有一件申请在等审批"""


class NoEvidence(Conflict):
    """还没有证明材料,请先上传再审批"""


class NotApproved(Conflict):
    """这件申请没有批准,不能终止"""


class ChangedMeanwhile(Conflict):
    """别人刚刚改过这件申请,请刷新后再操作"""


@dataclass(frozen=True, slots=True)
class AidDraft:
    """What is asked for: the ground, in words why, for a person or a household; whether a manager's relative asks."""

    ground: Ground
    circumstances: str
    resident_id: int | None = None
    household_id: int | None = None
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class OpenedApplication:
    """An application with what is sealed in it, for who may read it."""

    application: AidApplication
    name: str | None
    ground: Ground
    circumstances: str
    reason: str | None
    end_reason: str | None


def apply(
    session: Session, draft: AidDraft, *, evidence: Sequence[bytes] = (), actor: Actor, now: datetime
) -> AidApplication:
    """Register an application with pictures of its evidence; raises Invalid naming the field, AlreadyApplied."""
    rule.check_whose(draft.ground, resident_id=draft.resident_id, household_id=draft.household_id)
    need_words("circumstances", draft.circumstances, "请写明家庭和困难的情况")
    beneficiary = beneficiary_of(session, draft, actor=actor, now=now)
    uid = uuid4()
    application = AidApplication(
        uid=uid,
        community_id=beneficiary.community_id,
        beneficiary_id=beneficiary.id,
        ground=vault.seal(f"{SUBJECT}.ground.{uid}", draft.ground),
        circumstances=vault.seal(f"{SUBJECT}.circumstances.{uid}", draft.circumstances.strip()),
        is_relative=draft.is_relative,
        applied_by=actor.user_id,
        applied_by_key=actor.key_alone,
        applied_at=now,
    )
    try:
        with session.begin_nested():
            session.add(application)
    except IntegrityError as error:
        raise AlreadyApplied from error
    note(session, application, "apply", actor=actor)
    for picture in evidence:
        add_evidence(session, application, picture, actor=actor, now=now)
    return application


def household_of(session: Session, resident_id: int | None, *, actor: Actor) -> int | None:
    """The household of a resident in reach; None without one."""
    return session.scalars(
        select(Resident.household_id).where(Resident.id == resident_id, reach.visible(Resident, actor))
    ).one_or_none()


def need_words(field: str, words: str, message: str) -> None:
    """Refuse what is empty or too long; raises Invalid naming the field."""
    check_text(field, words, LONGEST_WORDS)
    if not words.strip():
        raise Invalid(field, message)


def beneficiary_of(session: Session, draft: AidDraft, *, actor: Actor, now: datetime) -> Beneficiary:
    """The person or the household of the register as a beneficiary, each once; raises Invalid naming the field."""
    community_id = community_of_resident(session, draft.resident_id, actor=actor)
    if community_id is None:
        community_id = community_of_household(session, draft.household_id, actor=actor)
    if draft.resident_id is not None:
        whose = Beneficiary.resident_id == draft.resident_id
    else:
        whose = Beneficiary.household_id == draft.household_id
    known = session.scalars(select(Beneficiary).where(whose).with_for_update()).one_or_none()
    if known is not None:
        return known
    made = Beneficiary(
        community_id=community_id, resident_id=draft.resident_id, household_id=draft.household_id, created_at=now
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise AlreadyApplied from error
    return made


def community_of_resident(session: Session, resident_id: int | None, *, actor: Actor) -> int | None:
    """The community of a resident in reach who lives there, None when none is meant; raises Invalid("resident_id")."""
    if resident_id is None:
        return None
    resident = session.scalars(
        select(Resident).where(Resident.id == resident_id, reach.visible(Resident, actor))
    ).one_or_none()
    if resident is None:
        raise Invalid("resident_id", "居民台账里没有这个人,请重新选择")
    if resident.left_at is not None:
        raise Invalid("resident_id", "这位居民已不在本社区,不能申请")
    if resident.household_id is None:
        raise Invalid("resident_id", "这位居民没有登记住址，请先在台账里补上")
    return resident.community_id


def community_of_household(session: Session, household_id: int | None, *, actor: Actor) -> int:
    """The community of a household in reach; raises Invalid("household_id")."""
    found = session.scalars(
        select(Household.community_id).where(Household.id == household_id, reach.visible(Household, actor))
    ).one_or_none()
    if found is None:
        raise Invalid("household_id", "台账里没有这一户,请重新选择")
    return found


def add_evidence(
    session: Session, application: AidApplication, picture: bytes, *, actor: Actor, now: datetime
) -> AidApplication:
    """Keep one more picture of evidence, sealed, while nobody has decided; raises NotWaiting, Invalid("file")."""
    if Standing(application.standing) not in rule.WAITING:
        raise rule.NotWaiting
    files.store_image(
        session,
        picture,
        subject=SUBJECT,
        subject_id=application.id,
        purpose=EVIDENCE,
        community_id=application.community_id,
        actor=actor,
        now=now,
    )
    return application


def approve(
    session: Session, application: AidApplication, *, version: int | None = None, actor: Actor, now: datetime
) -> AidApplication:
    """Approve a locked application, or be the first of two; what held before ends with it.

    Raises NotWaiting, OwnApplication, SecondSameAsFirst, NoEvidence, ChangedMeanwhile.
    """
    check_decidable(application, version, actor)
    if not files.list_files(session, SUBJECT, application.id, actor=actor):
        raise NoEvidence
    after = rule.after_approval(Standing(application.standing), is_relative=application.is_relative)
    if after is Standing.SECONDING:
        application.first_by, application.first_at = actor.user_id, now
    else:
        end_earlier(session, application.beneficiary_id, now=now)
        day, months = clock.today(now), months_of(session, application)
        application.valid_from, application.valid_until = day, rule.last_day(day, months)
        application.decided_by, application.decided_at = actor.user_id, now
    settle(session, application, after)
    note(session, application, "approve", actor=actor, fields={"standing": str(after)})
    return application


def refuse(
    session: Session,
    application: AidApplication,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> AidApplication:
    """Refuse a locked application with a reason, which is sealed; raises what approve does, Invalid("reason")."""
    check_decidable(application, version, actor)
    need_words("reason", reason, "请写明不批准的理由")
    application.reason = vault.seal(f"{SUBJECT}.reason.{application.uid}", reason.strip())
    application.decided_by, application.decided_at = actor.user_id, now
    settle(session, application, Standing.REFUSED)
    note(session, application, "refuse", actor=actor)
    return application


def end(
    session: Session,
    application: AidApplication,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> AidApplication:
    """End what a locked application gave, before its time, with a reason; its card ends too.

    Raises NotAllowed for a machine, NotApproved, Invalid("reason"), ChangedMeanwhile.
    """
    check_version(application, version)
    if actor.user_id is None:
        raise NotAllowed
    if application.standing != Standing.APPROVED:
        raise NotApproved
    need_words("reason", reason, "请写明终止的理由")
    application.end_reason = vault.seal(f"{SUBJECT}.end_reason.{application.uid}", reason.strip())
    application.ended_by, application.ended_at = actor.user_id, now
    settle(session, application, Standing.ENDED)
    cards.end_of(session, application.beneficiary_id, actor=actor, now=now)
    note(session, application, "end_eligibility", actor=actor)
    return application


def check_version(application: AidApplication, version: int | None) -> None:
    """Refuse what was decided on an older state of it."""
    if version is not None and version != application.version:
        raise ChangedMeanwhile


def check_decidable(application: AidApplication, version: int | None, actor: Actor) -> None:
    """Whether this actor may decide it now."""
    check_version(application, version)
    rule.check_decider(
        Standing(application.standing),
        actor.user_id,
        applied_by=application.applied_by,
        first_by=application.first_by,
    )


def settle(session: Session, application: AidApplication, standing: Standing) -> None:
    """Its new standing, one version on."""
    application.standing, application.version = str(standing), application.version + 1
    session.flush()


def end_earlier(session: Session, beneficiary_id: int, *, now: datetime) -> AidApplication | None:
    """What held before ends, as when a renewal begins, and None when nothing did; the card stays good."""
    earlier = session.scalars(
        select(AidApplication)
        .where(
            AidApplication.beneficiary_id == beneficiary_id,
            AidApplication.standing == str(Standing.APPROVED),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if earlier is not None:
        earlier.ended_at = now
        settle(session, earlier, Standing.ENDED)
    return earlier


def months_of(session: Session, application: AidApplication) -> int:
    """For how many months it holds, by the community's policies."""
    known = policies.policies(session, application.community_id, (OF_PERSONS, OF_HOUSEHOLDS))
    ground = Ground(vault.open_sealed(f"{SUBJECT}.ground.{application.uid}", application.ground))
    return rule.months_for(ground, of_persons=int(known[OF_PERSONS]), of_households=int(known[OF_HOUSEHOLDS]))


def find(session: Session, application_id: int, *, actor: Actor, locked: bool = False) -> AidApplication:
    """An application in reach, locked on wish; raises NotFound."""
    query = select(AidApplication).where(AidApplication.id == application_id, reach.visible(AidApplication, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def opened(session: Session, application: AidApplication, *, actor: Actor, purpose: str) -> OpenedApplication:
    """What is sealed in an application; the reading is audited with its purpose."""
    note(session, application, "read_application", actor=actor, purpose=purpose)

    def read(column: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else vault.open_sealed(f"{SUBJECT}.{column}.{application.uid}", sealed)

    return OpenedApplication(
        application=application,
        name=session.scalars(name_of(application.beneficiary_id)).one_or_none(),
        ground=Ground(read("ground", application.ground) or ""),
        circumstances=read("circumstances", application.circumstances) or "",
        reason=read("reason", application.reason),
        end_reason=read("end_reason", application.end_reason),
    )


def name_of(beneficiary_id: int) -> Select[str]:
    """The query for the whole name of a beneficiary; a household has none."""
    return (
        select(Resident.name)
        .join(Beneficiary, Beneficiary.resident_id == Resident.id)
        .where(Beneficiary.id == beneficiary_id)
    )


def note(
    session: Session,
    application: AidApplication,
    deed: str,
    *,
    actor: Actor,
    fields: dict[str, str] | None = None,
    purpose: str | None = None,
) -> None:
    """The audit entry; never a ground."""
    audit.record(
        session,
        f"market.{deed}",
        SUBJECT,
        application.id,
        actor=actor,
        community_id=application.community_id,
        fields=fields or {},
        purpose=purpose,
    )
