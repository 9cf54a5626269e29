"""A strict Telegram Bot API server on this machine, for the real client library to talk to."""

from tests.telegram.chats import Chat, Heard, Message, Topic
from tests.telegram.faults import Fault
from tests.telegram.people import Person
from tests.telegram.places import Place
from tests.telegram.rates import Rates
from tests.telegram.record import Call
from tests.telegram.server import TelegramServer

__all__ = ["Call", "Chat", "Fault", "Heard", "Message", "Person", "Place", "Rates", "TelegramServer", "Topic"]
