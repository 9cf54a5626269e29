"""The command `help`, and the introduction that channels show to people who have not written yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channel import CommandName, Option, Reply, Row, Suggestion, command_line
from bot.channel.preference import N_
from bot.commands.autocomplete import containing
from bot.commands.command import Audience, Command, Typed
from bot.commands.context import Context
from bot.commands.subscription import settings_option, subscribe_option
from bot.model import Style
from bot.render.catalogue import DEFAULT
from bot.render.words import Words


def introduction(w: Words, styles: Sequence[Style]) -> tuple[str, str]:
    """A description of the newsletter, in at most 120 characters and in at most 500.

    Where no model translates the papers, readers of other languages are told that these come in English.
    """
    description = w.gettext("newsletter.description")
    if w.language != DEFAULT and Style.TRANSLATION not in styles:
        description = w.gettext("newsletter.description_papers_in_english", description=description)
    return w.gettext("newsletter.tagline"), description


def parse_help(typed: Typed) -> str:
    """The name of a command, perhaps with a slash, in lower case."""
    return typed.words.lstrip("/").casefold()


async def show_help(context: Context, name: str) -> Reply:
    """Explain one command, or list all where `name` is none that the requester may know of."""
    command = context.commands.get(name)
    return _list(context) if command is None else _explain(context, command)


def misread(context: Context, command: Command[Any] | None) -> Reply:
    """A reply to a line that made no sense: help with the command that was meant, else three things to do."""
    says = context.w.gettext("help.not_understood")
    if command is not None:
        return _explain(context, command, says)
    return context.reply(says, options=[*_first_steps(context), _all_option(context.w)], ok=False)


def _list(context: Context) -> Reply:
    w = context.w
    rows = [
        Row(each.name, w.gettext(each.purpose), command_line(CommandName.HELP, each.name), w.gettext(each.group))
        for each in context.commands.values()
    ]
    return context.reply(w.gettext("help.list"), rows=rows, options=_first_steps(context))


def _first_steps(context: Context) -> list[Option]:
    """The two things that most people want: today's papers, and to subscribe or to change their settings."""
    offer = settings_option(context.w) if context.is_reading else subscribe_option(context.w)
    return [Option(context.w.gettext("help.button_today"), CommandName.TODAY), offer]


def _all_option(w: Words) -> Option:
    return Option(w.gettext("help.button_all"), CommandName.HELP)


def _explain(context: Context, command: Command[Any], misread: str = "") -> Reply:
    w = context.w
    examples = [context.typed(line) for line in command.lines(w)]
    return context.reply(
        misread,
        w.gettext("help.command_purpose", command=context.typed(command.name), purpose=w.gettext(command.purpose)),
        w.gettext("help.usage", examples="  ·  ".join(examples)) if examples else "",
        options=[_all_option(w)],
        ok=not misread,
    )


def greeting(context: Context) -> Reply:
    """Answer somebody who says hello."""
    options = [*_first_steps(context), _all_option(context.w)]
    return context.reply(context.w.gettext("help.greeting"), options=options)


async def _suggest(context: Context, typed: str) -> list[Suggestion]:
    listed = [each.info(context.w) for each in context.commands.values()]
    return containing([Suggestion(f"{context.typed(each.name)}: {each.purpose}", each.name) for each in listed], typed)


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
