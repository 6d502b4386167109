"""Somebody of the staff at a screen who sends many forms: the page's token is read once, files go along."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from dispatch.demo.day.wire import SEE_OTHER, TOKEN, Answer, Browser, Part, multipart

LOGGED_OUT = frozenset({401})
HOME = "/inbox"
FORBIDDEN = 403
LOG_IN_AGAIN_SECONDS = 4.0
LOG_IN_TRIES = 150


@dataclass(slots=True)
class Screen(Browser):
    """A browser that keeps its token while the session lasts, and logs in again when it is over."""

    token: str = ""

    def read(self, path: str) -> Answer:
        """Open a page, after a log-in where one is needed."""
        if not self.token:
            self.open()
        answer = self._ask("GET", path)
        if is_logged_out(answer):
            self.open()
            answer = self._ask("GET", path)
        return answer

    def send(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        parts: tuple[Part, ...] = (),
        many: Mapping[str, list[str]] = MappingProxyType({}),
        once: str | None = None,
    ) -> Answer:
        """Send a form, fields of several values in `many`; after a log-in where the session is over."""
        values = tuple((name, value) for name, some in many.items() for value in some)
        if not self.token:
            self.open()
        answer = self._send(path, form or {}, values, parts, once)
        if is_logged_out(answer):
            self.open()
            answer = self._send(path, form or {}, values, parts, once)
        return answer

    def open(self) -> None:
        """Log in, patiently where too many have just tried, and read the token."""
        for attempt in range(LOG_IN_TRIES):
            try:
                self.log_in()
                break
            except PermissionError:
                if attempt == LOG_IN_TRIES - 1:
                    raise
                time.sleep(LOG_IN_AGAIN_SECONDS)
        found = TOKEN.search(self._ask("GET", HOME).text)
        self.token = found[1] if found else ""

    def _send(
        self,
        path: str,
        form: Mapping[str, str],
        values: tuple[tuple[str, str], ...],
        parts: tuple[Part, ...],
        once: str | None,
    ) -> Answer:
        typed = {**form, "csrf_token": self.token}
        body, content_type = urlencode((*typed.items(), *values)).encode(), "application/x-www-form-urlencoded"
        if parts:
            body, content_type = multipart(typed, parts)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": content_type,
        }
        if once:
            headers["Idempotency-Key"] = once
        answer = self.wire.ask("POST", path, body=body, headers=headers, source=self.source)
        self.cookies |= answer.cookies
        return answer


def is_logged_out(answer: Answer) -> bool:
    """Whether the session is over."""
    to_log_in = answer.status == SEE_OTHER and "/login" in answer.headers.get("Location", "")
    return answer.status in LOGGED_OUT or to_log_in
