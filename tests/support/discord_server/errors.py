"""Errors of Discord's API: statuses, codes and messages (topics/opcodes-and-status-codes)."""

from __future__ import annotations

from typing import Any

CODES: dict[int, tuple[int, str]] = {
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20016: (429, "This action cannot be performed due to slowmode rate limit"),
    20022: (429, "This message cannot be edited due to announcement rate limits"),
    20028: (429, "The write action you are performing on the channel has hit the write rate limit."),
    20029: (429, "The write action you are performing on the server has hit the write rate limit."),
    30032: (400, "Maximum number of application commands reached (100)"),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    40005: (413, "Request entity too large"),
    40033: (400, "This message was already crossposted"),
    40060: (400, "Interaction has already been acknowledged."),
    40067: (400, "A tag is required to create a forum post in this channel"),
    40094: (400, "This interaction has reached the maximum number of follow-up messages"),
    20026: (403, "Your bot has been flagged for spamming"),
    40001: (403, "Unauthorized. Provide a valid token and try again"),
    40002: (403, "You need to verify your account in order to perform this action"),
    40003: (403, "You are opening direct messages too fast"),
    40004: (403, "Send messages has been temporarily disabled"),
    40333: (403, "internal network error"),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50068: (400, "Invalid message type"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    130000: (503, "API resource is currently overloaded. Try again a little later"),
    160004: (400, "A thread has already been created for this message"),
    160005: (400, "Thread is locked"),
    200000: (400, "Message was blocked by automatic moderation"),
}
"""Status and words by code."""

WORDS = {401: "401: Unauthorized", 403: "403: Forbidden", 404: "404: Not Found", 405: "405: Method Not Allowed"}
"""What is said where there is no code but 0."""


class RefusalError(Exception):
    """An answer that is none: a status and Discord's JSON for it."""

    def __init__(
        self,
        code: int = 0,
        *,
        status: int | None = None,
        message: str | None = None,
        errors: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        known = CODES.get(code)
        if known is None and status is None:
            raise ValueError(f"{code} is no code that this server knows; give it a status")
        self.code, self.errors = code, errors
        self.status = status or (known[0] if known else 500)
        self.message = message or (known[1] if known else WORDS.get(self.status, f"{self.status}: Error"))
        self.retry_after = 1.0 if retry_after is None and self.status == 429 else retry_after
        super().__init__(f"{self.status} {self.code}: {self.message}")

    def json(self) -> dict[str, Any]:
        """The body: message, code, and where there are any, errors or the wait in seconds."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.retry_after is not None:
            body |= {"retry_after": self.retry_after, "global": False}
        return body


class MalformedError(RefusalError):
    """A body that breaks a rule: code 50035, with every fault at its place in the body."""

    def __init__(self, faults: list[tuple[tuple[str | int, ...], str, str]]) -> None:
        self.faults = faults
        super().__init__(50035, errors=_tree(faults))

    def __str__(self) -> str:
        return "; ".join(
            f"{'.'.join(map(str, where)) or 'body'}: {code}: {words}" for where, code, words in self.faults
        )


def _tree(faults: list[tuple[tuple[str | int, ...], str, str]]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for where, code, words in faults:
        node = root
        for step in where:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": words})
    return root
