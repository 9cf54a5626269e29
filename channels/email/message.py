"""A page as a mail: rendered and serialised once; what differs per reader is put into its places when it is sent.

The two bodies are quoted-printable (RFC 2045 section 6.7), so that no relay ever has to change them under a
signature. A place is a line of its own between two soft breaks: whatever comes there changes nothing around it.
"""

from __future__ import annotations

import binascii
import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from css_inline import CSSInliner

from bot.channel import Kit, Page
from bot.runtime.text import without_controls
from channels.email.address import Mailbox
from channels.email.headers import header, mailbox_header, text_header
from channels.email.plain_text import wrap

UNSUBSCRIBE, SETTINGS, WEB = "unsubscribe", "settings", "web"
PLACES = (UNSUBSCRIBE, SETTINGS, WEB)
MOST_HTML = 90_000
"""Bytes of HTML: Gmail hides what comes after about 102 kB, and with it the link to unsubscribe."""
ROOM = 200
"""Bytes that are kept free for each link."""
SENDER_ID = "morningpapers"
"""Ours in Feedback-ID, last, the same in every mail (https://support.google.com/mail/answer/6254652)."""
SUBJECT = 100
"""Characters of a notice that is its own subject."""
LISTS = "https://huggingface.co/papers"

_INLINER = CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_MARK = f"place-{secrets.token_hex(8)}-"
"""Stands in a rendered body where a link goes. No stranger's text can hold it: it is drawn anew at every start."""
_MARKS = re.compile(rf"{_MARK}({'|'.join(PLACES)})")
_SPACE_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")

Body = tuple[bytes | str, ...]
"""Bytes as they go over the wire, and between them the names of places."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One variant, ready to be sent to anybody."""

    text: str
    html: str
    headers: bytes
    """The header lines that are the same for everybody."""
    body: Body = field(repr=False)
    is_letter: bool = False
    """Whether it belongs to no subscription, so that there is nothing to unsubscribe from."""

    def sizes(self) -> Mapping[str, int]:
        links = len(_MARKS.findall(self.html))
        return {"bytes of HTML": len(_MARKS.sub("", self.html).encode()) + links * ROOM}

    def parts(self) -> Mapping[str, str]:
        return {"text": _MARKS.sub(_shown, self.text), "html": _MARKS.sub(_shown, self.html)}

    def filled(self, links: Mapping[str, str]) -> list[bytes]:
        """The body with a reader's links in their places."""
        places = {name: quoted(links[name].encode()) + SOFT for name in PLACES if name in links}
        return [part if isinstance(part, bytes) else places[part] for part in self.body]


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes mails of pages. Pure but for the boundary, which is as good as any."""

    sender: Mailbox
    reply_to: Mailbox | None
    kit: Kit

    def compose(self, page: Page, *, letter: bool = False) -> Mail:
        """Render and serialise. A `letter` belongs to no subscription."""
        public = self.kit.links.public is not None and page.day is not None
        places = {
            UNSUBSCRIBE: "" if letter else f"{_MARK}{UNSUBSCRIBE}",
            SETTINGS: f"{_MARK}{SETTINGS}" if self.kit.links.public is not None and not letter else "",
            WEB: f"{_MARK}{WEB}" if public else "",
        }
        more: dict[str, object] = {**places, "list": _list(page), "letter": letter}
        text = wrap(_whole(self.kit.template("email/edition.txt", without_controls)(page, **more)))
        rendered = _whole(self.kit.template("email/edition.html", None)(page, **more))
        markup = _SPACE_BETWEEN_TAGS.sub(">\n<", _INLINER.inline(rendered))
        boundary = f"=_{secrets.token_hex(12)}"  # "=_" never stands in quoted-printable
        headers = self._headers(page, boundary, letter=letter)
        return Mail(text, markup, headers, _alternatives(text, markup, boundary), letter)

    def _headers(self, page: Page, boundary: str, *, letter: bool) -> bytes:
        product = page.labels["product"]
        sender = self.sender if self.sender.name else Mailbox(self.sender.address, product)
        domain = self.sender.domain
        public = self.kit.links.public
        answers = self.reply_to or self.sender
        lines = [
            mailbox_header("From", sender),
            text_header("Subject", _subject(page)),
            b"MIME-Version: 1.0\r\n",
            header("Content-Type", "multipart/alternative;", f'boundary="{boundary}"'),
            header("Content-Language", page.language),
            header("Auto-Submitted", "auto-generated"),
        ]
        if self.reply_to is not None:
            lines.append(mailbox_header("Reply-To", self.reply_to))
        if letter:
            return b"".join(lines)
        lines += [
            mailbox_header("List-Id", Mailbox(f"morning-papers.{domain}", product)),
            header("List-Help", f"<mailto:{answers.address}?subject=help>"),
            b"List-Post: NO\r\n",
            header("Feedback-ID", f"{page.slug}:{page.style.value}:{page.language}:{SENDER_ID}"),
        ]
        if public is not None:
            lines.append(header("List-Archive", f"<{public}/>"))
        return b"".join(lines)


def _whole(text: str) -> str:
    """Text without half characters, which cannot be written down."""
    return text.encode("utf-8", "replace").decode()


def quoted(text: bytes) -> bytes:
    """Quoted-printable lines with CRLF, dot-stuffed (RFC 5321 section 4.5.2), room for a soft break after the last.

    A CR that stands alone is the end of a line as well: on the wire it would be for some, and not for others.
    """
    ends = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = binascii.b2a_qp(ends, quotetabs=False).replace(b"\n", b"\r\n")
    start = lines.rfind(b"\n") + 1
    if len(lines) - start > LONGEST_LINE - 1:
        cut = len(lines) - 1
        while b"=" in lines[cut - 2 : cut]:  # never inside of =E2
            cut -= 1
        lines = lines[:cut] + SOFT + lines[cut:]
    return _LEADING_DOT.sub(b"..", lines)


SOFT = b"=\r\n"
LONGEST_LINE = 76
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


def _alternatives(text: str, markup: str, boundary: str) -> Body:
    """The two bodies with their places, and the lines between."""
    line = boundary.encode()
    pieces: list[bytes | str] = [b"\r\n"]
    for kind, content in (("plain", text), ("html", markup)):
        pieces.append(
            b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            % (line, kind.encode())
        )
        pieces += _in_places(content.strip("\n"))
        pieces.append(b"\r\n")
    pieces.append(b"--%b--\r\n" % line)
    return _joined(pieces)


def _in_places(content: str) -> list[bytes | str]:
    pieces: list[bytes | str] = []
    for number, piece in enumerate(_MARKS.split(content)):
        if number % 2:
            pieces.append(piece)
        elif piece:
            pieces.append(quoted(piece.encode()) + SOFT)
    if pieces and isinstance(pieces[-1], bytes):
        pieces[-1] = pieces[-1].removesuffix(SOFT)
    return pieces


def _joined(pieces: list[bytes | str]) -> Body:
    """Neighbours that are the same for everybody as one."""
    joined: list[bytes | str] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def _subject(page: Page) -> str:
    """The day and the first paper: an inbox shows which mail is which, and threads do not grow for ever."""
    if not page.blocks:
        return page.lead if len(page.lead) <= SUBJECT and "\n" not in page.lead else page.heading
    return f"{page.heading} · {page.blocks[0].title}"


def _list(page: Page) -> str:
    """Where an edition's papers are listed without our doing."""
    if page.day is None or page.cadence is None or page.slug == "sample":
        return LISTS
    place = {"day": "date", "week": "week", "month": "month"}[page.cadence.value]
    return f"{LISTS}/{place}/{page.slug}"


def _shown(found: re.Match[str]) -> str:
    """A place as a preview shows it."""
    return html.escape(f"https://…/{found[1]}")
