"""Checks of `papers doctor` for e-mail: relay, sender, bounce address and DNS records."""

from __future__ import annotations

from bot.channel import Finding
from channels.email.dns_records import Resolver, check_dns
from channels.email.pool import ConnectionPool, LoginRefusedError
from channels.email.settings import Settings
from channels.email.smtp import BrokenError, RefusedError


async def check_email(
    settings: Settings, pool: ConnectionPool, public: str | None, names: Resolver | None = None
) -> list[Finding]:
    """Run every check; sends no mail. `public` is PUBLIC_URL, `names` the resolver to ask."""
    return [
        *await _relay(settings, pool),
        *_login(settings),
        _public_url(public),
        _bounces(settings),
        *await check_dns(settings, names),
    ]


async def _relay(settings: Settings, pool: ConnectionPool) -> list[Finding]:
    """Check login, TLS, and whether the relay accepts mail from EMAIL_FROM."""
    where = f"{settings.host}:{settings.relay_port}"
    try:
        async with pool.connection() as session:
            version = session.tls_version
            refused = await session.probe_sender(settings.own.address)
    except LoginRefusedError as error:
        return [Finding("SMTP_HOST", False, str(error))]
    except RefusedError as error:
        return [Finding("SMTP_HOST", False, f"{where} refuses connections ({error.reply.code}); ask its operator")]
    except BrokenError as error:
        return [Finding("SMTP_HOST", False, f"{where} cannot be reached ({error}); check SMTP_HOST and SMTP_PORT")]
    login = f", logged in as {settings.username}" if settings.username else ""
    found = [
        Finding("SMTP_HOST", True, f"{where} answers over {version}{login}")
        if version
        else Finding("SMTP_HOST", True, f"{where} answers{login}, without TLS: only for a relay on this machine")
    ]
    if refused is None:
        return [*found, Finding("EMAIL_FROM", True, f"the relay accepts mail from {settings.own.address}")]
    says = f"the relay refuses mail from {settings.own.address} ({refused}); allow it there, or use another address"
    return [*found, Finding("EMAIL_FROM", False, says)]


def _login(settings: Settings) -> list[Finding]:
    if not settings.username or settings.password is not None:
        return []
    says = "is set without SMTP_PASSWORD, so the login has an empty password; set that, or remove it"
    return [Finding("SMTP_USERNAME", True, says, advice=True)]


def _public_url(public: str | None) -> Finding:
    """Check that one-click unsubscription is possible (RFC 8058)."""
    if public is None:
        return Finding(
            "PUBLIC_URL",
            True,
            "is not set, so mails have no web page and unsubscribing is by mail alone; Gmail and Yahoo require "
            "one-click unsubscription from senders of 5,000 mails a day",
            advice=True,
        )
    if not public.startswith("https://"):
        return Finding("PUBLIC_URL", False, "must start with https:// for one-click unsubscription (RFC 8058)")
    return Finding("PUBLIC_URL", True, f"links lead to {public}")


def _bounces(settings: Settings) -> Finding:
    """Check that bounces can be matched and are processed."""
    if not settings.bounces:
        return Finding(
            "EMAIL_BOUNCES",
            True,
            f"is not set, so bounces go to {settings.own.address} and are matched by Message-ID alone; set it to "
            "an address such as bounces+{token}@example.org, and run `papers email bounces` on its mailbox",
            advice=True,
        )
    if settings.inbox is None:
        says = "is set; run `papers email bounces` on its mailbox, or set EMAIL_INBOX to that"
        return Finding("EMAIL_BOUNCES", True, says)
    return Finding("EMAIL_BOUNCES", True, "is set; `papers email bounces` reads EMAIL_INBOX")
