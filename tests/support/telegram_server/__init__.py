"""A strict Telegram Bot API server on this machine, for the real client library to talk to."""

from tests.support.telegram_server.chats import Chat, Heard, Message, Topic
from tests.support.telegram_server.faults import Fault
from tests.support.telegram_server.people import Person
from tests.support.telegram_server.places import Place
from tests.support.telegram_server.rates import Rates
from tests.support.telegram_server.record import Call
from tests.support.telegram_server.server import TelegramServer

__all__ = ["Call", "Chat", "Fault", "Heard", "Message", "Person", "Place", "Rates", "TelegramServer", "Topic"]
