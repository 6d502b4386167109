"""The live stream: one LISTEN connection per process tells every open page that something changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread

import psycopg
import structlog
from flask import Blueprint, Response, stream_with_context

from config.settings import get_settings
from dispatch.errors import Unavailable
from dispatch.rules.access.roles import Right, Scope
from dispatch.transaction import Doors
from dispatch.web.access import allow, current_actor

CHANNEL = "dispatch_orders"
MOST_STREAMS = 50
THREADS_LEFT_FOR_PAGES = 4
HEARTBEAT_SECONDS = 15
STREAM_SECONDS = 600
LISTEN_SECONDS = 5.0
RECONNECT_SECONDS = 2.0
QUEUE_LENGTH = 1

log = structlog.get_logger()
blueprint = Blueprint("live", __name__)


@dataclass(slots=True, eq=False)
class Subscriber:
    """One open page: its reach, and whether something in it has changed since it was last told."""

    scope: Scope
    changed: Queue[None] = field(default_factory=lambda: Queue(QUEUE_LENGTH))

    def reaches(self, community_id: int | None, organisation_id: int | None) -> bool:
        """Whether a change of this community, or of this desk while no place is known, concerns the page."""
        if self.scope.everything:
            return True
        if community_id is not None:
            return community_id in self.scope.communities
        return organisation_id in self.scope.organisations

    def tell(self) -> None:
        """Remember that something changed; told once however often it happens meanwhile."""
        try:
            self.changed.put_nowait(None)
        except Full:
            return


class Hub:
    """The subscribers of this process and the one thread that listens for them."""

    def __init__(self, url: str, most: int) -> None:
        """Listen on this database for at most so many pages; the thread starts with the first page."""
        self.url = url
        self.most = most
        self.subscribers: set[Subscriber] = set()
        self.lock = Lock()
        self.stopping = Event()
        self.thread: Thread | None = None

    def join(self, scope: Scope) -> Subscriber | None:
        """A new subscriber, or None when this process holds as many as it may."""
        with self.lock:
            if len(self.subscribers) >= self.most:
                return None
            subscriber = Subscriber(scope)
            self.subscribers.add(subscriber)
            if self.thread is None or not self.thread.is_alive():
                self.thread = Thread(target=self.listen, name="live", daemon=True)
                self.thread.start()
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a page that was closed."""
        with self.lock:
            self.subscribers.discard(subscriber)

    def listen(self) -> None:
        """Until stopped: wait for notifications; after a lost connection everybody is told to look again."""
        while not self.stopping.is_set():
            try:
                self.listen_once()
            except psycopg.Error as error:
                if self.stopping.is_set():
                    return
                log.warning("live_listen_lost", error=type(error).__name__)
                self.stopping.wait(RECONNECT_SECONDS)
                self.tell(None)

    def listen_once(self) -> None:
        """One connection's life."""
        with psycopg.connect(self.url, autocommit=True, application_name="dispatch-live") as connection:
            connection.execute(f"LISTEN {CHANNEL}".encode())
            while not self.stopping.is_set():
                for notification in connection.notifies(timeout=LISTEN_SECONDS):
                    self.tell(notification.payload)

    def tell(self, payload: str | None) -> None:
        """Tell whom it concerns; None or an unreadable payload concerns everybody."""
        community_id, organisation_id, is_known = read_payload(payload)
        with self.lock:
            for subscriber in self.subscribers:
                if not is_known or subscriber.reaches(community_id, organisation_id):
                    subscriber.tell()


def read_payload(payload: str | None) -> tuple[int | None, int | None, bool]:
    """Community, organisation, and whether the payload could be read."""
    try:
        body = json.loads(payload or "")
        return body["community_id"], body["organisation_id"], True
    except (ValueError, KeyError, TypeError):
        return None, None, False


class Process:
    """The hub of this process, made with the first stream."""

    hub: Hub | None = None
    lock = Lock()

    @classmethod
    def the_hub(cls) -> Hub:
        """The one hub, on the database of this process; a process that was given another one begins anew."""
        if Doors.engine is None:
            raise Unavailable
        url = Doors.engine.url.render_as_string(hide_password=False)
        with cls.lock:
            if cls.hub is None or cls.hub.url != url:
                cls.close()
                most = max(1, min(MOST_STREAMS, get_settings().web_threads - THREADS_LEFT_FOR_PAGES))
                cls.hub = Hub(url, most)
            return cls.hub

    @classmethod
    def close(cls) -> None:
        """Listen no more: a connection that is lost from now on is nobody's loss, and is not told."""
        if cls.hub is not None:
            cls.hub.stopping.set()
            cls.hub = None


@blueprint.get("/live")
@allow(Right.NOTICES_READ)
def stream() -> Response:
    """Server-sent events: `ready`, then `changed` without saying what; `full` sends the page to polling."""
    hub = Process.the_hub()
    subscriber = hub.join(current_actor().scope)
    if subscriber is None:
        return event_stream(iter(["event: full\ndata: \n\n"]))
    response = event_stream(stream_with_context(told(hub, subscriber)))
    response.call_on_close(lambda: hub.leave(subscriber))
    return response


def told(hub: Hub, subscriber: Subscriber) -> Iterator[str]:
    """What one page is sent; it ends after ten minutes, so that a log-out or a new reach takes hold."""
    yield "retry: 3000\nevent: ready\ndata: \n\n"
    try:
        for _ in range(STREAM_SECONDS // HEARTBEAT_SECONDS):
            try:
                subscriber.changed.get(timeout=HEARTBEAT_SECONDS)
                yield "event: changed\ndata: \n\n"
            except Empty:
                yield ": still here\n\n"
    finally:
        hub.leave(subscriber)


def event_stream(lines: Iterator[str]) -> Response:
    """A response that is neither stored nor gathered up by a proxy."""
    response = Response(lines, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
