"""Signed links: bound to a purpose, never expiring, verified by every listed key; and the links in a message."""

import asyncio
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import LEAVE, MAIL, Personal, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.model import Preferences
from bot.runtime.locks import holding, make_locks
from bot.settings import Settings, SettingsError, read
from bot.signing import SETTINGS, UNSUBSCRIBE, WEB, SignedLinks, named, token_name
from bot.store import Store
from bot.store.signing_key import load_secret
from tests.support.command import papers_command
from tests.support.fake_channel import NOW, FakeChannel, publish, settle

OLD, NEW = "o" * 32, "n" * 32
VALUES = st.text(string.digits + string.ascii_lowercase + ".", min_size=1, max_size=40)
DUE = datetime(2025, 11, 4, 8, 0, tzinfo=UTC)


@given(VALUES)
def test_a_token_holds_its_value_for_its_purpose_only(value: str) -> None:
    links = SignedLinks([OLD])
    token = links.sign(LEAVE, value)
    assert links.read(LEAVE, token) == value
    assert links.read(LEAVE, token.upper()) == value, "mail systems make small letters of capitals, and back"
    assert links.read(MAIL, token) is None
    assert SignedLinks([NEW]).read(LEAVE, token) is None


@given(VALUES, st.data())
def test_a_token_with_one_character_changed_is_invalid(value: str, data: st.DataObject) -> None:
    links = SignedLinks([OLD])
    token = links.sign(LEAVE, value)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([each for each in string.printable if each.lower() != token[place]]))
    assert links.read(LEAVE, token[:place] + other + token[place + 1 :]) is None


@given(st.text(max_size=200))
def test_reading_a_token_never_raises(token: str) -> None:
    assert SignedLinks([OLD]).read(LEAVE, token) is None


def test_the_first_key_signs_and_all_verify() -> None:
    before = SignedLinks([OLD]).sign(LEAVE, "1.a")
    both = SignedLinks([NEW, OLD])
    assert both.read(LEAVE, before) == "1.a"
    assert SignedLinks([NEW]).read(LEAVE, both.sign(LEAVE, "1.a")) == "1.a"


@pytest.mark.parametrize("value", ["", "A", "a b", "a@b", "1" * 41, "é"])
def test_a_value_that_a_token_cannot_hold_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="a token holds"):
        SignedLinks([OLD]).sign(LEAVE, value)


@given(st.integers(0, 2**40), st.integers(0, 2**32))
def test_a_reader_is_named_by_id_and_time(number: int, second: int) -> None:
    assert named(token_name(number, datetime.fromtimestamp(second, UTC))) == (number, second)


def test_a_token_fits_into_a_mail_address() -> None:
    value = f"99999.{token_name(60_000_000, datetime(2035, 1, 1, tzinfo=UTC))}"
    assert len(SignedLinks([OLD]).sign(MAIL, value)) <= 51


async def test_a_database_creates_one_signing_key_and_keeps_it(store: Store) -> None:
    made = await asyncio.gather(*(load_secret(store) for _ in range(4)))
    assert len(set(made)) == 1
    assert len(made[0]) >= 32
    assert await load_secret(store) == made[0]


@pytest.mark.parametrize("public", [None, "https://papers.example.org/"])
async def test_a_message_has_its_readers_links(store: Store, public: str | None) -> None:
    given_: list[Personal] = []

    def note(to: str, message: object, personal: Personal) -> Sent:
        given_.append(personal)
        return Sent()

    links = SignedLinks([OLD], public)
    await publish(store, {"ada": Preferences(language="ko")})
    locks = make_locks(store.engine.url, store.path)
    dispatcher = Dispatcher(store, FakeChannel(answer=note), locks, links=links)
    async with holding(locks, *dispatcher.roles()):
        await settle(dispatcher, DUE)
    await locks.close()
    [personal] = given_
    assert named(personal.reader) == (int(personal.key.partition(".")[2]), int(NOW.timestamp()))
    if public is None:
        assert personal.links == {}
        return
    assert personal.links[WEB] == "https://papers.example.org/ko/2025-11-03"
    token = personal.links[UNSUBSCRIBE].removeprefix("https://papers.example.org/unsubscribe/")
    assert links.read(LEAVE, token) == personal.reader
    token = personal.links[SETTINGS].removeprefix("https://papers.example.org/settings/")
    assert links.read("settings", token) == personal.reader
    assert links.read(LEAVE, token) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("PUBLIC_URL", "news.lab.example"), ("PUBLIC_URL", "https://x.example/?a=b"), ("SECRET_KEY", "short")],
)
def test_a_wrong_address_or_key_is_reported_without_showing_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(Settings, {name: value})
    assert str(error.value).startswith(f"{name} must be")
    assert value not in str(error.value)


def test_the_email_channel_has_a_command_for_bounces(tmp_path: Path) -> None:
    relay = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1", "SMTP_SECURITY": "none", "EMAIL_FROM": "papers@example.org"}
    inbox = tmp_path / "mbox"
    inbox.write_bytes(b"From a Thu Jan  1 00:00:00 2026\nSubject: hello\n\nhello\n")
    url = "sqlite:///subscribers.db"
    done = papers_command(tmp_path, "email", "bounces", str(inbox), url=url, given=relay)
    assert (done.returncode, done.stdout) == (0, "1 mails\nanything else: 1\n"), done.stderr
    done = papers_command(tmp_path, "email", "bounces", url=url, given=relay)
    assert done.returncode == 2
    assert "set EMAIL_INBOX" in done.stderr
    assert "Traceback" not in done.stderr
