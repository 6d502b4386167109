"""What one seed knows outside the database, and how a step is taken under its fate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sqlalchemy.exc import DBAPIError

from dispatch.errors import DispatchError
from dispatch.gateways.broker import Broker
from dispatch.gateways.messages import Messages
from dispatch.queue import Claimed
from dispatch.rules.queue import Lane
from dispatch.services.orders import OrderDraft
from dispatch.transaction import is_retried
from dispatch.workers import run
from tests.simulation.fate import Fate, Killed, Moment, fated
from tests.simulation.house import House
from tests.simulation.twins import LossyBroker, Receivers

Step = Callable[[], None]


def nothing() -> None:
    """The step of somebody who has nothing to do."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How the simulation drives; a mechanism is switched off by driving another way."""

    has_sweeper: bool = True
    claims_first: bool = True
    serve_hint: Callable[["Stage", Lane, int], None] | None = None


@dataclass(slots=True)
class Stage:
    """The state of one seed outside the database: who holds what, what clients were answered, what was tried."""

    house: House
    seed: int
    ways: Ways = field(default_factory=Ways)
    random: Random = field(init=False)
    broker: LossyBroker = field(init=False)
    receivers: Receivers = field(init=False)
    drafts: dict[str, OrderDraft] = field(default_factory=dict)
    answered: dict[str, str | None] = field(default_factory=dict)
    accepted: list[tuple[str, int]] = field(default_factory=list)
    held: list[Claimed] = field(default_factory=list)
    weak_spot: Moment | None = None
    kills: int = 0
    poisoned: int = 0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the stage: an empty house, a broker and receivers with chances of their own."""
        self.random = Random(self.seed)  # noqa: S311 - repeatable chance, no secret
        self.broker = LossyBroker(Random(self.seed * 2 + 1))  # noqa: S311 - repeatable chance, no secret
        self.receivers = Receivers(Random(self.seed * 3 + 2))  # noqa: S311 - repeatable chance
        self.weak_spot = self.random.choice([None, None, None, *Moment])
        self.house.reset()
        Broker.way = self.broker
        Messages.way = self.receivers
        run.Outside.way = run.one_by_one

    def under(self, fate: Fate | None, step: Step) -> None:
        """Take a step; refusals in the business's words are part of life, and so is a kill."""
        try:
            with fated(fate):
                step()
        except Killed:
            self.kills += 1
        except DispatchError as refusal:
            self.told.append(type(refusal).__name__)
        except DBAPIError as error:
            if not is_retried(error):
                raise
            self.told.append("retried")

    def any_lane(self) -> Lane:
        """Some lane."""
        return self.random.choice(list(Lane))
