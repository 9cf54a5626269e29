"""Opens channels by name, and reads the settings of all: the only module that knows which channels there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from bot import settings
from bot.channel import Channel, HasAccounts, Kit
from bot.media.media_store import MediaStore
from bot.media.speech.assembly import speech_settings
from bot.media.speech.settings import SpeechSettings
from bot.model import Address
from bot.render.branding import Accent, LogoError, accent_of, branding, read_logo
from bot.render.catalogue import languages
from bot.render.templates import template
from bot.render.words import match
from bot.runtime.supervisor import clock
from bot.settings import Settings, SettingsError
from bot.signing import SignedLinks
from bot.store import Store
from bot.store.accounts import Account, named
from bot.store.channel_memory import ChannelMemory
from bot.store.signing_key import make_secret
from bot.summaries.fulltext.figures import settled
from bot.web.settings import WebSettings

CHANNELS = ("telegram", "discord", "email", "outbox", "site")
"""The channels there are, by the names of their folders, in the order in which they are listed to people."""

FALLBACK_CHANNEL = "outbox"
"""The channel that is used if none is configured."""

CACHE = "cache"
"""The folder, below the program's home, of files that can be fetched again: full texts and pictures of papers."""


class ChannelSettings(Protocol):
    """The interface of a channel's settings."""

    @property
    def configured(self) -> bool:
        """Whether the operator has set this channel up."""


def media_folder(core: Settings, home: Path) -> Path:
    """The folder of pictures and recordings (MEDIA_DIR)."""
    return home / core.media_dir


def core_settings(environ: Mapping[str, str]) -> Settings:
    """The core's settings, with a default language that there is; sentences use their name. Raises SettingsError."""
    core = settings.read(Settings, environ)
    branding.name = core.newsletter_name
    branding.accent = accent_of(core.brand_colour) if core.brand_colour else Accent()
    if not match(core.default_language, default=""):
        raise SettingsError(f"DEFAULT_LANGUAGE must be one of {', '.join(languages())}; see .env.example.")
    return core


def use_logo(core: Settings, home: Path) -> tuple[int, int] | None:
    """Read the logo for the whole program; its width and height, None without one. Raises SettingsError."""
    try:
        logo = branding.logo = read_logo(home / core.logo) if core.logo else None
    except LogoError as error:
        raise SettingsError(f"LOGO {error}; see .env.example.") from None
    return None if logo is None else (logo.width, logo.height)


def settings_classes() -> list[type[BaseModel]]:
    """The classes that all settings are read into: the core's, the web server's and each channel's."""
    return [Settings, WebSettings, SpeechSettings, *map(settings_class, CHANNELS)]


def configured(environ: Mapping[str, str]) -> list[str]:
    """The names of the channels that are set up, or FALLBACK_CHANNEL."""
    return [name for name in CHANNELS if channel_settings(name, environ).configured] or [FALLBACK_CHANNEL]


async def accounts(names: Iterable[str], environ: Mapping[str, str], store: Store) -> list[Account]:
    """The accounts of channels; most have one. Raises SettingsError."""
    found: list[Account] = []
    for name in names:
        found += await named(store, name, _account_keys(name, environ))
    return found


def count_accounts(names: Iterable[str], environ: Mapping[str, str]) -> int:
    """The number of accounts of channels, which needs no database. Raises SettingsError."""
    return sum(len(_account_keys(name, environ)) or 1 for name in names)


def _account_keys(name: str, environ: Mapping[str, str]) -> Sequence[str]:
    """What a channel's settings call its accounts; empty where there is only one. Raises SettingsError."""
    theirs: object = channel_settings(name, environ) if name in CHANNELS else None
    return theirs.accounts if isinstance(theirs, HasAccounts) else ()


def channel_settings(name: str, environ: Mapping[str, str]) -> ChannelSettings:
    """A channel's own settings. Raises SettingsError."""
    found: ChannelSettings = settings.read(settings_class(name), environ)  # type: ignore[assignment]
    return found


def settings_class(name: str) -> type[BaseModel]:
    """The class that a channel's settings are read into."""
    found: type[BaseModel] = import_module(f"channels.{name}").Settings
    return found


def recipients(environ: Mapping[str, str], home: Path, store: Store) -> Callable[[Address], Address]:
    """A function that normalises addresses as they are stored. No channel logs in for it.

    The function raises ValueError, with a sentence, for an address that no channel accepts.
    """
    channels: dict[str, Channel] = {}

    def stored_form(address: Address) -> Address:
        if address.channel not in CHANNELS:
            raise ValueError(f"there is no channel {address.channel!r}; there are: {', '.join(CHANNELS)}")
        if address.channel not in channels:
            channels[address.channel] = open_channel(address.channel, environ, home, store)
        return replace(address, recipient=channels[address.channel].recipient(address.recipient))

    return stored_form


def open_channel(  # noqa: PLR0917 - the last two are for those who send
    name: str,
    environ: Mapping[str, str],
    home: Path,
    store: Store,
    links: SignedLinks | None = None,
    account: Account | None = None,
) -> Channel:
    """A channel by one of its accounts, not logged in yet; without an `account` by any, to compose and not to send.

    Without `links` it signs with a throw-away key. Raises SettingsError.
    """
    if name not in CHANNELS:
        raise SettingsError(f"There is no channel named {name}; there are: {', '.join(CHANNELS)}.")
    core, account = settings.read(Settings, environ), account or Account(name, name)
    kit = Kit(
        home=home,
        pictures=home / CACHE,
        memory=ChannelMemory(store, account.name),
        template=template,
        links=links or SignedLinks([make_secret()], core.public_url or None),
        media=MediaStore(media_folder(core, home)).path,
        pictures_known=lambda paper: settled(paper, home / CACHE, clock()),
        reads_aloud=speech_settings(environ).configured,
        logo=use_logo(core, home),
        name=account.name,
        account=account.key,
        colour=branding.accent.day,
    )
    opened: Channel = import_module(f"channels.{name}").open(channel_settings(name, environ), kit)
    return opened
