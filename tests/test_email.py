"""The e-mail channel against a real SMTP server: what arrives, over which connections, and what answers mean."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Channel, Kit, Personal, Sent
from bot.links import SignedLinks
from bot.render.templates import template
from channels import email
from channels.email import Email
from tests.mail_server import Relay
from tests.pages import NoMemory, page, paper

SECRET = "k" * 32
READER = Personal("12.345", reader="9l.t3k9x1")
Open = Callable[..., Email]


def kit(home: Path, public: str | None = None) -> Kit:
    return Kit(home, home, NoMemory(), template, SignedLinks([SECRET], public))


def settings(relay: Relay, **named: Any) -> email.Settings:
    given = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(relay.port),
        "SMTP_SECURITY": "none",
        "EMAIL_FROM": "papers@example.org",
    }
    return email.Settings.model_validate(given | named)


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def make(relay: Relay, **named: Any) -> Email:
        return email.open(settings(relay, **named), kit(tmp_path))

    return make


async def test_a_mail_arrives(opened: Open) -> None:
    async with Relay() as relay, opened(relay) as channel:
        assert isinstance(channel, Channel)
        outcome = await channel.send("ada@example.com", channel.compose(page(paper(), paper(2))), READER)
    assert outcome == Sent("2.0.0 taken as 1")
    [letter] = relay.letters
    assert (letter.sender, letter.to) == ("papers@example.org", ["ada@example.com"])
    assert letter.mail["To"] == "<ada@example.com>" or letter.mail["To"] == "ada@example.com"
