"""A page as a message of Telegram's: its text, its buttons, its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from telegram import LinkPreviewOptions

from bot.channel import Direction, Limits, Page, ShowPaper, ShowSettings, Template, written
from bot.model import ON, Extra
from channels.telegram.callbacks import Callback, link
from channels.telegram.chats import ChatAddress
from channels.telegram.keyboards import Button, Rows, in_rows
from channels.telegram.markup import entities, link_bytes, units

LIMITS = Limits(
    maxima={
        "characters": 4096,  # after its markup was read, in UTF-16 units: core.telegram.org/bots/api#sendmessage
        "pieces of formatting": 95,  # 100 are shown; links that Telegram finds by itself count as well
        "bytes of links": 9_000,  # of about 10,000, which no document states
    },
    text=3000,
)
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True)
class TelegramMessage:
    """A page composed for Telegram. In a group or a channel it differs in its buttons alone."""

    page: Page
    text: str
    in_rich: Template

    def sizes(self) -> Mapping[str, int]:
        return {
            "characters": units(self.text),
            "pieces of formatting": entities(self.text),
            "bytes of links": link_bytes(self.text),
        }

    def parts(self) -> Mapping[str, str]:
        return {"html": self.text, "rich": self.rich}

    @cached_property
    def rich(self) -> str:
        """The same in the richer markup of Bot API 10.1; made only where a reader wants it."""
        return self.in_rich(self.page)

    def preview(self, extras: Mapping[Extra, str]) -> LinkPreviewOptions:
        """No preview, or the first paper's picture, large, above the text."""
        picture = self.page.blocks[0].paper.thumbnail if self.page.blocks else None
        if extras.get(Extra.PICTURE) != ON or not (picture or "").startswith("https://"):
            return NO_PREVIEW
        return LinkPreviewOptions(url=picture, prefer_large_media=True, show_above_text=True)

    def rows(self, place: ChatAddress, username: str, *, is_channel: bool = False, inline: bool = True) -> Rows:
        """The buttons that make sense where it is shown.

        One's own chat turns the page in place. A page turned in a group would be turned for everybody, so what is more
        is opened in the reader's own chat with the bot; under a channel's posts there is nothing of the kind. Without
        `inline` mode nothing can be put into other chats.
        """
        if is_channel or not self.page.blocks:
            return []
        share = [self._share()] if inline else []
        return self._in_a_group(username, share) if place.is_shared else self._in_private(share)

    def _in_private(self, share: Sequence[Button]) -> Rows:
        turns = [Button(sign, Callback(line)) for sign, line in self._signs() if line is not None]
        settings = Button(f"⚙ {self.page.labels['settings']}", Callback(written(ShowSettings()), apart=True))
        papers = [Button(label, Callback(line, apart=True)) for label, line in self._papers()]
        return [*in_rows(papers), turns, [settings, *share]]

    def _in_a_group(self, username: str, share: Sequence[Button]) -> Rows:
        more = [(f"{self.page.labels['more']} ▶", self.page.next)] if self.page.next else []
        papers = [Button(label, url=url) for label, line in self._papers() if (url := link(username, line))]
        turns = [Button(label, url=url) for label, line in more if (url := link(username, line))]
        return [*in_rows(papers), [*turns, *share]]

    def _papers(self) -> Sequence[tuple[str, str]]:
        """For each paper, what asks for all there is to say about it; nothing where it is said already."""
        if self.page.alone:
            return []
        return [(f"#{block.rank}", written(ShowPaper(block.paper.id))) for block in self.page.blocks]

    def _signs(self) -> Sequence[tuple[str, str | None]]:
        """◀ leads to the papers before, ▶ to those behind; the other way round where one reads from right to left."""
        before, behind = self.page.previous, self.page.next
        if self.page.direction is Direction.RTL:
            return [("◀", behind), ("▶", before)]
        return [("◀", before), ("▶", behind)]

    def _share(self) -> Button:
        """An edition is passed on by its day, anything else by its first paper."""
        query = f"{self.page.day}" if self.page.day and not self.page.alone else self.page.blocks[0].paper.id
        return Button(f"↗ {self.page.labels['share']}", share=query)


def cut(page: Page, place: int) -> Page:
    """The page of one of a page's papers by itself, to be put into another chat; it fits, since the whole page did."""
    block = page.blocks[place]
    return replace(page, heading="", lead="", notes=(), actions=(), blocks=[block], next=None, previous=None, more=None)
