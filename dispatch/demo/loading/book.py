"""What every chunk of the load needs at hand: the community, the secrets, who acts and when."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from dispatch.demo.community import Community
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.known import Known
from dispatch.rules.access.roles import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Book:
    """The frozen community that is loaded, and where and by whom; `now` is the business instant of the load."""

    community: Community
    secrets: DemoSecrets
    inbox_url: str
    home: Path
    now: datetime
    actor: Actor = SYSTEM

    def known(self, session: Session) -> Known:
        """The ids that a session can see."""
        return Known(session, self.community)
