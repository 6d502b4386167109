"""Which id each code of the synthetic community has got in the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.demo.community import Community
from dispatch.demo.organisations import COMMUNITY
from dispatch.models.access import Organisation, User
from dispatch.models.catalogue import Performer, Service, Team
from dispatch.models.grid import Area, Building, Establishment, Household, Resident, Stairwell
from dispatch.services.access import vault


@dataclass(frozen=True, slots=True)
class Known:
    """Reads ids by code; each is found by what the loaded row itself shows."""

    session: Session
    community: Community

    @property
    def community_id(self) -> int | None:
        """The demo's own community: others may be there too, as the hidden one of the canary."""
        return self.organisations().get(COMMUNITY)

    def organisations(self) -> dict[str, int]:
        """Organisations by code."""
        return dict(self.session.execute(select(Organisation.code, Organisation.id)).all())

    def users(self) -> dict[str, int]:
        """Users by log-in name."""
        return dict(self.session.execute(select(User.login, User.id)).all())

    def services(self) -> dict[str, int]:
        """Kinds by code."""
        return dict(self.session.execute(select(Service.code, Service.id)).all())

    def teams(self) -> dict[str, int]:
        """Teams by code."""
        return dict(
            self.session.execute(select(Team.code, Team.id).where(Team.community_id == self.community_id)).all()
        )

    def performers(self) -> dict[str, int]:
        """Performers by code."""
        return dict(self.session.execute(select(Performer.code, Performer.id)).all())

    def areas(self) -> dict[str, int]:
        """Areas by code."""
        rows = self.session.execute(select(Area.number, Area.id).where(Area.community_id == self.community_id))
        ids = dict(rows.all())
        return {one.code: ids[one.number] for one in self.community.grid.areas if one.number in ids}

    def buildings(self) -> dict[str, int]:
        """Buildings by code, found by their address."""
        rows = self.session.execute(
            select(Building.address, Building.id).where(Building.community_id == self.community_id)
        )
        ids = dict(rows.all())
        return {one.code: ids[one.address] for one in self.community.grid.buildings if one.address in ids}

    def stairwells(self) -> dict[str, int]:
        """Stairwells by code."""
        return dict(
            self.session.execute(
                select(Stairwell.code, Stairwell.id).where(Stairwell.community_id == self.community_id)
            ).all()
        )

    def households(self) -> dict[str, int]:
        """Households by code, found by their stairwell and room."""
        rows = self.session.execute(select(Household.stairwell_id, Household.room, Household.id))
        ids = {(stairwell, room): household for stairwell, room, household in rows}
        stairwells = self.stairwells()
        homes = self.community.register.households
        return {one.code: ids[stairwells[one.stairwell_code], one.room] for one in homes if ids}

    def residents(self) -> dict[str, int]:
        """Residents by code, found by the blind index of their identity number."""
        rows = self.session.execute(select(Resident.identity_index, Resident.id))
        ids: Mapping[bytes | None, int] = dict(rows.all())
        indexes = {one.code: vault.blind_index("identity", one.id_number) for one in self.community.register.residents}
        return {code: ids[index] for code, index in indexes.items() if index in ids}

    def establishments(self) -> dict[str, int]:
        """Units and merchants by code, found by their credit code."""
        rows = self.session.execute(select(Establishment.uscc, Establishment.id))
        ids = dict(rows.all())
        return {one.code: ids[one.uscc] for one in self.community.establishments if one.uscc in ids}
