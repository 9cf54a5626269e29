"""What each command is for and how it is written, in every language: for help, menus and descriptions."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channel import FOR_OPERATORS, Command, Help, Misread, Option, Reply, Row, ShowSettings, Subscribe, Today
from bot.commands.context import Context
from bot.model import Extra
from bot.render.words import Words


def introduction(w: Words) -> tuple[str, str]:
    """What the newsletter is, in at most 120 characters and in at most 500."""
    return (
        w.gettext("Each day’s AI papers, ranked by readers’ votes, in your language and at your hour."),
        w.gettext(
            "Every weekday 15 to 50 new AI papers are listed and voted on at Hugging Face. Here the list comes to you "
            "each morning, in your language, as briefly or as fully as you like. Subscribing takes one tap, and so "
            "does leaving."
        ),
    )


def purposes(w: Words) -> Mapping[Command, str]:
    """What each command is for, in at most 100 characters, in the order in which they are offered."""
    return {
        Command.TODAY: w.gettext("The papers of today, as far as they are listed"),
        Command.WEEK: w.gettext("The papers of a week, the latest or another"),
        Command.MONTH: w.gettext("The papers of a month, the latest or another"),
        Command.DATE: w.gettext("The edition of a day"),
        Command.TOP: w.gettext("The papers with the most votes of the last days"),
        Command.SEARCH: w.gettext("Find papers by words, authors or organisations"),
        Command.PAPER: w.gettext("All about one paper, by its arXiv number or link"),
        Command.SUBSCRIBE: w.gettext("Get every edition here, at your own hour"),
        Command.SETTINGS: w.gettext("Everything you have chosen, and how to change it"),
        Command.LANGUAGE: w.gettext("Choose the language"),
        Command.STYLE: w.gettext("Choose how much is said about each paper"),
        Command.COUNT: w.gettext("Choose how many papers an edition has"),
        Command.VOTES: w.gettext("Choose how many votes a paper needs"),
        Command.TOPICS: w.gettext("Choose what you want to read about, and what not"),
        Command.TIME: w.gettext("Choose the hour at which editions come"),
        Command.WEEKDAYS: w.gettext("Choose the days of the week on which editions come"),
        Command.ZONE: w.gettext("Choose your time zone, by a city or a country"),
        Command.CADENCE: w.gettext("Choose whether editions come each day, week or month"),
        Command.PICTURE: w.gettext("Choose whether the first paper’s picture stands above an edition"),
        Command.RICH: w.gettext("Choose the richer layout, which only new apps show"),
        Command.SILENT: w.gettext("Choose whether editions come without a sound"),
        Command.THREAD: w.gettext("Choose whether each edition gets a thread of its own"),
        Command.PING: w.gettext("Choose a role that is mentioned with each edition"),
        Command.PUBLISH: w.gettext("Choose whether editions are passed on to the channels that follow this one"),
        Command.PAUSE: w.gettext("Get nothing for a while"),
        Command.RESUME: w.gettext("End a pause"),
        Command.WHY: w.gettext("Why an edition came, or did not come"),
        Command.EXPORT: w.gettext("Get all that is stored about you, as a file"),
        Command.FORGET: w.gettext("Erase all that is stored about you"),
        Command.UNSUBSCRIBE: w.gettext("Get no more editions"),
        Command.PRIVACY: w.gettext("What is stored about you, and what is not"),
        Command.HELP: w.gettext("What you can ask, and how"),
        Command.STATS: w.gettext("Readers, editions and channels at a glance"),
        Command.BROADCAST: w.gettext("Send words of your own to every reader"),
    }


def examples(command: Command, w: Words) -> list[str]:
    """How a command that takes something is written, as a reader would type it."""
    topic = w.pgettext("an example of a topic", "diffusion")
    other = w.pgettext("an example of another topic", "robotics")
    city = w.pgettext("an example of a city", "Berlin")
    words = w.pgettext("an example of an announcement", "We are moving on Sunday.")
    return {
        Command.WEEK: ["week 2026-W18"],
        Command.MONTH: ["month 2026-04"],
        Command.DATE: ["date 2026-04-29"],
        Command.TOP: ["top 7"],
        Command.SEARCH: [f"search {topic}"],
        Command.PAPER: ["paper 2604.12345"],
        Command.LANGUAGE: ["language ko"],
        Command.STYLE: ["style abstract"],
        Command.COUNT: ["count 5", f"count {w.pgettext('typed for every paper', 'all')}"],
        Command.VOTES: ["votes 10"],
        Command.TOPICS: [
            f"topics {topic}, -{other}",
            "topics author:Hinton, org:DeepMind, keyword:RL",
            f"topics {w.pgettext('typed for no topics', 'none')}",
        ],
        Command.TIME: ["time 7:30"],
        Command.WEEKDAYS: [f"weekdays {w.weekday(0)}-{w.weekday(4)}"],
        Command.ZONE: [f"zone {city}", "zone Asia/Seoul", "zone +9"],
        Command.CADENCE: ["cadence week"],
        Command.PICTURE: [f"picture {w.pgettext('a switch', 'on')}"],
        Command.RICH: [f"rich {w.pgettext('a switch', 'on')}"],
        Command.SILENT: [f"silent {w.pgettext('a switch', 'on')}"],
        Command.THREAD: [f"thread {w.pgettext('a switch', 'on')}"],
        Command.PING: [f"ping {w.pgettext('a switch', 'off')}"],
        Command.PUBLISH: [f"publish {w.pgettext('a switch', 'on')}"],
        Command.PAUSE: ["pause", "pause 7", "pause 2026-12-24"],
        Command.WHY: ["why 2026-04-29"],
        Command.BROADCAST: [f"broadcast {words}", f"broadcast telegram: {words}"],
    }.get(command, [])


def help_(context: Context, request: Help | Misread) -> Reply:
    """What can be asked; or how one command is written, after one that made no sense, too."""
    w = context.w
    wrong = isinstance(request, Misread)
    if request.of is None:
        unknown = {Command(extra) for extra in Extra if extra not in context.offered}
        if not context.is_operator:
            unknown |= FOR_OPERATORS
        rows = [
            Row(command.value, purpose, Help(command))
            for command, purpose in purposes(w).items()
            if command not in unknown
        ]
        first = w.gettext("That was not understood. This is what you can ask:") if wrong else w.gettext("You can ask:")
        offer = Option(w.gettext("Settings"), ShowSettings()) if context.is_reading else subscribe_option(w)
        return context.reply(
            first, rows=rows, options=[Option(w.gettext("Papers of today"), Today()), offer], ok=not wrong
        )
    written = examples(request.of, w)
    return context.reply(
        w.gettext("That was not understood.") if wrong else "",
        w.gettext("{command}: {purpose}.", command=request.of.value, purpose=purposes(w)[request.of]),
        w.gettext("Write it like this: {examples}", examples="  ·  ".join(written)) if written else "",
        options=[Option(w.gettext("All commands"), Help())],
        ok=not wrong,
    )


def subscribe_option(w: Words) -> Option:
    """The way in."""
    return Option(w.gettext("Subscribe"), Subscribe())
