"""How long to wait before a process that ended is started again."""

from dataclasses import dataclass

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
STEADY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class BackOff:
    """The wait after the next end, in seconds; it doubles from 0.5 to 30, and a minute of life resets it."""

    seconds: float = FIRST_SECONDS

    def after(self, lived: float) -> "BackOff":
        """The state after a process ended that had lived `lived` seconds; its `seconds` is the wait now due.

        A process that lived a minute waits 0.5 s again, however long the wait before was.
        """
        return BackOff() if lived >= STEADY_SECONDS else self

    def doubled(self) -> "BackOff":
        """The state for the end after this one."""
        return BackOff(min(self.seconds * 2, LONGEST_SECONDS))
