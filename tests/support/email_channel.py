"""The e-mail channel as tests open it: at a relay on this machine, with a key of its own."""

from pathlib import Path
from typing import Any

from bot.channel import Kit, Personal
from bot.render.templates import template
from bot.signing import SignedLinks
from channels import email
from channels.email.channel import Email, make
from channels.email.message import Mail
from tests.support.mail_server import Relay
from tests.support.pages import NoMemory, page, paper

SECRET = "k" * 32
PUBLIC = "https://papers.example.org"
LINKS = SignedLinks([SECRET], PUBLIC)
NAME = "9l.t3k9x1"
"""What tokens call the reader."""
READER = Personal("12.345", reader=NAME, links=LINKS.of(NAME, "en", "2026-04-29"))


def settings(relay: Relay | int, **named: Any) -> email.Settings:
    given = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(relay.port if isinstance(relay, Relay) else relay),
        "SMTP_SECURITY": "none",
        "EMAIL_FROM": "papers@example.org",
    }
    return email.Settings.model_validate(given | named)


def opened(relay: Relay | int, *, public: str | None = PUBLIC, tls: Any = None, **named: Any) -> Email:
    """The channel, not yet logged in; `named` are settings."""
    kit = Kit(Path(), Path(), NoMemory(), template, SignedLinks([SECRET], public))
    return make(settings(relay, **named), kit, tls=tls)


def a_mail(channel: Email) -> Mail:
    return channel.compose(page(paper(), paper(2)))
