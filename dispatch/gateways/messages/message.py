"""A message on its way out, and what can go wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime

from dispatch.errors import DispatchError, Unavailable


class Refused(DispatchError):
    """对方拒绝接收,再发也不会成功

    Permanent: a wrong address, a refused receiver, an answer of 4xx. Nothing was delivered.
    """


class Uncertain(Unavailable):
    """发送途中连接中断,不知道对方是否已收到

    It may have been delivered. A plain Unavailable means that it certainly was not.
    """


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the same `message_id` and the same bytes each time that it is sent.

    `address` is a URL (webhook) or one e-mail address; `body` are the bytes of a webhook, `subject` and
    `text` those of an e-mail. `secret` signs a webhook, with the real instant `sent_at`.
    """

    channel: str
    message_id: str
    order_number: str
    address: str = field(repr=False)
    created_at: datetime
    sent_at: datetime
    body: bytes = field(default=b"", repr=False)
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
