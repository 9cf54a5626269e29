"""The command `help`, and the introduction that channels show to people who have not written yet."""

from __future__ import annotations

from typing import Any

from bot.channel import CommandName, Option, Reply, Row, Suggestion, command_line
from bot.channel.preference import N_
from bot.commands.autocomplete import containing
from bot.commands.command import Audience, Command, Typed
from bot.commands.context import Context
from bot.commands.subscription import settings_option, subscribe_option
from bot.render.words import Words


def introduction(w: Words) -> tuple[str, str]:
    """What the newsletter is, in at most 120 characters and in at most 500."""
    return (
        w.gettext("newsletter.tagline"),
        w.gettext("newsletter.description"),
    )


def parse_help(typed: Typed) -> str:
    """The name of a command, perhaps with a slash, in lower case."""
    return typed.words.lstrip("/").casefold()


async def show_help(context: Context, name: str) -> Reply:
    """Explain one command, or list all where `name` is none that the requester may know of."""
    command = context.commands.get(name)
    return _list(context) if command is None else _explain(context, command)


def misread(context: Context, command: Command[Any] | None) -> Reply:
    """Help after a line that made no sense: with the command that was meant, None where none was."""
    says = context.w.gettext("help.not_understood")
    return _list(context, misread=True) if command is None else _explain(context, command, says)


def _list(context: Context, *, misread: bool = False) -> Reply:
    w = context.w
    listed = [each.info(w) for each in context.commands.values()]
    rows = [Row(each.name, each.purpose, command_line(CommandName.HELP, each.name)) for each in listed]
    first = w.gettext("help.not_understood_list") if misread else w.gettext("help.list")
    offer = settings_option(w) if context.is_reading else subscribe_option(w)
    today = Option(w.gettext("help.button_today"), CommandName.TODAY)
    return context.reply(first, rows=rows, options=[today, offer], ok=not misread)


def _explain(context: Context, command: Command[Any], misread: str = "") -> Reply:
    w, examples = context.w, command.lines(context.w)
    return context.reply(
        misread,
        w.gettext("help.command_purpose", command=command.name, purpose=w.gettext(command.purpose)),
        w.gettext("help.usage", examples="  ·  ".join(examples)) if examples else "",
        options=[Option(w.gettext("help.button_all"), CommandName.HELP)],
        ok=not misread,
    )


async def _suggest(context: Context, typed: str) -> list[Suggestion]:
    listed = [each.info(context.w) for each in context.commands.values()]
    return containing([Suggestion(f"{each.name}: {each.purpose}", each.name) for each in listed], typed)


COMMANDS = (
    Command(
        CommandName.HELP,
        N_("help.help"),
        parse_help,
        show_help,
        suggest=_suggest,
        argument="command",
        audience=Audience.EVERYBODY,
    ),
)
