"""Topics that a reader types in their own language: the English is stored beside them, or English words are offered.

Papers are in English, so a topic in another script finds next to nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.channel import Option
from bot.channel.preference import Preference
from bot.commands.context import Context
from bot.model import Cadence
from bot.render.brief import themes
from bot.rules.topics import Topic, TopicsError, Where, parse, topic_of
from bot.store import edition_queries

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


async def with_english(context: Context, topics: Sequence[str]) -> tuple[str, ...]:
    """The topics, each new one in another script followed by its English, as far as a model knows it.

    Both forms are topics of their own: shown, and removed one by one.
    """
    known = set(context.preferences.topics)
    new = {each: topic for each in topics if each not in known and (topic := _foreign(each)) is not None}
    if not new:
        return tuple(topics)
    phrases = list(dict.fromkeys(topic.phrase for topic in new.values()))
    english = await context.services.translate(phrases, context.w.language, context.now)
    found: list[str] = []
    for each in topics:
        found.append(each)
        if each in new and (said := english.get(new[each].phrase)):
            found.append(str(replace(new[each], phrase=said)))
    try:
        return parse(", ".join(found))
    except TopicsError:  # too many with the English: those that were typed are kept
        return tuple(topics)


async def english_offers(context: Context, preference: Preference) -> tuple[str, list[Option]]:
    """For topics without English: that papers are in English, and what the latest ones are about, to add by a tap."""
    topics = context.preferences.topics
    behind = [*topics[1:], ""]
    if not any(_foreign(each) and (not then or _foreign(then)) for each, then in zip(topics, behind, strict=True)):
        return "", []
    async with context.store.read() as connection:
        latest = await edition_queries.latest(connection, Cadence.DAY)
    found = themes([ranked.paper for ranked in latest.papers]) if latest else []
    offers = [Option(f"+ {each}", preference.line((*topics, each)), is_value=True) for each in found]
    return context.w.gettext("settings.topics_in_english"), offers


def _foreign(written: str) -> Topic | None:
    """A topic that is written in another script than English, and is no name; None for any other."""
    topic = topic_of(written)
    if topic is None or topic.where in {Where.AUTHOR, Where.ORGANISATION} or _LATIN.search(topic.phrase):
        return None
    return topic if any(character.isalpha() for character in topic.phrase) else None
