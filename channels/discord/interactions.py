"""What people ask by commands, taps, menus and forms, and how each of it is answered.

Every interaction is acknowledged before anything else is done: the service gives three seconds for that, and a
quarter of an hour for the answer (interactions/receiving-and-responding).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from typing import Any

import discord

from bot.channel import Command, Commands, Memory, Reply, Requester
from bot.model import Address
from channels.discord.components import CHOICE, CHOICES, AnswerPlace, StoredLines, Target, build, cut
from channels.discord.destinations import (
    CHANNEL,
    THREADS,
    AskedFrom,
    Destination,
    Directory,
    Kind,
    KnownChannel,
    is_here,
    may_post,
    moderates,
    seat_of,
)
from channels.discord.responses import Frame, Responses, Shown
from channels.discord.slash_commands import Used, language_of, read
from channels.discord.wording import Words

log = logging.getLogger(__name__)

FORM_TITLE, FORM_LENGTH = 45, 1_000
FIELD = "text"
_OVER = frozenset({10008, 10015, 10062, 40060, 50027})
"""The interaction is over, its message is gone, or it was answered already: nobody waits any more."""
_OF_THE_PLACE = frozenset(Command) - {
    Command.TODAY,
    Command.WEEK,
    Command.MONTH,
    Command.DATE,
    Command.PAPER,
    Command.SEARCH,
    Command.TOP,
    Command.HELP,
    Command.PRIVACY,
}
"""What concerns a subscription and not papers."""
_LOOKS = frozenset({Command.SETTINGS, Command.SUBSCRIBE, Command.RESUME, Command.WHY})
"""What people ask when nothing comes any more."""


class Interactions:
    """Answers interactions."""

    def __init__(
        self, commands: Commands, *, memory: Memory, directory: Directory, layout: Responses, words: Words
    ) -> None:
        self._commands = commands
        self._memory = memory
        self._directory = directory
        self._layout = layout
        self._words = words
        self.command_id: int | None = None
        """The id of the group, by which commands can be shown as something to tap."""

    async def answer(self, interaction: discord.Interaction) -> None:
        """Answer one interaction, whatever it is."""
        try:
            match interaction.type:
                case discord.InteractionType.application_command:
                    await self._command(interaction)
                case discord.InteractionType.autocomplete:
                    await self._complete(interaction)
                case discord.InteractionType.component:
                    await self._tap(interaction)
                case discord.InteractionType.modal_submit:
                    await self._form(interaction)
                case _:
                    return
        except discord.HTTPException as error:
            if error.code not in _OVER:
                raise
            log.info("an answer came too late", extra={"channel": CHANNEL, "code": error.code})

    async def _command(self, interaction: discord.Interaction) -> None:
        used = read(interaction.data or {})
        if used is None:
            return
        private = not used.share and not _alone(interaction)
        await interaction.response.defer(ephemeral=private, thinking=True)
        frame = Frame(AnswerPlace.HERE if private or _alone(interaction) else AnswerPlace.NEW)
        asked_from = (
            AskedFrom(Destination(Kind.USER, interaction.user.id)) if used.me else seat_of(interaction, used.channel)
        )
        if used.channel is not None and not used.me and not is_here(interaction):
            await self._show(interaction, self._say(interaction, "outside", frame, used.lines[-1]))
        elif asked_from is None:
            await self._show(interaction, self._say(interaction, "no_channel", frame))
        elif (
            used.command is Command.SUBSCRIBE and asked_from.may_change and not self._may_post(interaction, asked_from)
        ):
            mention = f"<#{asked_from.place.id}>"
            await self._show(interaction, self._say(interaction, "missing", frame, used.lines[-1], channel=mention))
        else:
            await self._ask(interaction, asked_from, used.lines, frame.goes, share=used.share, used=used)

    async def _tap(self, interaction: discord.Interaction) -> None:
        data: Any = interaction.data or {}
        target = Target.parse(data.get("custom_id", ""))
        if target is not None and target.goes is AnswerPlace.FORM:
            await interaction.response.send_modal(self._open_form(interaction, target))
            return
        if target is None or target.goes is AnswerPlace.HERE:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=not _alone(interaction), thinking=True)
        line = await self._line(target, data.get("values") or []) if target is not None else None
        if target is None or line is None:
            await self._show(interaction, self._say(interaction, "too_old", Frame(AnswerPlace.HERE)))
            return
        await self._ask(interaction, self._asked_from(interaction, target.whose), [line], AnswerPlace.HERE)

    async def _form(self, interaction: discord.Interaction) -> None:
        data: Any = interaction.data or {}
        await interaction.response.defer(ephemeral=True)
        target = Target.parse(data.get("custom_id", ""))
        if target is not None:
            line = f"{target.line} {_written(data.get('components') or [])[:FORM_LENGTH]}"
            await self._ask(interaction, self._asked_from(interaction, target.whose), [line], AnswerPlace.HERE)

    async def _complete(self, interaction: discord.Interaction) -> None:
        used = read(interaction.data or {})
        asked_from = seat_of(interaction, used.channel) if used is not None else None
        if used is None or used.focused is None or asked_from is None:
            await interaction.response.autocomplete([])
            return
        command, typed = used.focused
        found = await self._commands.suggest(
            _requester(interaction, asked_from), command, typed, interaction.created_at
        )
        choices = [
            discord.app_commands.Choice(name=cut(each.label, CHOICE), value=each.value)
            for each in found
            if 0 < len(each.value) <= CHOICE and each.label.strip()
        ]
        await interaction.response.autocomplete(choices[:CHOICES])

    async def _ask(
        self,
        interaction: discord.Interaction,
        asked_from: AskedFrom,
        lines: Sequence[str],
        goes: AnswerPlace,
        *,
        share: bool = False,
        used: Used | None = None,
    ) -> None:
        """Ask the core line by line, and show the last answer."""
        command = _command_of(lines[-1])
        address = Address(CHANNEL, str(asked_from.place))
        if (
            command in _LOOKS
            and asked_from.shared
            and asked_from.may_change
            and self._may_post(interaction, asked_from)
        ):
            await self._commands.permitted(address)
        requester = _requester(interaction, asked_from, share=share)
        for line in lines:
            answer = await self._commands.ask(requester, line, interaction.created_at)
        if command is Command.SUBSCRIBE and answer.ok and asked_from.shared:
            await self._note(interaction, asked_from, used)
        shown = self._layout.lay_out(answer, self._frame(interaction, asked_from, lines, goes, answer))
        beside = not answer.ok and not shown.rows and interaction.message is not None
        await self._show(interaction, shown, beside=beside)

    def _frame(
        self,
        interaction: discord.Interaction,
        asked_from: AskedFrom,
        lines: Sequence[str],
        goes: AnswerPlace,
        answer: Reply,
    ) -> Frame:
        here = seat_of(interaction)
        elsewhere = here is None or here.place != asked_from.place
        command, _, argument = lines[-1].partition(" ")
        instead = None
        if not answer.ok and asked_from.shared and not asked_from.may_change and _command_of(command) in _OF_THE_PLACE:
            instead = Target(goes, f"{Kind.USER}:{interaction.user.id}", lines[-1])
        return Frame(
            goes,
            whose=str(asked_from.place) if elsewhere else None,
            channel=asked_from.place.id if elsewhere and asked_from.place.kind is not Kind.USER else None,
            menu=_command_of(command) if not argument and answer.ok else None,
            instead=instead,
            command_id=self.command_id,
        )

    def _say(
        self, interaction: discord.Interaction, name: str, frame: Frame, line: str | None = None, **values: str
    ) -> Shown:
        """A sentence of the channel's own, and where that helps the way to one's direct messages."""
        if line is not None:
            frame = Frame(frame.goes, instead=Target(frame.goes, f"{Kind.USER}:{interaction.user.id}", line))
        return self._layout.say(language_of(str(interaction.locale)), name, frame, **values)

    async def _show(self, interaction: discord.Interaction, shown: Shown, *, beside: bool = False) -> None:
        """Show an answer: in the message that was promised, or `beside` one that is worth keeping."""
        stored_lines = StoredLines()
        view = build(shown.rows, stored_lines)
        await stored_lines.save(self._memory)
        embeds = [discord.Embed.from_dict(embed) for embed in shown.embeds]
        if beside and interaction.response.type is discord.InteractionResponseType.deferred_message_update:
            await interaction.followup.send(content=shown.content or "", embeds=embeds, ephemeral=True)
            return
        file = shown.file
        files = [discord.File(io.BytesIO(file.content), filename=file.name)] if file is not None else []
        await interaction.edit_original_response(
            content=shown.content,
            embeds=embeds,
            view=view,
            attachments=files,
        )

    async def _line(self, target: Target, values: Sequence[str]) -> str | None:
        """What a tap asks: what the button holds, what was chosen, or what was put down for it."""
        line = target.line
        if line.startswith("#"):
            line = values[0] if values else ""
        elif values:
            line = f"{line} {values[0]}"
        return await StoredLines.find(line, self._memory) if line.startswith("~") else line or None

    def _open_form(self, interaction: discord.Interaction, target: Target) -> discord.ui.Modal:
        words = self._words(language_of(str(interaction.locale)))
        title = cut(words.get(f"name_{target.line}", target.line), FORM_TITLE)
        form = discord.ui.Modal(
            title=title, custom_id=str(Target(AnswerPlace.HERE, target.whose, target.line)), timeout=None
        )
        field: discord.ui.TextInput[discord.ui.Modal]
        field = discord.ui.TextInput(label=title, custom_id=FIELD, max_length=FORM_LENGTH)
        form.add_item(field)
        form.stop()  # it is answered by its id, also after a restart
        return form

    def _asked_from(self, interaction: discord.Interaction, whose: str | None) -> AskedFrom:
        """For whom a button asks: the place that it stands in, the person, or another place of the same server."""
        person = Destination(Kind.USER, interaction.user.id)
        here = seat_of(interaction)
        assert here is not None
        if whose is None:
            return here
        place = Destination.parse(whose)
        if place.kind is Kind.USER or not here.shared:
            return AskedFrom(person)
        channel = interaction.guild.get_channel_or_thread(place.id) if interaction.guild is not None else None
        may_change = (
            channel is not None
            and isinstance(interaction.user, discord.Member)
            and moderates(channel.permissions_for(interaction.user).value)
        )
        return AskedFrom(place, person, may_change, here.language)

    def _may_post(self, interaction: discord.Interaction, asked_from: AskedFrom) -> bool:
        """Whether the bot may post in a place; what is not known of it is left to the first edition."""
        if not asked_from.shared:
            return True
        guild = interaction.guild
        channel = guild.get_channel_or_thread(asked_from.place.id) if guild is not None else None
        if asked_from.place.id == interaction.channel_id:
            kind = interaction.channel.type.value if interaction.channel is not None else 0
            return may_post(interaction.app_permissions, in_thread=kind in THREADS)
        if guild is None or channel is None:
            return True
        return may_post(channel.permissions_for(guild.me), in_thread=isinstance(channel, discord.Thread))

    async def _note(self, interaction: discord.Interaction, asked_from: AskedFrom, used: Used | None) -> None:
        """Remember what people call a place that was subscribed."""
        assert interaction.guild_id is not None
        named = used.channel if used is not None and used.channel is not None else {}
        name = named.get("name") or getattr(interaction.channel, "name", None) or str(asked_from.place.id)
        server = interaction.guild.name if interaction.guild is not None else ""
        await self._directory.note(asked_from.place, KnownChannel(interaction.guild_id, f"#{name}", server))


def _requester(interaction: discord.Interaction, asked_from: AskedFrom, *, share: bool = False) -> Requester:
    """Who asks, in their own language; for an answer that everybody sees in that of the server."""
    locale = str(interaction.locale)
    if share and asked_from.language is not None:
        locale = asked_from.language
    person = None if asked_from.person is None else str(asked_from.person)
    return Requester(
        Address(CHANNEL, str(asked_from.place)), locale, person, asked_from.may_change, place=asked_from.language
    )


def _alone(interaction: discord.Interaction) -> bool:
    """Whether a person and the bot are among themselves."""
    return interaction.guild_id is None and interaction.context.dm_channel is True


def _command_of(line: str) -> Command | None:
    name = line.partition(" ")[0]
    return Command(name) if name in set(Command) else None


def _written(components: Sequence[Any]) -> str:
    """What was written into the one field of a form."""
    for each in components:
        if each.get("custom_id") == FIELD:
            return " ".join(str(each.get("value") or "").split())
        found = _written([*(each.get("components") or []), *filter(None, [each.get("component")])])
        if found:
            return found
    return ""
