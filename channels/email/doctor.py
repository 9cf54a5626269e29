"""What `papers doctor` says of e-mail: the relay, the sender, what comes back, and what DNS says of all three."""

from __future__ import annotations

from bot.channel import Finding
from channels.email.dns_records import Resolver, look_up
from channels.email.pool import LoginRefusedError, Pool
from channels.email.settings import Settings
from channels.email.smtp import BrokenError, RefusedError


async def examine(settings: Settings, pool: Pool, public: str | None, names: Resolver | None = None) -> list[Finding]:
    """Look at everything; nothing is sent."""
    return [
        *await _relay(settings, pool),
        _web(public),
        _returns(settings),
        *await look_up(settings, names),
    ]


async def _relay(settings: Settings, pool: Pool) -> list[Finding]:
    """Login, TLS, and whether the relay takes mail from us."""
    where = f"{settings.host}:{settings.relay_port}"
    try:
        async with pool.connection() as session:
            version = session.tls_version
            refused = await session.ask_for(settings.own.address)
    except LoginRefusedError as error:
        return [Finding("SMTP_HOST", False, str(error))]
    except RefusedError as error:
        return [Finding("SMTP_HOST", False, f"{where} refuses us ({error.reply.code}); ask who runs it")]
    except BrokenError as error:
        return [Finding("SMTP_HOST", False, f"{where} cannot be reached ({error}); check SMTP_HOST and SMTP_PORT")]
    login = f", logged in as {settings.username}" if settings.username else ""
    found = [
        Finding("SMTP_HOST", True, f"{where} answers over {version}{login}")
        if version
        else Finding("SMTP_HOST", True, f"{where} answers{login}, without TLS: fit for a relay on this machine alone")
    ]
    if refused is None:
        return [*found, Finding("EMAIL_FROM", True, f"the relay takes mail from {settings.own.address}")]
    says = f"the relay takes no mail from {settings.own.address} ({refused}); allow it there, or take another"
    return [*found, Finding("EMAIL_FROM", False, says)]


def _web(public: str | None) -> Finding:
    """What one-click unsubscribing needs (RFC 8058)."""
    if public is None:
        return Finding(
            "PUBLIC_URL",
            False,
            "is not set, so mails have no web page and unsubscribing is by mail alone; Gmail and Yahoo ask those who "
            "send 5,000 mails a day for a link that unsubscribes with one click",
        )
    if not public.startswith("https://"):
        return Finding("PUBLIC_URL", False, "must start with https:// for one-click unsubscribing (RFC 8058)")
    return Finding("PUBLIC_URL", True, f"links lead to {public}")


def _returns(settings: Settings) -> Finding:
    """Whether anybody reads what comes back."""
    if not settings.bounces:
        return Finding(
            "EMAIL_BOUNCES",
            False,
            f"is not set, so bounces go to {settings.own.address} and are known by their Message-ID alone; set it to "
            "an address such as bounces+{token}@example.org, and run `papers email bounces` on its mailbox",
        )
    if settings.inbox is None:
        says = "is set; run `papers email bounces` on its mailbox, or name that in EMAIL_INBOX"
        return Finding("EMAIL_BOUNCES", True, says)
    return Finding("EMAIL_BOUNCES", True, "is set; `papers email bounces` reads EMAIL_INBOX")
