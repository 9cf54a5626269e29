"""Inline keyboards: buttons as data, laid out in rows, and as Telegram takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, SwitchInlineQueryChosenChat

from bot.channel import Memory
from bot.runtime.text import display_width
from channels.telegram.callbacks import Callback, encode

ROW_WIDTH = 30
"""Letters that fit side by side on a phone, without the buttons' margins."""
ROW_BUTTONS = 5  # buttons in a row
LONGEST_LABEL = 64  # characters
MOST_BUTTONS = 100
"""Buttons of one message; the server refuses more."""


@dataclass(frozen=True, slots=True)
class Button:
    """One button: a label, and a command line, a URL, an inline query to share or a text to copy as what it does."""

    label: str
    callback: Callback | None = None
    url: str | None = None
    share: str | None = None
    copies: str | None = None


Rows = Sequence[Sequence[Button]]


async def keyboard(rows: Rows, memory: Memory) -> InlineKeyboardMarkup | None:
    """The rows as Telegram takes them; None without buttons."""
    built = [[await _button(button, memory) for button in row] for row in rows if row]
    return InlineKeyboardMarkup(built) if built else None


def in_rows(buttons: Iterable[Button]) -> list[list[Button]]:
    """Lay buttons out in rows of at most `ROW_BUTTONS`, as long as their labels fit."""
    rows: list[list[Button]] = []
    room = 0
    for button in list(buttons)[:MOST_BUTTONS]:
        needed = display_width(button.label) + 2
        if not rows or needed > room or len(rows[-1]) >= ROW_BUTTONS:
            rows.append([])
            room = ROW_WIDTH
        rows[-1].append(button)
        room -= needed
    return rows


async def _button(button: Button, memory: Memory) -> InlineKeyboardButton:
    label = button.label if len(button.label) <= LONGEST_LABEL else button.label[: LONGEST_LABEL - 1] + "…"
    if button.url is not None:
        return InlineKeyboardButton(label, url=button.url)
    if button.share is not None:
        any_chat = SwitchInlineQueryChosenChat(
            button.share, allow_user_chats=True, allow_group_chats=True, allow_channel_chats=True
        )
        return InlineKeyboardButton(label, switch_inline_query_chosen_chat=any_chat)
    if button.copies is not None:
        return InlineKeyboardButton(label, copy_text=CopyTextButton(button.copies))
    return InlineKeyboardButton(label, callback_data=await encode(button.callback or Callback(""), memory))
