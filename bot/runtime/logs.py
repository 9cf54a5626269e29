"""Log output: human-readable lines on a terminal, JSON otherwise. The only module that knows structlog.

Code logs through the standard library, with fields in `extra`. Secrets from the settings are redacted wherever they
turn up, also in lines of other libraries.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

REDACTED = "•••"
TRACEBACKS = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""Without local variables: they may hold a reader's address."""
SHORTEST_SECRET = 6
"""Characters of the shortest secret that is redacted; shorter ones would hit ordinary words."""


def configure(form: Literal["auto", "human", "json"], secrets: Iterable[str] = (), level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error in the given form, with `secrets` redacted."""
    human = form == "human" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if human
        else [TRACEBACKS, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _SecretFilter(
            secrets,
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiosqlite", "asyncio", "alembic", "httpcore", "httpx", "httpx2", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def logged_account(account: str) -> AbstractContextManager[object]:
    """Give every line that is logged within, and by tasks begun there, the field `account`; none for an empty one.

    The name of a channel does not say which of several bots is meant, and libraries log without it.
    """
    return structlog.contextvars.bound_contextvars(account=account) if account else nullcontext()


class _SecretFilter(structlog.stdlib.ProcessorFormatter):
    """Redacts secrets in the finished line, including its traceback."""

    def __init__(self, secrets: Iterable[str], **options: Any) -> None:
        super().__init__(**options)
        wanted = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
        # As it is, and as JSON and repr() write it.
        written = {form for each in wanted for form in (each, json.dumps(each)[1:-1], repr(each)[1:-1])}
        written |= {json.dumps(each, ensure_ascii=False)[1:-1] for each in {*wanted, *written}}
        found = sorted(written, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found))) if found else None

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return self._pattern.sub(REDACTED, line) if self._pattern else line
