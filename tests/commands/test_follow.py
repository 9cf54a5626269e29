"""The command `follow`, and subscribing with topics: what links on web pages lead to."""

import pytest

from bot.commands.command import split
from bot.commands.subscription import SubscribeArguments, parse_subscribe
from bot.model import Status, Style
from bot.render.words import words
from bot.store import Store
from tests.support.chat import LATER, Chat
from tests.support.fake_channel import publish

LITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def chat(store: Store) -> Chat:
    await publish(store, {})
    return Chat(store)


@LITE
async def test_following_asks_and_changes_nothing(chat: Chat) -> None:
    answer = await chat.ask("follow keyword:agents")
    assert answer.says[0] == "Follow agents?"
    assert await chat.reader() is None
    await chat.ask("subscribe")
    before = await chat.preferences()
    asked = await chat.ask("follow keyword:agents")
    assert await chat.preferences() == before
    assert asked.options[0].label == "Send me only these papers"


@LITE
async def test_its_button_subscribes_with_the_topics(chat: Chat) -> None:
    [option] = (await chat.ask("follow keyword:agents, author:Ada Lovelace")).options
    await chat.ask(option.line)
    reader = await chat.reader()
    assert reader is not None
    assert (reader.status, reader.preferences.topics) == (Status.ACTIVE, ("keyword:agents", "author:Ada Lovelace"))


@LITE
async def test_its_button_adds_to_the_topics_of_a_reader(chat: Chat) -> None:
    await chat.ask("subscribe")
    for topic in ("robots", "keyword:agents"):
        await chat.ask((await chat.ask(f"follow {topic}")).options[0].line)
    assert (await chat.preferences()).topics == ("robots", "keyword:agents")
    again = await chat.ask("follow robots")
    assert again.says[0] == "You already follow robots."
    await chat.ask("topics " + ", ".join(f"t{n}" for n in range(30)))
    full = await chat.ask("follow robots")
    assert (full.ok, (await chat.preferences()).topics[0]) == (False, "t0")


@LITE
async def test_a_reader_who_comes_back_gets_the_topics_beside_their_own(chat: Chat) -> None:
    await chat.ask("subscribe about robots")
    await chat.ask("unsubscribe")
    answer = await chat.ask((await chat.ask("follow keyword:agents")).options[0].line)
    assert (await chat.preferences()).topics == ("robots", "keyword:agents")
    assert answer.says[0] == "Welcome back. Apart from what you just chose, your settings are as you left them."


@LITE
async def test_a_link_that_subscribes_changes_nothing_of_a_reader(chat: Chat) -> None:
    await chat.ask("subscribe about robots")
    before = await chat.preferences()
    answer = await chat.ask("subscribe ko-abstract about x")
    assert (answer.says[0], await chat.preferences()) == ("You’re already subscribed.", before)


@pytest.mark.parametrize("line", ["follow", "follow ,", "follow " + "x" * 61, "subscribe about " + "x" * 61])
@LITE
async def test_what_is_no_topic_is_not_understood(chat: Chat, line: str) -> None:
    assert not (await chat.ask(line)).ok
    assert await chat.reader() is None


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("subscribe about diffusion", SubscribeArguments(topics=("diffusion",))),
        ("subscribe ko about a, b", SubscribeArguments("ko", topics=("a", "b"))),
        ("subscribe ko-abstract-ABOUT_1 about x", SubscribeArguments("ko", Style.ABSTRACT, "ABOUT_1", ("x",))),
        ("subscribe about", SubscribeArguments(invite="about")),
        ("subscribe", SubscribeArguments()),
    ],
)
def test_a_subscription_may_begin_with_topics(line: str, asked: SubscribeArguments) -> None:
    assert parse_subscribe(split(line, words("en"), LATER)[1]) == asked
