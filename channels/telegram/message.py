"""A page rendered for Telegram: its text, buttons and link preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from telegram import LinkPreviewOptions

from bot.channel import (
    FIRST_PAGE,
    N_,
    CommandName,
    Direction,
    Kind,
    Limits,
    Option,
    Page,
    Preference,
    Template,
    paper_line,
)
from bot.model import ON
from channels.telegram.callbacks import Callback, deep_link
from channels.telegram.chats import ChatAddress
from channels.telegram.copied_citation import citation
from channels.telegram.keyboards import Button, Rows, in_rows
from channels.telegram.markup import entity_count, link_bytes, text_length

LONGEST_TEXT = 4096
"""UTF-16 code units of a message after its markup is parsed (https://core.telegram.org/bots/api#sendmessage)."""
LIMITS = Limits(
    maxima={
        "characters": LONGEST_TEXT,
        "pieces of formatting": 95,  # 100 are shown; links that Telegram finds by itself count as well
        "bytes of links": 9_000,  # of about 10,000, which is documented nowhere
    },
    text=3000,
)
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


PICTURE = Preference(
    "picture", "picture", Kind.SWITCH, N_("preference.picture"), N_("help.picture"), examples=("{on}",)
)
RICH = Preference("rich", "rich", Kind.SWITCH, N_("preference.rich"), N_("help.rich"), examples=("{on}",))


@dataclass(frozen=True)
class TelegramMessage:
    """A page rendered for Telegram. Private chats, groups and channels get different buttons below the same text."""

    page: Page
    text: str
    rich_template: Template
    cloud: str = ""
    """The address of the picture of a week or a month, in place of the first paper's."""
    _rich: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `rich` has rendered, by the picture."""

    def sizes(self) -> Mapping[str, int]:
        return {
            "characters": text_length(self.text),
            "pieces of formatting": entity_count(self.text),
            "bytes of links": link_bytes(self.text),
        }

    def parts(self) -> Mapping[str, str]:
        return {"html": self.text, "rich": self.rich({})}

    def rich(self, extras: Mapping[str, str]) -> str:
        """The page in the markup of rich messages (Bot API 10.1), rendered once, and only if a reader chose it."""
        picture = self._picture(extras)
        if picture not in self._rich:
            self._rich[picture] = self.rich_template(self.page, picture=picture)
        return self._rich[picture]

    def preview(self, extras: Mapping[str, str]) -> LinkPreviewOptions:
        """No preview, or the cloud or the first paper's picture, large and above the text, if the reader chose it."""
        picture = self._picture(extras)
        return LinkPreviewOptions(url=picture, prefer_large_media=True, show_above_text=True) if picture else NO_PREVIEW

    def _picture(self, extras: Mapping[str, str]) -> str:
        """The address of the cloud, else of the first paper's picture; empty where there is none, or none is wanted."""
        picture = self.cloud or (self.page.blocks[0].paper.thumbnail if self.page.blocks else None)
        return picture or "" if extras.get(PICTURE.name) == ON and (picture or "").startswith("https://") else ""

    def rows(
        self,
        chat: ChatAddress,
        username: str,
        *,
        is_channel: bool = False,
        inline: bool = True,
        back: str = "",
        options: Sequence[Option] = (),
    ) -> Rows:
        """The buttons below the message.

        In a private chat they turn the page, and open its papers, in place. In a group that would turn it for
        everybody, so they open the reader's private chat with the bot. Posts of a channel have none.

        Args:
            chat: where the message goes.
            username: the bot's.
            is_channel: whether the chat is a broadcast channel.
            inline: whether inline mode is on, which sharing needs.
            back: the line that shows what this message took the place of.
            options: further buttons, of the reply that the message is part of.
        """
        if is_channel or not self.page.blocks:
            return []
        share = [self._share()] if inline else []
        if chat.is_shared:
            return self._group_rows(username, share)
        more = [Button(option.label, Callback(option.line)) for option in options]
        line = self.page.about.listen
        listen = [Button(self._listens, Callback(line, new_message=True))] if line else []
        last = [*listen, self._settings(), *share]
        return [*self._private_rows(back), *in_rows(more), last]

    def _private_rows(self, back: str) -> Rows:
        page = self.page
        backwards, forwards = ("▶", "◀") if page.direction is Direction.RTL else ("◀", "▶")
        if page.alone:
            way_back = [Button(f"{backwards} {page.labels['back']}", Callback(back))] if back else []
            return [[*way_back, Button(page.labels["cite"], copies=citation(page.blocks[0]))]]
        turns = [
            (backwards, page.paging.previous, page.paging.number - 1),
            (forwards, page.paging.next, page.paging.number + 1),
        ]
        buttons = [Button(self._numbered(sign, n), Callback(line)) for sign, line, n in turns if line is not None]
        if page.direction is Direction.RTL:
            buttons.reverse()
        return [*in_rows(self._openers(self.page.paging.here)), buttons]

    def _numbered(self, sign: str, number: int) -> str:
        """The label of a button that turns to a page: "▶ 2/3"."""
        return f"{sign} {number}/{self.page.paging.pages}" if self.page.paging.pages else sign

    def _openers(self, here: str | None) -> Sequence[Button]:
        """Buttons that open a paper, in place where the line `here` shows the page again."""
        return [
            Button(label, Callback(line, back=here) if here else Callback(line, new_message=True))
            for label, line in self._papers()
        ]

    def _settings(self) -> Button:
        return Button(f"⚙ {self.page.labels['settings']}", Callback(CommandName.SETTINGS, new_message=True))

    def _group_rows(self, username: str, share: Sequence[Button]) -> Rows:
        more = [(f"{self.page.labels['more']} ▶", self.page.paging.next)] if self.page.paging.next else []
        listen = [(self._listens, self.page.about.listen)] if self.page.about.listen else []
        return [*in_rows(_links(username, self._papers())), [*_links(username, [*listen, *more]), *share]]

    @property
    def _listens(self) -> str:
        return f"🎧 {self.page.labels['listen']}"

    def _papers(self) -> Sequence[tuple[str, str]]:
        """Label and command line for the details of each paper; none on a page that shows them already."""
        if self.page.alone:
            return []
        return [(f"#{block.rank}", paper_line(block.paper.id)) for block in self.page.blocks]

    def _share(self) -> Button:
        """Shares an edition by its day, any other page by its first paper."""
        day = self.page.about.day
        query = f"{day}" if day and not self.page.alone else self.page.blocks[0].paper.id
        return Button(f"↗ {self.page.labels['share']}", share=query)


def _links(username: str, lines: Sequence[tuple[str, str]]) -> list[Button]:
    return [Button(label, url=url) for label, line in lines if (url := deep_link(username, line))]


def single_paper(page: Page, index: int) -> Page:
    """A page with one of the page's papers, for sharing. It fits, since the whole page did."""
    block = page.blocks[index]
    alone = replace(page, blocks=[block], paging=FIRST_PAGE)
    return replace(alone, heading="", lead="", notes=(), actions=())
