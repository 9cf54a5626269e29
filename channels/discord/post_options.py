"""Preferences that only Discord has: what happens beside the message that an edition is."""

from bot.channel import N_, SILENT, Kind, Preference

THREAD = Preference(
    "thread",
    "thread",
    Kind.SWITCH,
    N_("Thread per edition"),
    N_("Choose whether each edition gets a thread of its own"),
    examples=("{on}",),
)
PING = Preference(
    "ping",
    "ping",
    Kind.TEXT,
    N_("Mention"),
    N_("Choose a role that is mentioned with each edition"),
    options=("role",),
    hint=N_("Write “ping” and the role that is to be mentioned."),
    pattern=r"(?:<@&)?(\d{5,19})>?",
    examples=("{off}",),
)
"""The id of the role that is mentioned, or `off`."""
PUBLISH = Preference(
    "publish",
    "publish",
    Kind.SWITCH,
    N_("Publish"),
    N_("Choose whether editions are passed on to the channels that follow this one"),
    examples=("{on}",),
)
POST_OPTIONS = (SILENT, THREAD, PING, PUBLISH)
