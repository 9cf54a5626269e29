"""How a subscription stands, in words: where that explains why nothing comes, or when the next edition does."""

from __future__ import annotations

from bot.commands.context import Context
from bot.commands.descriptions import rhythm_in_words
from bot.model import Status


def standing(context: Context) -> str:
    """One sentence about the reader of a case, who is subscribed or was."""
    reader, w = context.reader, context.w
    assert reader is not None
    if reader.status is Status.ACTIVE or (reader.status is Status.PAUSED and not reader.is_paused(context.now)):
        return rhythm_in_words(reader.preferences, w, context.now)
    match reader.status:
        case Status.PAUSED if reader.paused_until is not None:
            return w.gettext(
                "You are paused until {moment}.", moment=w.moment(reader.paused_until, reader.preferences.timezone)
            )
        case Status.PAUSED:
            return w.gettext("You are paused until you resume.")
        case Status.PENDING:
            return w.gettext("Your subscription has not been confirmed yet.")
        case Status.GONE:
            return w.gettext("You could not be reached any more, so sending was stopped. “subscribe” starts it again.")
        case _:
            return w.gettext("You are unsubscribed.")
