"""The error that reading the feed raises."""

from __future__ import annotations


class FeedError(Exception):
    """The feed could not be read. The message is one sentence for the operator that names at most a host.

    `retry_after` is how many seconds the feed asked us to wait, None if it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
