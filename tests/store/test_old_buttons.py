"""Links, tokens and buttons of messages that an earlier version sent still work."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.channel import LEAVE, MAIL
from bot.commands import registry
from bot.commands.command import split
from bot.model import Address
from bot.render.words import words
from bot.signing import PATHS, SignedLinks, named
from bot.store import Store, announcements, one_time_tokens
from bot.store import subscriber_queries as readers
from bot.store.one_time_tokens import Purpose
from bot.store.signing_key import load_secret
from channels.discord.components import CustomId
from channels.discord.post_options import POST_OPTIONS
from channels.telegram import callbacks
from channels.telegram.message import PICTURE, RICH
from tests.store.recorded_0009 import BUTTONS, DUE


async def test_old_links_and_tokens_work(recorded: Store) -> None:
    await recorded.migrate()
    links = SignedLinks([await load_secret(recorded)], "https://papers.example")
    reader = BUTTONS["reader"]
    async with recorded.read() as connection:
        ada = await readers.get(connection, Address("fake", "ada"))
        assert ada is not None
        assert ada.created_at is not None
        assert named(reader) == (ada.id, int(ada.created_at.timestamp()))
    assert {purpose: links.read(purpose, token) for purpose, token in BUTTONS["tokens"].items()} == {
        LEAVE: reader, MAIL: reader, "settings": reader,
    }  # fmt: skip
    for name in PATHS.keys() & BUTTONS["links"].keys():
        assert urlsplit(BUTTONS["links"][name]).path.rpartition("/")[0] + "/" == PATHS[name]
    assert BUTTONS["links"].items() <= dict(links.of(reader, "en", "2025-11-03")).items()
    async with recorded.write() as connection:
        join = await one_time_tokens.use(connection, Purpose.JOIN, _key(links, "join"), DUE)
        opened = await one_time_tokens.use(connection, Purpose.OPEN, _key(links, "open"), DUE)
        again = await one_time_tokens.use(connection, Purpose.OPEN, _key(links, "open"), DUE)
        browser = await one_time_tokens.look(connection, Purpose.SESSION, BUTTONS["keys"]["session"], DUE)
        assert (await announcements.publish(connection, BUTTONS["keys"]["draft"], now=DUE)).readers
    assert join is not None
    assert join.payload == {"recipient": "new@example.org", "language": "ko"}
    assert opened is not None
    assert browser is not None
    assert opened.subscriber_id == browser.subscriber_id == ada.id
    assert again is None, "one-time tokens work once"


def _key(links: SignedLinks, purpose: str) -> str:
    key = links.read(purpose, BUTTONS["one_time"][purpose])
    assert key is not None
    return key


@pytest.mark.parametrize("line", BUTTONS["requests"].values(), ids=BUTTONS["requests"].keys())
def test_what_old_buttons_hold_is_understood(line: str) -> None:
    name, typed = split(line, words("en"), DUE)
    registry.commands((*POST_OPTIONS, PICTURE, RICH))[name].parse(typed)


class Kept(dict[str, str]):
    """A channel's memory."""

    async def get(self, key: str) -> str | None:  # type: ignore[override]
        return super().get(key)

    async def put(self, key: str, value: str) -> None:
        self[key] = value


async def test_old_telegram_buttons_and_deep_links_are_understood() -> None:
    memory = Kept(BUTTONS["telegram"]["memory"])
    for button in BUTTONS["telegram"]["callback_data"]:
        pressed = await callbacks.decode(button["data"], memory)
        assert pressed.line == button["line"]
        assert (await callbacks.encode(pressed, memory)) == button["data"], "where it answers, and for which chat"
    for line, url in BUTTONS["telegram"]["deep_links"].items():
        [payload] = parse_qs(urlsplit(url).query)["start"]
        assert callbacks.line_of_payload(payload) == line


def test_old_discord_buttons_are_understood() -> None:
    for button in BUTTONS["discord"]:
        target = CustomId.parse(button["custom_id"])
        assert target is not None
        assert (target.line, str(target)) == (button["line"], button["custom_id"])
