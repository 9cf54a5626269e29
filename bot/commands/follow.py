"""The command `follow`: asks whether papers about a topic are wanted. Links on web pages lead to it.

It changes nothing itself, since anybody can make such a link; its button does.
"""

from __future__ import annotations

from bot.channel import CommandName, Option, Reply, command_line
from bot.channel.command_lines import ABOUT
from bot.channel.preference import N_, Kind
from bot.commands.autocomplete import suggest_topics
from bot.commands.command import Command, MisreadError, Typed, understood
from bot.commands.context import Context
from bot.commands.preference_commands import preview_topics
from bot.commands.subscription import settings_option
from bot.rules.preferences import PREFERENCES
from bot.rules.topics import TopicsError, parse, topic_of

TOPICS = next(each for each in PREFERENCES if each.kind is Kind.TOPICS)


def parse_follow(typed: Typed) -> tuple[str, ...]:
    """The topics. Raises MisreadError for none, or too many."""
    try:
        return understood(parse(typed.words) or None)
    except TopicsError:
        raise MisreadError from None


async def follow(context: Context, topics: tuple[str, ...]) -> Reply:
    """Ask whether to follow topics, and show what they would have brought."""
    w, named = context.w, context.w.names([_plain(each) for each in topics])
    said, rows = await preview_topics(context, topics)
    if not context.is_reading:
        line = command_line(CommandName.SUBSCRIBE, ABOUT, ", ".join(topics))
        options = [Option(w.gettext("follow.subscribe"), line)]
        return context.reply(w.gettext("follow.question", topics=named), said, rows=rows, options=options)
    has = context.preferences.topics
    if set(topics) <= set(has):
        return context.reply(w.gettext("follow.already", topics=named), said, rows=rows, options=[settings_option(w)])
    try:
        wanted = parse(", ".join([*has, *topics]))
    except TopicsError:
        return context.reply(w.gettext("follow.too_many"), options=[settings_option(w)], ok=False)
    label = w.gettext("follow.add") if has else w.gettext("follow.only")
    options = [Option(label, TOPICS.line(wanted)), settings_option(w)]
    return context.reply(w.gettext("follow.question", topics=named), said, rows=rows, options=options)


def _plain(written: str) -> str:
    """A topic as people say it, without where it is looked for: `keyword:agents` is "agents"."""
    topic = topic_of(written)
    return written if topic is None or topic.unwanted else topic.phrase


COMMANDS = (
    Command(
        CommandName.FOLLOW,
        N_("help.follow"),
        parse_follow,
        follow,
        examples=("{wanted}", "author:Hinton"),
        suggest=suggest_topics,
        argument="topics",
    ),
)
