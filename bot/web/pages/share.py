"""Links that share a page: plain links to where people write, which contact nobody until they are opened. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from bot.channel import Link
from bot.render.words import Words

EVERYWHERE = {
    "Telegram": "https://t.me/share/url?url={url}&text={title}",
    "X": "https://x.com/intent/post?url={url}&text={title}",
    "Bluesky": "https://bsky.app/intent/compose?text={title}%20{url}",
    "LinkedIn": "https://www.linkedin.com/sharing/share-offsite/?url={url}",
}
"""Services by name, and where each takes a page's address and title."""
IN_LANGUAGE = {
    "ar": {"WhatsApp": "https://wa.me/?text={title}%20{url}"},
    "ja": {"LINE": "https://social-plugins.line.me/lineit/share?url={url}"},
    "ko": {"Naver": "https://share.naver.com/web/shareView?url={url}&title={title}"},
    "zh-Hans": {"微博": "https://service.weibo.com/share/share.php?url={url}&title={title}"},
    "zh-Hant": {"LINE": "https://social-plugins.line.me/lineit/share?url={url}"},
}
"""Services of those who read a language, which come first."""


def share_links(w: Words, title: str, url: str) -> Sequence[Link]:
    """Links that share the page at an absolute URL."""
    found = IN_LANGUAGE.get(w.language, {}) | EVERYWHERE
    filled = {"title": quote(title, safe=""), "url": quote(url, safe="")}
    mail = f"mailto:?subject={filled['title']}&body={filled['url']}"
    return [
        *(Link(name, there.format_map(filled)) for name, there in found.items()),
        Link(w.gettext("share.email"), mail),
    ]
