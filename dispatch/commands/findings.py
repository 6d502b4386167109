"""What `dispatch doctor` says of one thing that it looked at."""

from dataclasses import dataclass

WELL, WRONG, NOTED = "ok", "!!", "--"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and a sentence.

    What is `noted` is for somebody to act on, but nothing is broken: it does not change how doctor ends.
    """

    well: bool
    sentence: str
    noted: bool = False

    @property
    def mark(self) -> str:
        """The two characters before the sentence."""
        if self.noted:
            return NOTED
        return WELL if self.well else WRONG
