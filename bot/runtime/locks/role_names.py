"""The names of roles, each of which has a lock: jobs take them, and upgrades, moves and probes ask for all of them."""

from __future__ import annotations

from collections.abc import Iterable

POLL, KEEP, WRITE, ILLUSTRATE, COLLECT, NARRATE = "poll", "keep", "write", "illustrate", "collect", "narrate"
ALONE = (POLL, KEEP, WRITE, ILLUSTRATE, COLLECT, NARRATE)
"""Roles that one process has for the whole newsletter; what they write is written under their lock alone."""

DELIVER, LISTEN, FOLLOW, COMPLETE = "deliver", "listen", "follow", "complete"
OF_ACCOUNT = (DELIVER, LISTEN, FOLLOW, COMPLETE)
"""Roles that one process has for an account, such as a bot: `deliver:telegram`.

FOLLOW sends recordings, COMPLETE writes pages again for what came late.
"""


def role_of(role: str, account: str) -> str:
    """The full name of an account's role."""
    return f"{role}:{account}"


def every_role(accounts: Iterable[str]) -> list[str]:
    """All roles that there are with these accounts; owners and processes are no roles, but have locks too."""
    return [*ALONE, *(role_of(role, account) for account in accounts for role in OF_ACCOUNT)]
