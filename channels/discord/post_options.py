"""Preferences that only Discord has: what happens beside the message that an edition is."""

from bot.channel import N_, SILENT, Kind, Preference

THREAD = Preference("thread", "thread", Kind.SWITCH, N_("preference.thread"), N_("help.thread"), examples=("{on}",))
PING = Preference(
    "ping",
    "ping",
    Kind.TEXT,
    N_("preference.ping"),
    N_("help.ping"),
    options=("role",),
    hint=N_("settings.ping_hint"),
    pattern=r"(?:<@&)?(\d{5,19})>?",
    examples=("{off}",),
)
"""The id of the role that is mentioned, or `off`."""
PUBLISH = Preference(
    "publish", "publish", Kind.SWITCH, N_("preference.publish"), N_("help.publish"), examples=("{on}",)
)
POST_OPTIONS = (SILENT, THREAD, PING, PUBLISH)
