"""A strict local Discord for the tests: HTTP routes, a gateway, places, and people who use the bot."""

from tests.discord_service.buckets import Rates
from tests.discord_service.choosing import NotOfferedError
from tests.discord_service.faults import Fault
from tests.discord_service.interactions import Reply, UnansweredError
from tests.discord_service.messages import Message
from tests.discord_service.people import Person
from tests.discord_service.places import Channel
from tests.discord_service.server import DiscordServer

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
