"""What each menu says and offers."""

from __future__ import annotations

from collections.abc import Callable

from bot.channel import Change, Command, Option
from bot.commands.context import Context
from bot.commands.descriptions import cadences, count, styles, switched, weekdays
from bot.model import ALL_PAPERS, ALL_WEEK, OFF, ON, Extra
from bot.render import zones
from bot.render.typed_values import WORKING_DAYS
from bot.render.words import languages, own_name
from bot.rules.topics import LONGEST_TOPIC, MOST_TOPICS

COUNTS = (3, 5, 10, 15, 20, 30, 50, ALL_PAPERS)
VOTES = (0, 1, 5, 10, 20, 50)
HOURS = tuple(hour * 60 for hour in (6, 7, 8, 9, 10, 12, 15, 18, 20, 21))


def zone_option(context: Context, zone: zones.Zone) -> Option:
    """A zone to tap, with the time that its clocks show, by which people know it."""
    label = context.w.gettext("{zone}, now {time}", zone=zone, time=context.w.time(context.now, zone.name))
    return Option(label, Change(timezone=zone.name), zone.name == context.preferences.timezone)


def _language(context: Context) -> tuple[str, list[Option]]:
    chosen = context.preferences.language
    return "", [Option(own_name(tag), Change(language=tag), tag == chosen) for tag in languages()]


def _style(context: Context) -> tuple[str, list[Option]]:
    chosen, names = context.preferences.style, styles(context.w)
    return "", [Option(names[style][0], Change(style=style), style is chosen) for style in context.styles]


def _count(context: Context) -> tuple[str, list[Option]]:
    chosen = context.preferences.papers
    return "", [Option(count(papers, context.w), Change(papers=papers), papers == chosen) for papers in COUNTS]


def _votes(context: Context) -> tuple[str, list[Option]]:
    chosen, w = context.preferences.min_votes, context.w
    hint = w.gettext("A paper with fewer votes when the edition closes is left out.")
    return hint, [Option(w.number(votes), Change(min_votes=votes), votes == chosen) for votes in VOTES]


def _topics(context: Context) -> tuple[str, list[Option]]:
    topics, w = context.preferences.topics, context.w
    hint = w.gettext(
        "Write “topics” and words or phrases, with commas between; a minus leaves out: topics {wanted}, -{unwanted}. "
        "author:, org: and keyword: look in that place alone. At most {most} topics of {longest} characters.",
        wanted=w.pgettext("an example of a topic", "diffusion"),
        unwanted=w.pgettext("an example of another topic", "robotics"),
        most=w.number(MOST_TOPICS),
        longest=w.number(LONGEST_TOPIC),
    )
    rest: list[tuple[str, tuple[str, ...]]] = [
        (topic, tuple(each for each in topics if each != topic)) for topic in topics
    ]
    options = [Option(w.gettext("Remove {topic}", topic=topic), Change(topics=left)) for topic, left in rest]
    if len(topics) > 1:
        options.append(Option(w.gettext("Remove all"), Change(topics=())))
    return hint, options


def _time(context: Context) -> tuple[str, list[Option]]:
    chosen, w = context.preferences.hour, context.w
    hint = w.gettext("For any quarter of an hour, write “time” and the hour: time 7:45")
    return hint, [Option(w.clock(hour), Change(hour=hour), hour == chosen) for hour in HOURS]


def _weekdays(context: Context) -> tuple[str, list[Option]]:
    chosen, w = context.preferences.weekdays, context.w
    options = []
    for day in range(7):
        toggled = chosen ^ 1 << day
        options.append(Option(w.weekday(day), Change(weekdays=toggled or 1 << day), bool(chosen >> day & 1)))
    options.append(Option(weekdays(WORKING_DAYS, w), Change(weekdays=WORKING_DAYS), chosen == WORKING_DAYS))
    options.append(Option(weekdays(ALL_WEEK, w), Change(weekdays=ALL_WEEK), chosen == ALL_WEEK))
    return w.gettext(
        "A tap adds a day or takes it away. What closes on other days comes on the next of yours."
    ), options


def _zone(context: Context) -> tuple[str, list[Option]]:
    hint = context.w.gettext(
        "Write “zone” and a city, a country or an offset: zone {city}",
        city=context.w.pgettext("an example of a city", "Berlin"),
    )
    guessed = zones.guess(context.requester.locale)
    near = list(zones.neighbours(context.requester.locale, context.w.language))
    if guessed is not None and guessed not in {each.name for each in near}:
        near.insert(0, zones.zone(guessed, context.w.language))
    return hint, [zone_option(context, each) for each in near]


def extra(context: Context, of: Extra) -> tuple[str, list[Option]]:
    """What there is to choose for one of the channel's extras."""
    chosen, w = context.extras.get(of, OFF), context.w
    values = (OFF,) if of is Extra.PING else (ON, OFF)
    hint = w.gettext("Write “ping” and the role that is to be mentioned.") if of is Extra.PING else ""
    return hint, [Option(switched(value, w), Change(extra=(of, value)), value == chosen) for value in values]


def _cadence(context: Context) -> tuple[str, list[Option]]:
    chosen = context.preferences.cadence
    return "", [
        Option(name, Change(cadence=cadence), cadence is chosen) for cadence, name in cadences(context.w).items()
    ]


MENUS: dict[Command, Callable[[Context], tuple[str, list[Option]]]] = {
    Command.LANGUAGE: _language,
    Command.STYLE: _style,
    Command.COUNT: _count,
    Command.VOTES: _votes,
    Command.TOPICS: _topics,
    Command.TIME: _time,
    Command.WEEKDAYS: _weekdays,
    Command.ZONE: _zone,
    Command.CADENCE: _cadence,
}
