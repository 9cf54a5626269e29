"""Paid broadcasts: more than the free rate, for Stars (https://core.telegram.org/bots/api#paid-broadcasts).

Telegram charges 0.1 Stars for each message beyond 30 a second, up to 1,000 a second, and lets only bots do that which
have a balance and readers enough. What it answers to one that may not, or not any more, is not documented: a 429 as
without payment, or a refusal that speaks of the balance. Both end paying for a while, and neither costs a reader.
"""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.channel import Deferred, Finding, Paid, Rate
from channels.telegram import errors
from channels.telegram.settings import Settings

RATE = 1000
"""Messages a second, those that are free included (https://core.telegram.org/bots/api#sendmessage)."""
PRICE, CURRENCY = 0.1, "Stars"
LEAST_BALANCE, LEAST_USERS = 100_000, 100_000
"""Stars that a bot has to have, and people who use it in a month, before Telegram offers paid broadcasts to it."""
PAID_CONCURRENCY = 200
"""Sends in flight at once: 1,000 a second need as many as that at 200 ms for each."""
ABOUT_MONEY = ("balance_too_low", "balance is too low", "not enough stars", "stars balance", "payment_required")
NOT_PAID = "Telegram takes no Stars for it now"


def paid_broadcasts(settings: Settings) -> Paid | None:
    """What may be paid for; None unless the operator wants it."""
    if settings.paid == "no":
        return None
    return Paid(Rate(max(1, RATE - settings.rate)), settings.paid_daily, PRICE, CURRENCY)


def unpaid(error: TelegramError) -> Deferred | None:
    """The outcome of a paid message that was refused for want of money; None for any other refusal."""
    if isinstance(error, BadRequest | Forbidden) and errors.mentions(error, *ABOUT_MONEY):
        return Deferred(NOT_PAID, retry_after=1.0, unpaid=True)
    return None


async def balance_findings(bot: Bot, account: str) -> Sequence[Finding]:
    """What `papers doctor` says of the Stars of a bot whose token is valid."""
    try:
        balance = (await bot.get_my_star_balance()).amount
    except InvalidToken:  # the library's word for any 404, so for a method that a Bot API server of one's own has not
        says = (
            "its Bot API server is too old to tell its balance of Stars (getMyStarBalance): update it to see that here"
        )
        return [Finding(account, True, says, advice=True)]
    except TelegramError as error:
        return [Finding(account, False, f"its balance of Stars could not be asked ({errors.reason(error)})")]
    says = f"has {balance:,} Stars"
    if balance < LEAST_BALANCE:
        needs = f"{LEAST_BALANCE:,} Stars and {LEAST_USERS:,} monthly users"
        return [
            Finding(account, True, f"{says}; paid broadcasts need {needs}, until then editions go free", advice=True)
        ]
    return [Finding(account, True, says)]
