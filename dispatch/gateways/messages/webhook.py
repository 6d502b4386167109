"""A signed webhook: one POST to a checked address, no redirects, bounded in time and size."""

import http.client
import socket
import ssl
import time

from config.settings import get_settings
from dispatch.errors import Unavailable
from dispatch.gateways.messages.address import Target, find_target
from dispatch.gateways.messages.limit import cut_after
from dispatch.gateways.messages.message import Message, Refused, Uncertain
from dispatch.rules.notify.signature import MESSAGE_HEADER, SIGNATURE_HEADER, sign

CONNECT_SECONDS = 3.0
WHOLE_SECONDS = 8.0
MOST_ANSWER_BYTES = 64 * 1024
ACCEPTED = range(200, 300)
ALREADY_KNOWN = 409
PASSING = frozenset({408, 425, 429})
PERMANENT = range(300, 500)


def post(message: Message) -> str:
    """Deliver a webhook; returns what the receiver answered (`200`), or `409` where it knew it already.

    Raises Refused (3xx, 4xx, a forbidden address, no secret), Unavailable (not delivered, try again) or Uncertain
    (5xx, or the connection broke after the request had begun).
    """
    if not message.secret:
        raise Refused
    target = find_target(message.address, demo=get_settings().demo)
    connection = connect(target)
    with connection, cut_after(connection, WHOLE_SECONDS):
        status = ask(secured(connection, target), target, message)
    return judge(status)


def connect(target: Target) -> socket.socket:
    """A connection to the first of the checked addresses that answers; raises Unavailable."""
    limit = time.monotonic() + CONNECT_SECONDS
    for address in target.addresses:
        left = limit - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, target.port), timeout=left)
        except OSError:
            continue
    raise Unavailable


def secured(connection: socket.socket, target: Target) -> socket.socket:
    """The same connection under TLS where the address says https, the certificate checked for the host."""
    connection.settimeout(WHOLE_SECONDS)
    if target.scheme != "https":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=target.host)
    except (OSError, ValueError) as error:
        raise Unavailable from error


def ask(connection: socket.socket, target: Target, message: Message) -> int:
    """Send the request and read the answer, at most 64 kB of it; returns its status."""
    asking = http.client.HTTPConnection(target.host, target.port)
    asking.sock = connection
    try:
        asking.request("POST", target.path, body=message.body, headers=headers_of(target, message))
        answer = asking.getresponse()
        answer.read(MOST_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise Uncertain from error
    finally:
        asking.close()
    return answer.status


def headers_of(target: Target, message: Message) -> dict[str, str]:
    """The headers of a webhook; its signature carries the real time, which the receiver compares."""
    return {
        "Host": target.host_header,
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "houqing-dispatch",
        "Connection": "close",
        MESSAGE_HEADER: message.message_id,
        SIGNATURE_HEADER: sign(message.secret, int(message.sent_at.timestamp()), message.body),
    }


def judge(status: int) -> str:
    """What an answer means: accepted, refused for good, or to be tried again."""
    if status in ACCEPTED or status == ALREADY_KNOWN:
        return str(status)
    if status in PASSING:
        raise Unavailable
    if status in PERMANENT:
        raise Refused
    raise Uncertain
