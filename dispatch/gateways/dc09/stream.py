"""Frames in a stream of bytes: what stands between line feed and carriage return, whatever came before."""

from typing import Final

from dispatch.gateways.dc09.frame import CARRIAGE_RETURN, LINE_FEED, LONGEST_BYTES, BadFrame, Fault

_LONGEST_LINE: Final = LONGEST_BYTES + 8


class Splitter:
    """Takes bytes as they arrive, gives whole lines; holds at most one frame's bytes."""

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self._held = bytearray()
        self.skipped = 0

    def feed(self, arrived: bytes) -> list[bytes]:
        """The lines that are whole now, each without line feed and carriage return.

        What stands outside of lines, and a half line before a new line feed, is skipped and counted in `skipped`.
        Raises BadFrame(LENGTH) when a line is longer than any frame: nothing after it can be trusted.
        """
        self._held += arrived
        lines: list[bytes] = []
        while (line := self._next()) is not None:
            lines.append(line)
        if len(self._held) > _LONGEST_LINE + 1:
            raise BadFrame(Fault.LENGTH)
        return lines

    @property
    def waits(self) -> bool:
        """Whether half a frame is here."""
        return bool(self._held)

    def _next(self) -> bytes | None:
        """The first whole line, taken off what is held."""
        start = self._held.find(LINE_FEED)
        self._skip(start if start >= 0 else len(self._held))
        end = self._held.find(CARRIAGE_RETURN)
        last = self._held.rfind(LINE_FEED, 0, end if end >= 0 else len(self._held))
        self._skip(max(last, 0))
        if end < 0:
            return None
        length = end - last
        line = bytes(self._held[1:length])
        del self._held[: length + 1]
        return line

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._held[:count]
