"""Log output: human-readable lines on a terminal, JSON otherwise. The only module that knows structlog.

Code logs through the standard library, with fields in `extra`. Secrets from the settings are redacted wherever they
turn up, also in lines of other libraries.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

import structlog
from structlog.tracebacks import ExceptionDictTransformer

REDACTED = "•••"
TRACEBACKS = ExceptionDictTransformer(show_locals=False)
"""Without local variables: they may hold a reader's address."""
OWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
"""Attributes that every record has; all others come from `extra`."""
SHORTEST_SECRET = 6
"""Characters of the shortest secret that is redacted; shorter ones would hit ordinary words."""
_account: ContextVar[str] = ContextVar("account", default="")
"""The account that this task works for."""


def configure(form: Literal["auto", "human", "json"], secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error in the given form, with `secrets` redacted."""
    human = form == "human" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting(_words() if human else _JsonLines(), secrets))
    handler.addFilter(_name_account)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiosqlite", "asyncio", "alembic", "httpcore", "httpx", "httpx2", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


@contextmanager
def logged_account(account: str) -> Iterator[None]:
    """Give every line that is logged within, and by tasks begun there, the field `account`; none for an empty one.

    The name of a channel does not say which of several bots is meant, and libraries log without it.
    """
    before = _account.set(account)
    try:
        yield
    finally:
        _account.reset(before)


def _name_account(record: logging.LogRecord) -> bool:
    if account := _account.get():
        record.account = account
    return True


def _words() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
    )


class _JsonLines(logging.Formatter):
    """One JSON object a line. structlog's chain of processors would cost several times as much.

    There is a line for every delivery and every page served, so that is a good part of their processor time.
    """

    _encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        fields |= {name: value for name, value in record.__dict__.items() if name not in OWN_FIELDS}
        if record.exc_info and record.exc_info[1] is not None:
            kind, error, traceback = record.exc_info
            fields["exception"] = TRACEBACKS((kind, error, traceback))
        if record.stack_info:
            fields["stack_info"] = record.stack_info
        return self._encode(fields)


class _Redacting(logging.Formatter):
    """Redacts secrets in the lines of another formatter, including their tracebacks."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        wanted = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
        # As it is, and as JSON and repr() write it.
        written = {form for each in wanted for form in (each, json.dumps(each)[1:-1], repr(each)[1:-1])}
        written |= {json.dumps(each, ensure_ascii=False)[1:-1] for each in {*wanted, *written}}
        found = sorted(written, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found))) if found else None

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        return self._pattern.sub(REDACTED, line) if self._pattern else line
