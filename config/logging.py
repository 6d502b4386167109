"""The logs: one JSON object a line on stderr, a fixed event name and ids, never a person's data."""

import logging
import re
import sys
from collections.abc import Mapping
from traceback import format_tb
from typing import Any

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

MASK = "***"
UNMASKED_KEYS = frozenset({"timestamp", "level", "logger"})
# In order: resident id of 18 places with a real-looking date (GB 11643), the old one of 15 places,
# a mobile number with or without +86 and separators, a landline with its area code, the secret of a phone page.
PERSONAL = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
    r"|(?<!\d)[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)"
    r"|(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"
    r"|(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)"
    r"|(?<=/w/)[A-Za-z0-9_-]{16,}"
)
QUIET_LOGGERS = ("urllib3", "apprise", "celery.redirected", "kombu", "amqp", "werkzeug")


def mask(value: Any) -> Any:
    """The same value with everything that looks like a phone or ID number replaced by ***.

    Goes through mappings, lists and tuples; a whole number is judged by its digits.
    """
    if isinstance(value, str):
        return PERSONAL.sub(MASK, value)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return MASK if PERSONAL.fullmatch(str(value)) else value
    if isinstance(value, Mapping):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item) for item in value]
    return PERSONAL.sub(MASK, str(value))


def mask_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: the last one before the line is written, so that a traceback passes through it too."""
    return {key: value if key in UNMASKED_KEYS else mask(value) for key, value in event.items()}


def render_exception(exc_info: ExcInfo) -> str:
    """A traceback of the whole chain, oldest first; an error of the database says what failed, never which values."""
    chain = [exc_info[1]]
    while (before := chain[-1].__cause__ or chain[-1].__context__) is not None and before not in chain:
        chain.append(before)
    parts = ["".join(format_tb(error.__traceback__)) + describe(error) for error in reversed(chain)]
    return "\nthen:\n".join(parts)


def describe(error: BaseException) -> str:
    """The last line of a traceback: messages of PostgreSQL quote rows and values, so its codes stand for them."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    source = getattr(error, "orig", error)
    if not hasattr(source, "sqlstate"):
        return f"{name}: {error}"
    told = getattr(source, "diag", None)
    names = (getattr(told, part, None) for part in ("table_name", "column_name", "constraint_name"))
    return " ".join((f"{name}: {type(source).__name__} {source.sqlstate}", *filter(None, names)))


def shared_processors() -> list[Processor]:
    """What happens to every line, ours or a library's, before it is masked and written."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def configure_logging(level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging (gunicorn, Celery, Alembic) to stderr as JSON.

    Ids of the work at hand (request_id, job_id, actor_id) are bound with structlog.contextvars at the
    door. Calling it again replaces the earlier set-up.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared_processors(), structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(render_exception),
                mask_personal_data,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("gunicorn.error", "gunicorn.access", "celery", "celery.task"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
