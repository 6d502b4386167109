"""What a new community starts with: the kinds, the line teams and the policies, read from data."""

from config.seed.reading import (
    LineTeam,
    Policy,
    Question,
    ServiceKind,
    line_teams,
    policies,
    service_kinds,
)

__all__ = ["LineTeam", "Policy", "Question", "ServiceKind", "line_teams", "policies", "service_kinds"]
