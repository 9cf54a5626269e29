"""Buttons below a message, before and as Telegram takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, SwitchInlineQueryChosenChat

from bot.channel import Memory
from bot.runtime.text import display_width
from channels.telegram.callbacks import Callback, held

WIDEST = 30
"""So many letters fit beside each other on a telephone, buttons' margins taken off."""
A_ROW = 5
LONGEST_LABEL = 64
MOST = 100
"""Buttons of a message; the server refuses more."""


@dataclass(frozen=True, slots=True)
class Button:
    """One button: what it says, and what it does: ask a line, open an address, or begin an inline query elsewhere."""

    label: str
    callback: Callback | None = None
    url: str | None = None
    share: str | None = None


Rows = Sequence[Sequence[Button]]


async def keyboard(rows: Rows, memory: Memory) -> InlineKeyboardMarkup | None:
    """The buttons as Telegram takes them; None where there are none."""
    built = [[await _button(key, memory) for key in row] for row in rows if row]
    return InlineKeyboardMarkup(built) if built else None


def in_rows(keys: Iterable[Button], most: int = A_ROW) -> list[list[Button]]:
    """Keys beside each other as long as their labels fit."""
    rows: list[list[Button]] = []
    room = 0
    for key in list(keys)[:MOST]:
        needs = display_width(key.label) + 2
        if not rows or needs > room or len(rows[-1]) >= most:
            rows.append([])
            room = WIDEST
        rows[-1].append(key)
        room -= needs
    return rows


async def _button(key: Button, memory: Memory) -> InlineKeyboardButton:
    label = key.label if len(key.label) <= LONGEST_LABEL else key.label[: LONGEST_LABEL - 1] + "…"
    if key.url is not None:
        return InlineKeyboardButton(label, url=key.url)
    if key.share is not None:
        anywhere = SwitchInlineQueryChosenChat(
            key.share, allow_user_chats=True, allow_group_chats=True, allow_channel_chats=True
        )
        return InlineKeyboardButton(label, switch_inline_query_chosen_chat=anywhere)
    return InlineKeyboardButton(label, callback_data=await held(key.callback or Callback(""), memory))
