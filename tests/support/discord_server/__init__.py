"""A strict local Discord server for tests: the HTTP API, the gateway, servers with channels, and users of the bot."""

from tests.support.discord_server.buckets import Rates
from tests.support.discord_server.choosing import NotOfferedError
from tests.support.discord_server.faults import Fault
from tests.support.discord_server.interactions import Reply, UnansweredError
from tests.support.discord_server.messages import Message
from tests.support.discord_server.people import Person
from tests.support.discord_server.places import Channel
from tests.support.discord_server.server import DiscordServer

__all__ = [
    "Channel",
    "DiscordServer",
    "Fault",
    "Message",
    "NotOfferedError",
    "Person",
    "Rates",
    "Reply",
    "UnansweredError",
]
