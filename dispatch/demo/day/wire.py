"""Talking to the running installation over HTTP, and only so: patient, with keys that make repeats harmless."""

import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.25
TIMEOUT_SECONDS = 15.0
TRY_AGAIN = frozenset({502, 503, 504})
TOO_MANY = 429
UNKNOWN_KEY = 401
SEE_OTHER = 303
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
BOUNDARY = "houqing-dispatch-demo-day"


class Unreachable(Exception):
    """The installation has not answered for a minute: what was asked, and the status of the last refusal if any."""


class KeyRefused(Exception):
    """The installation does not know the keys of its demo.json (any more): was it made anew meanwhile?"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers and bytes; `tries` counts how often it had to be asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, str]
    tries: int = 1

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a form: its field, name, media type and bytes."""

    field: str
    name: str
    media_type: str
    content: bytes


@dataclass(slots=True)
class Wire:
    """The way to one installation; each person calls from an address of their own where the machine has them."""

    base_url: str
    repeats: int = 0

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        source: str | None = None,
    ) -> Answer:
        """One request, repeated as it is while nobody answers or the answer is “try again”; raises Unreachable."""
        limit = time.monotonic() + PATIENCE_SECONDS
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._once(method, path, body, dict(headers or {}), source)
            except (OSError, http.client.HTTPException):
                answer = None
            if answer is not None and not is_for_later(path, answer.status):
                return replace(answer, tries=tries)
            if time.monotonic() > limit:
                raise Unreachable(method, path, None if answer is None else answer.status)
            self.repeats += 1
            time.sleep(PAUSE_SECONDS)

    def api(self, key: str, method: str, path: str, content: object = None, *, once: str | None = None) -> Answer:
        """A call of the API with a key; `once` is the Idempotency-Key."""
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        answer = self.send_json(method, path, content, headers, once=once)
        if answer.status == UNKNOWN_KEY:
            raise KeyRefused
        return answer

    def send_json(
        self,
        method: str,
        path: str,
        content: object,
        headers: Mapping[str, str],
        *,
        once: str | None = None,
        source: str | None = None,
    ) -> Answer:
        """A request with a JSON body."""
        sent = {**headers, **({"Idempotency-Key": once} if once else {})}
        if content is None:
            return self.ask(method, path, headers=sent, source=source)
        sent["Content-Type"] = "application/json"
        return self.ask(method, path, body=json.dumps(content).encode(), headers=sent, source=source)

    def _once(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        source: str | None,
    ) -> Answer:
        parts = urlsplit(self.base_url)
        address = (source, 0) if source else None
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS, source_address=address
        )
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        cookies: dict[str, str] = {}
        for line in response.headers.get_all("Set-Cookie") or ():
            cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(response.status, dict(response.headers), content, cookies)


def is_for_later(path: str, status: int) -> bool:
    """Whether an answer asks to come back; people who may not log in yet do something else meanwhile."""
    return status in TRY_AGAIN or (status == TOO_MANY and path.startswith(("/api/", "/w/")))


@dataclass(slots=True)
class Browser:
    """A person of the staff at a screen: logs in when asked to, keeps the cookies, sends forms with their token."""

    wire: Wire
    login: str
    password: str
    source: str | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        """Open a page, after a log-in where one is needed."""
        answer = self._ask("GET", path)
        if answer.status == SEE_OTHER and "/login" in answer.headers.get("Location", ""):
            self.log_in()
            answer = self._ask("GET", path)
        return answer

    def post(self, page: str, path: str, form: Mapping[str, str]) -> Answer:
        """Open the page on which the form stands, and send the form with its token."""
        found = TOKEN.search(self.get(page).text)
        token = found[1] if found else ""
        return self._ask("POST", path, {**form, "csrf_token": token})

    def log_in(self) -> None:
        """Name and password; raises PermissionError when they are refused."""
        self.cookies.clear()
        token = TOKEN.search(self._ask("GET", "/login").text)
        form = {"login": self.login, "password": self.password, "csrf_token": token[1] if token else ""}
        answer = self._ask("POST", "/login", form)
        if answer.status != SEE_OTHER:
            raise PermissionError(f"{self.login}: {answer.status}")

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        answer = self.wire.ask(method, path, body=body, headers=headers, source=self.source)
        self.cookies |= answer.cookies
        return answer


def multipart(form: Mapping[str, str], parts: tuple[Part, ...]) -> tuple[bytes, str]:
    """The body of a form with files, and its content type."""
    lines: list[bytes] = []
    for name, value in form.items():
        lines.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode())
        lines.append(value.encode() + b"\r\n")
    for part in parts:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.field}"; filename="{part.name}"\r\n'
        lines.append(f"{head}Content-Type: {part.media_type}\r\n\r\n".encode())
        lines.append(part.content + b"\r\n")
    lines.append(f"--{BOUNDARY}--\r\n".encode())
    return b"".join(lines), f"multipart/form-data; boundary={BOUNDARY}"
