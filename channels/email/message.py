"""Mails: a page is rendered and serialised once; a reader's links are inserted when it is sent.

Both bodies are quoted-printable (RFC 2045 section 6.7), so that no relay re-encodes them and breaks the signature. A
placeholder stands between two soft line breaks, so that inserting a link changes nothing around it.
"""

from __future__ import annotations

import binascii
import html
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from css_inline import CSSInliner

from bot.channel import Kit, Page
from bot.runtime.text import without_controls
from channels.email.address import Mailbox
from channels.email.charts import Chart, chart_urls
from channels.email.headers import header, mailbox_header, text_header
from channels.email.inline_pictures import InlinePicture, chart_pictures, lead_picture
from channels.email.mail_urls import list_url, logo_size, logo_url, paper_url, picture_url, subscribe_url
from channels.email.plain_text import wrap
from channels.email.subject import preheader, subject

UNSUBSCRIBE, SETTINGS, FEWER, WEB = "unsubscribe", "settings", "fewer", "web"
"""The placeholders of links, filled in for each reader."""
PICTURE, CHARTS = "picture", "charts"
ATTACHED = "attached"
"""The place in a body of the pictures within the mail, for the readers who are shown pictures."""
WELCOME_HTML, WELCOME_TEXT = "welcome_html", "welcome_text"
"""The placeholders of what only some readers are shown: pictures, and a greeting."""
PLACEHOLDERS = (UNSUBSCRIBE, SETTINGS, FEWER, WEB, PICTURE, CHARTS, WELCOME_HTML, WELCOME_TEXT)
MAX_HTML_BYTES = 90_000
"""Bytes of HTML as sent, quoted-printable. Gmail clips a mail at about 102 kB and hides the unsubscribe link."""
LINK_BYTES = 200
"""Bytes reserved for each inserted link."""
SENDER_ID = "morningpapers"
"""The sender id of Feedback-ID, the same in every mail (https://support.google.com/mail/answer/6254652)."""
PICTURE_WIDTH, PICTURE_HEIGHT = 576, 311
"""Pixels of the first paper's picture, in the proportions of Hugging Face's thumbnails (1200 × 648)."""
NO_ANSWERS = ("DR,", "RN,", "NRN,", "OOF,", "AutoReply")
"""Automatic answers that Exchange should not send: receipts and vacation notices, but for reports of failure
(https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail)."""

_INLINER = CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_MARK = f"place-{secrets.token_hex(8)}-"
"""Marks a placeholder in a rendered body; random for each process, so that no paper's text can hold it."""
_MARKS = re.compile(rf"{_MARK}({'|'.join(PLACEHOLDERS)})")
_SPACE_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")

Body = tuple[bytes | str, ...]
"""Bytes as they go over the wire, and between them the names of placeholders."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendering that can be sent to any reader."""

    text: str
    html: str
    headers: bytes
    """The header lines that are the same for every reader."""
    body: Body = field(repr=False)
    transactional: bool = False
    """Whether it belongs to no subscription and so has no list headers."""
    picture: str = ""
    """HTML of the first paper's picture, for the readers who did not turn it off."""
    charts: str = ""
    """HTML of the pictures of a week or a month, for the same readers."""
    attached: bytes = field(default=b"", repr=False)
    """The parts of pictures within the mail, for the same readers."""
    page: Page | None = None
    """The page without its papers, for what is said to one reader."""

    def sizes(self) -> Mapping[str, int]:
        links = len(_MARKS.findall(self.html))
        fixed = quoted(_MARKS.sub("", self.html).encode()) + quoted((self.picture + self.charts).encode())
        return {"bytes of HTML": len(fixed) + links * LINK_BYTES}

    def parts(self) -> Mapping[str, str]:
        markup = self.html.replace(f"{_MARK}{PICTURE}", self.picture).replace(f"{_MARK}{CHARTS}", self.charts)
        return {"text": _MARKS.sub(_shown, self.text), "html": _MARKS.sub(_shown, markup)}

    def with_links(self, links: Mapping[str, str]) -> list[bytes]:
        """The body with a reader's links inserted, in pieces."""
        inserted = {name: quoted(links[name].encode()) + SOFT_BREAK for name in PLACEHOLDERS if name in links}
        inserted[ATTACHED] = self.attached if links.get(PICTURE) or links.get(CHARTS) else b""
        return [part if isinstance(part, bytes) else inserted[part] for part in self.body]


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes mails from pages. Pure except for the random MIME boundary."""

    sender: Mailbox
    reply_to: Mailbox | None
    kit: Kit
    inline: bool = False
    """Whether pictures are put into mails where there is no web server to link to."""

    def compose(self, page: Page, *, letter: bool = False) -> Mail:
        """Render and serialise a page. A `letter` is transactional mail, which belongs to no subscription."""
        lead, charted, pictures = self._pictures(page)
        picture, charts, named = self._picture(page, lead), self._charts(page, charted), subject(page, self.kit)
        present = self._present(page, letter=letter)
        present |= {name for name, markup in ((PICTURE, picture), (CHARTS, charts)) if markup}
        public = self.kit.links.public
        more: dict[str, object] = {
            **{name: f"{_MARK}{name}" if name in present else "" for name in PLACEHOLDERS},
            "letter": letter,
            "subject": named,
            "preheader": preheader(page),
            "logo": logo_url(self.kit.logo, public),
            "logo_size": logo_size(self.kit.logo or (1, 1)),
            "list": list_url(page),
            "subscribe": subscribe_url(page, public),
            "places": {block.paper.id: paper_url(block, page, public) for block in page.blocks},
        }
        text = wrap(_encodable(self.kit.template("email/edition.txt", without_controls)(page, **more)))
        rendered = _encodable(self.kit.template("email/edition.html", None)(page, **more))
        markup = _SPACE_BETWEEN_TAGS.sub(">\n<", _INLINER.inline(rendered))
        boundary = f"=_{secrets.token_hex(12)}"  # "=_" never stands in quoted-printable
        body, kind, attached = _alternatives(text, markup, boundary), f'boundary="{boundary}"', b""
        content: tuple[str, ...] = ("multipart/alternative;", kind)
        if pictures:
            outer = f"=_{secrets.token_hex(12)}"
            body, attached = _related(body, kind, outer), b"".join(each.part(outer) for each in pictures)
            content = ("multipart/related;", 'type="multipart/alternative";', f'boundary="{outer}"')
        headers = self._headers(page, named, content, letter=letter)
        return Mail(text, markup, headers, body, letter, picture, charts, attached, replace(page, blocks=()))

    def _present(self, page: Page, *, letter: bool) -> set[str]:
        """The placeholders that a mail has beside those of pictures."""
        public = self.kit.links.public is not None
        return {
            name
            for name, wanted in {
                UNSUBSCRIBE: not letter,
                SETTINGS: public and not letter,
                FEWER: public and not letter,
                WEB: public and page.about.day is not None,
                WELCOME_HTML: bool(page.blocks),
                WELCOME_TEXT: bool(page.blocks),
            }.items()
            if wanted
        }

    def welcome(self, mail: Mail, rhythm: str, settings: str) -> Mapping[str, str]:
        """The values of the welcome in a reader's first mail, by placeholder: `rhythm` is when editions come.

        `settings` is the address of the reader's settings, empty where there are none.
        """
        assert mail.page is not None
        more = {"rhythm": rhythm, "settings": settings, "address": self.sender.address}
        return {
            WELCOME_HTML: self.kit.template("email/welcome.html", None)(mail.page, **more),
            WELCOME_TEXT: wrap(self.kit.template("email/welcome.txt", without_controls)(mail.page, **more)),
        }

    def _pictures(self, page: Page) -> tuple[InlinePicture | None, Sequence[Chart], Sequence[InlinePicture]]:
        """The first paper's picture within the mail, the charts that it shows, and all pictures within it."""
        if not self.inline or self.kit.links.public is not None:
            return None, chart_urls(page, self.kit), ()
        lead = lead_picture(page, self.kit, self.sender.domain)
        charts, pictures = chart_pictures(page, self.kit, self.sender.domain)
        return lead, charts, [*([] if lead is None else [lead]), *pictures]

    def _picture(self, page: Page, lead: InlinePicture | None) -> str:
        """HTML of the first paper's picture, `lead` or at an address that is the same for all; empty where none is."""
        public = self.kit.links.public
        source = picture_url(page, public) if lead is None else lead.url
        if not source:
            return ""
        more = {"source": source, "place": paper_url(page.blocks[0], page, public)}
        return self.kit.template("email/picture.html", None)(page, **more, width=PICTURE_WIDTH, height=PICTURE_HEIGHT)

    def _charts(self, page: Page, charts: Sequence[Chart]) -> str:
        """HTML of the pictures of a week or a month that have been drawn; empty where there are none."""
        return self.kit.template("email/charts.html", None)(page, charts=charts) if charts else ""

    def _headers(self, page: Page, named: str, content: Sequence[str], *, letter: bool) -> bytes:
        product = page.labels["product"]
        sender = self.sender if self.sender.name else Mailbox(self.sender.address, product)
        domain = self.sender.domain
        public = self.kit.links.public
        lines = [
            mailbox_header("From", sender),
            text_header("Subject", named),
            b"MIME-Version: 1.0\r\n",
            header("Content-Type", *content),
            header("Content-Language", page.language),
            header("Auto-Submitted", "auto-generated"),
            header("X-Auto-Response-Suppress", *NO_ANSWERS),
        ]
        if self.reply_to is not None:
            lines.append(mailbox_header("Reply-To", self.reply_to))
        if letter:
            return b"".join(lines)
        lines += [
            mailbox_header("List-Id", Mailbox(f"morning-papers.{domain}", product)),
            b"List-Post: NO\r\n",
            header("List-Owner", f"<mailto:{(self.reply_to or self.sender).address}>"),
            header("Feedback-ID", f"{page.about.slug}:{page.about.style.value}:{page.language}:{SENDER_ID}"),
        ]
        if public is not None:
            lines.append(header("List-Archive", f"<{public}/>"))
            lines.append(header("List-Subscribe", f"<{public}/{page.language}/>"))
        return b"".join(lines)


def _encodable(text: str) -> str:
    """Text without lone surrogates, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def quoted(text: bytes) -> bytes:
    """Quoted-printable lines with CRLF, dot-stuffed (RFC 5321 section 4.5.2), with room for a soft break at the end.

    A lone CR becomes a line break too, since mail systems disagree on what it means.
    """
    ends = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = binascii.b2a_qp(ends, quotetabs=False).replace(b"\n", b"\r\n")
    start = lines.rfind(b"\n") + 1
    if len(lines) - start > LONGEST_LINE - 1:
        cut = len(lines) - 1
        while b"=" in lines[cut - 2 : cut]:  # never inside an escape such as =E2
            cut -= 1
        lines = lines[:cut] + SOFT_BREAK + lines[cut:]
    return _LEADING_DOT.sub(b"..", lines)


SOFT_BREAK = b"=\r\n"
LONGEST_LINE = 76  # octets
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


def _alternatives(text: str, markup: str, boundary: str) -> Body:
    """The multipart/alternative body: text and HTML with their placeholders."""
    line = boundary.encode()
    pieces: list[bytes | str] = [b"\r\n"]
    for kind, content in (("plain", text), ("html", markup)):
        pieces.append(
            b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            % (line, kind.encode())
        )
        pieces += _split_at_placeholders(content.strip("\n"))
        pieces.append(b"\r\n")
    pieces.append(b"--%b--\r\n" % line)
    return _joined(pieces)


def _related(alternatives: Body, kind: str, boundary: str) -> Body:
    """The multipart/related body: text and HTML, then the pictures that the HTML shows (RFC 2387)."""
    line = boundary.encode()
    head = b"\r\n--%b\r\n%b" % (line, header("Content-Type", "multipart/alternative;", kind))
    return _joined([head, *alternatives, ATTACHED, b"--%b--\r\n" % line])


def _split_at_placeholders(content: str) -> list[bytes | str]:
    pieces: list[bytes | str] = []
    for number, piece in enumerate(_MARKS.split(content)):
        if number % 2:
            pieces.append(piece)
        elif piece:
            pieces.append(quoted(piece.encode()) + SOFT_BREAK)
    if pieces and isinstance(pieces[-1], bytes):
        pieces[-1] = pieces[-1].removesuffix(SOFT_BREAK)
    return pieces


def _joined(pieces: list[bytes | str]) -> Body:
    """Join neighbouring bytes, so that a mail is sent in few pieces."""
    joined: list[bytes | str] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def _shown(found: re.Match[str]) -> str:
    """A placeholder as a preview shows it; what only some readers are told is left out."""
    if found[1] in {PICTURE, CHARTS, WELCOME_HTML, WELCOME_TEXT}:
        return ""
    return html.escape(f"https://…/{found[1]}")
