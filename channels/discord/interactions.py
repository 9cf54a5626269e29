"""Handles interactions (slash commands, components, autocomplete, forms), and registers the slash commands.

Each is acknowledged first: the service allows three seconds for that, and fifteen minutes for the reply
(interactions/receiving-and-responding#followup-messages).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import discord

from bot.channel import CommandName, Commands, Memory, Reply, Requester
from channels.discord.components import CHOICE, CHOICES, CustomId, ReplyMode, StoredLines, cut
from channels.discord.destinations import (
    CHANNEL,
    THREAD_TYPES,
    Destination,
    Directory,
    Kind,
    KnownChannel,
    Subject,
    is_in_guild,
    may_manage,
    may_post,
    subject_of,
)
from channels.discord.display import show
from channels.discord.responses import Layout, Response, Responses
from channels.discord.slash_commands import Invocation, digest, language_of, parse, payload
from channels.discord.wording import Words

log = logging.getLogger(__name__)

FORM_TITLE, FORM_LENGTH = 45, 1_000
FIELD = "text"
"""The `custom_id` of a form's only field."""
_EXPIRED = frozenset({10008, 10015, 10062, 40060, 50027})
"""Codes of an interaction that is over or was answered, or whose message was deleted: nobody waits for the reply."""
_ABOUT_PAPERS = {
    CommandName.TODAY,
    CommandName.WEEK,
    CommandName.MONTH,
    CommandName.DATE,
    CommandName.PAPER,
    CommandName.SEARCH,
    CommandName.TOP,
    CommandName.HELP,
    CommandName.PRIVACY,
}
"""The commands that are about no subscription, which everybody in a channel may use."""
_RECHECK_PERMISSIONS = frozenset({CommandName.SETTINGS, CommandName.SUBSCRIBE, CommandName.RESUME, CommandName.WHY})
"""The commands people use when no edition comes any more."""


class Interactions:
    """Registers the slash commands and handles interactions."""

    def __init__(
        self, commands: Commands, memory: Memory, directory: Directory, responses: Responses, words: Words
    ) -> None:
        self._commands = commands
        self._names = {info.name for info in commands.listed(CHANNEL, "en")}
        self._memory = memory
        self._directory = directory
        self._responses = responses
        self._words = words
        self._command_id: int | None = None
        """Id of the registered command group, by which command names are tappable."""

    async def register(self, client: discord.Client, guild: int | None) -> None:
        """Register the slash commands if they have changed: in one server for development, else in all."""
        assert client.application_id is not None
        registered = payload(partial(self._commands.listed, CHANNEL), self._words)
        key = f"commands:{client.application_id}:{guild or ''}"
        known = json.loads(await self._memory.get(key) or "{}")
        if known.get("digest") != digest(registered):
            if guild is None:
                answered = await client.http.bulk_upsert_global_commands(client.application_id, registered)
            else:
                answered = await client.http.bulk_upsert_guild_commands(client.application_id, guild, registered)
            known = {"digest": digest(registered), "id": int(answered[0]["id"])}
            await self._memory.put(key, json.dumps(known))
            log.info("slash commands registered", extra={"channel": CHANNEL})
        self._command_id = int(known["id"])

    async def handle(self, interaction: discord.Interaction) -> None:
        """Handle one interaction of any type."""
        try:
            match interaction.type:
                case discord.InteractionType.application_command:
                    await self._on_command(interaction)
                case discord.InteractionType.autocomplete:
                    await self._on_autocomplete(interaction)
                case discord.InteractionType.component:
                    await self._on_component(interaction)
                case discord.InteractionType.modal_submit:
                    await self._on_form(interaction)
                case _:
                    return
        except discord.HTTPException as error:
            if error.code not in _EXPIRED:
                raise
            log.info("interaction expired, reply dropped", extra={"channel": CHANNEL, "code": error.code})

    async def _on_command(self, interaction: discord.Interaction) -> None:
        invocation = parse(interaction.data or {}, self._names)
        if invocation is None:
            return
        private = not invocation.share and not _is_direct(interaction)
        await interaction.response.defer(ephemeral=private, thinking=True)
        mode = ReplyMode.UPDATE if private or _is_direct(interaction) else ReplyMode.NEW_MESSAGE
        line = invocation.lines[-1]
        subject = subject_of(interaction, invocation.channel)
        if invocation.me:
            subject = Subject(Destination(Kind.USER, interaction.user.id))
        elif invocation.channel is not None and not is_in_guild(interaction):
            await self._show(interaction, self._sentence(interaction, "outside", mode, line))
            return
        if subject is None:
            await self._show(interaction, self._sentence(interaction, "no_channel", mode))
        elif (
            invocation.command == CommandName.SUBSCRIBE
            and subject.may_change
            and not self._may_post(interaction, subject)
        ):
            mention = f"<#{subject.destination.id}>"
            await self._show(interaction, self._sentence(interaction, "missing", mode, line, channel=mention))
        else:
            await self._ask(interaction, subject, invocation.lines, mode, invocation)

    async def _on_component(self, interaction: discord.Interaction) -> None:
        data: Any = interaction.data or {}
        custom_id = CustomId.parse(data.get("custom_id", ""))
        if custom_id is not None and custom_id.mode is ReplyMode.FORM:
            await interaction.response.send_modal(self._form(interaction, custom_id))
            return
        if custom_id is None or custom_id.mode is ReplyMode.UPDATE:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=not _is_direct(interaction), thinking=True)
        line = await self._line(custom_id, data.get("values") or []) if custom_id is not None else None
        if custom_id is None or line is None:
            await self._show(interaction, self._sentence(interaction, "too_old", ReplyMode.UPDATE))
            return
        await self._ask(interaction, self._subject(interaction, custom_id.recipient), [line], ReplyMode.UPDATE)

    async def _on_form(self, interaction: discord.Interaction) -> None:
        data: Any = interaction.data or {}
        await interaction.response.defer(ephemeral=True)
        custom_id = CustomId.parse(data.get("custom_id", ""))
        if custom_id is not None:
            line = f"{custom_id.line} {_field_value(data.get('components') or [])[:FORM_LENGTH]}"
            await self._ask(interaction, self._subject(interaction, custom_id.recipient), [line], ReplyMode.UPDATE)

    async def _on_autocomplete(self, interaction: discord.Interaction) -> None:
        invocation = parse(interaction.data or {}, self._names)
        subject = subject_of(interaction, invocation.channel) if invocation is not None else None
        if invocation is None or invocation.focused is None or subject is None:
            await interaction.response.autocomplete([])
            return
        command, typed = invocation.focused
        found = await self._commands.suggest(_requester(interaction, subject), command, typed, interaction.created_at)
        choices = [
            discord.app_commands.Choice(name=cut(each.label, CHOICE), value=each.value)
            for each in found
            if 0 < len(each.value) <= CHOICE and each.label.strip()
        ]
        await interaction.response.autocomplete(choices[:CHOICES])

    async def _ask(
        self,
        interaction: discord.Interaction,
        subject: Subject,
        lines: Sequence[str],
        mode: ReplyMode,
        invocation: Invocation | None = None,
    ) -> None:
        """Run command lines and show the last reply."""
        command, shared = _command_of(lines[-1]), subject.shared
        if command in _RECHECK_PERMISSIONS and shared and subject.may_change and self._may_post(interaction, subject):
            await self._commands.permitted(subject.destination.address)
        requester = _requester(interaction, subject, share=invocation is not None and invocation.share)
        for line in lines:
            reply = await self._commands.ask(requester, line, interaction.created_at)
        if command == CommandName.SUBSCRIBE and reply.ok and shared:
            await self._remember(interaction, subject, invocation)
        response = self._responses.lay_out(reply, self._layout(interaction, subject, lines[-1], mode, reply))
        beside = not reply.ok and not response.rows and interaction.message is not None
        await self._show(interaction, response, beside=beside)

    def _layout(
        self, interaction: discord.Interaction, subject: Subject, line: str, mode: ReplyMode, reply: Reply
    ) -> Layout:
        here = subject_of(interaction)
        destination = subject.destination
        elsewhere = here is None or here.destination != destination
        command, argument = _command_of(line), line.partition(" ")[2]
        refused = not reply.ok and subject.shared and not subject.may_change and command not in _ABOUT_PAPERS
        return Layout(
            mode,
            recipient=str(destination) if elsewhere else None,
            channel=destination.id if elsewhere and destination.kind is not Kind.USER else None,
            menu=command if command and not argument and reply.ok else None,
            for_me=_for_me(interaction, mode, line) if refused else None,
            command_id=self._command_id,
            quotes_user=bool(argument) and command in {CommandName.SEARCH, CommandName.ZONE},
        )

    def _sentence(
        self, interaction: discord.Interaction, name: str, mode: ReplyMode, line: str | None = None, **values: str
    ) -> Response:
        """One of the channel's own sentences; with a line, a button offers it for the user's direct messages."""
        layout = Layout(mode, for_me=None if line is None else _for_me(interaction, mode, line))
        return self._responses.sentence(language_of(str(interaction.locale)), name, layout, **values)

    async def _show(self, interaction: discord.Interaction, response: Response, *, beside: bool = False) -> None:
        await show(interaction, response, self._memory, beside=beside)

    async def _line(self, custom_id: CustomId, values: Sequence[str]) -> str | None:
        """The command line of a component: its own, the chosen value, or the one stored for it; None if it is lost."""
        line = custom_id.line
        if line.startswith("#"):
            line = values[0] if values else ""
        elif values:
            line = f"{line} {values[0]}"
        return await StoredLines.find(line, self._memory) if line.startswith("~") else line or None

    def _form(self, interaction: discord.Interaction, custom_id: CustomId) -> discord.ui.Modal:
        words = self._words(language_of(str(interaction.locale)))
        title = cut(words.get(f"name_{custom_id.line}", custom_id.line), FORM_TITLE)
        submitted = CustomId(ReplyMode.UPDATE, custom_id.recipient, custom_id.line)
        form = discord.ui.Modal(title=title, custom_id=str(submitted), timeout=None)
        field: discord.ui.TextInput[discord.ui.Modal]
        field = discord.ui.TextInput(label=title, custom_id=FIELD, max_length=FORM_LENGTH)
        form.add_item(field)
        form.stop()  # submissions are handled by `custom_id`, also after a restart
        return form

    def _subject(self, interaction: discord.Interaction, recipient: str | None) -> Subject:
        """The subscription a component is about: its own channel's, the user's, or another channel's of the server."""
        here = subject_of(interaction)
        assert here is not None
        if recipient is None:
            return here
        person = Destination(Kind.USER, interaction.user.id)
        destination = Destination.parse(recipient)
        if destination.kind is Kind.USER or not here.shared:
            return Subject(person)
        channel = interaction.guild.get_channel_or_thread(destination.id) if interaction.guild is not None else None
        may_change = (
            channel is not None
            and isinstance(interaction.user, discord.Member)
            and may_manage(channel.permissions_for(interaction.user).value)
        )
        return Subject(destination, person, may_change, here.language)

    def _may_post(self, interaction: discord.Interaction, subject: Subject) -> bool:
        """Whether the bot may post in a channel; True where that is unknown, and the first edition will tell."""
        if not subject.shared:
            return True
        if subject.destination.id == interaction.channel_id:
            channel_type = interaction.channel.type.value if interaction.channel is not None else 0
            return may_post(interaction.app_permissions, in_thread=channel_type in THREAD_TYPES)
        guild = interaction.guild
        channel = guild.get_channel_or_thread(subject.destination.id) if guild is not None else None
        if guild is None or channel is None:
            return True
        return may_post(channel.permissions_for(guild.me), in_thread=isinstance(channel, discord.Thread))

    async def _remember(
        self, interaction: discord.Interaction, subject: Subject, invocation: Invocation | None
    ) -> None:
        """Remember the names of a channel that was subscribed."""
        assert interaction.guild_id is not None
        named = invocation.channel if invocation is not None and invocation.channel is not None else {}
        name = named.get("name") or getattr(interaction.channel, "name", None) or str(subject.destination.id)
        server = interaction.guild.name if interaction.guild is not None else ""
        await self._directory.add(subject.destination, KnownChannel(interaction.guild_id, f"#{name}", server))


def _requester(interaction: discord.Interaction, subject: Subject, *, share: bool = False) -> Requester:
    """The user in their own language; in the server's for a reply that everybody sees."""
    locale = str(interaction.locale)
    if share and subject.language is not None:
        locale = subject.language
    person = None if subject.person is None else str(subject.person)
    place_locale = subject.language_chosen
    return Requester(subject.destination.address, locale, person, subject.may_change, place_locale=place_locale)


def _for_me(interaction: discord.Interaction, mode: ReplyMode, line: str) -> CustomId:
    """The same line for the user's direct messages."""
    return CustomId(mode, f"{Kind.USER}:{interaction.user.id}", line)


def _is_direct(interaction: discord.Interaction) -> bool:
    """Whether it happens in direct messages with the bot."""
    return interaction.guild_id is None and interaction.context.dm_channel is True


def _command_of(line: str) -> str:
    return line.partition(" ")[0]


def _field_value(components: Sequence[Any]) -> str:
    """The text in a form's only field, on one line."""
    for each in components:
        if each.get("custom_id") == FIELD:
            return " ".join(str(each.get("value") or "").split())
        found = _field_value([*(each.get("components") or []), *filter(None, [each.get("component")])])
        if found:
            return found
    return ""
