"""Pictures within mails: only where the operator asks and no server is there to link to, and not for who wants none."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

from bot.channel import Kit, Personal
from bot.model import OFF, Cadence, Preferences
from bot.render.edition_page import edition_page
from bot.signing import SignedLinks
from channels.email.channel import Email, make
from tests.support.email_channel import PUBLIC, READER, SECRET, settings
from tests.support.pages import edition, kit, paper

PAPERS = [paper(n, thumbnail="https://cdn-thumbnails.huggingface.co/1.png") for n in (1, 2)]
JPEG, PNG = bytes(range(256)) * 9, b"\x89PNG" + b"\n.\r\n" * 99


def mailer(home: Path, *, public: str | None = None, pictures: str = "inline") -> Email:
    """The channel with a picture of the first paper and the cloud of the week there."""
    (home / f"{PAPERS[0].id}.thumb.jpg").write_bytes(JPEG)
    (home / "keywords.0a1b.png").write_bytes(PNG)

    def media(slug: str, language: str, name: str) -> Path | None:
        return home / "keywords.0a1b.png" if name == "keywords.png" else None

    lent: Kit = replace(kit(home), media=media, links=SignedLinks([SECRET], public))
    return make(settings(25, EMAIL_PICTURES=pictures), lent)


def arrived(channel: Email, cadence: Cadence, personal: Personal = READER) -> EmailMessage:
    """A mail as it arrives; dots that SMTP doubles are single again."""
    made = channel.compose(edition_page(replace(edition(*PAPERS), cadence=cadence), Preferences()))
    raw = b"".join(channel._wire_message("ada@example.com", made, personal, channel._token(personal)))
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    return message_from_bytes(raw.replace(b"\r\n..", b"\r\n."), policy=SMTPUTF8)


def shown(mail: EmailMessage) -> tuple[str, dict[str, bytes]]:
    """The HTML of a mail, and the pictures within it by their Content-IDs."""
    html = mail.get_body(("html",))
    assert html is not None
    parts = (part for part in mail.walk() if part.get_content_maintype() == "image")
    return html.get_content(), {str(part["Content-ID"]).strip("<>"): part.get_content() for part in parts}


def test_a_mail_has_its_pictures_within_it(tmp_path: Path) -> None:
    mail = arrived(mailer(tmp_path), Cadence.WEEK)
    assert mail.get_content_type() == "multipart/related"
    assert mail.defects == []
    html, pictures = shown(mail)
    assert sorted(pictures.values()) == sorted([JPEG, PNG])
    assert all(f'src="cid:{cid}"' in html for cid in pictures)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "cid:" not in text.get_content()


def test_a_day_has_the_first_papers_alone(tmp_path: Path) -> None:
    assert list(shown(arrived(mailer(tmp_path), Cadence.DAY))[1].values()) == [JPEG]


def test_a_first_paper_without_a_picture_leaves_the_week_its_own(tmp_path: Path) -> None:
    channel = mailer(tmp_path)
    (tmp_path / f"{PAPERS[0].id}.thumb.jpg").unlink()
    html, pictures = shown(arrived(channel, Cadence.WEEK))
    assert list(pictures.values()) == [PNG]
    assert html.count("cid:") == html.count("<img") == 1
    assert shown(arrived(channel, Cadence.DAY))[1] == {}


def test_who_wants_no_pictures_gets_none(tmp_path: Path) -> None:
    html, pictures = shown(arrived(mailer(tmp_path), Cadence.WEEK, replace(READER, extras={"picture": OFF})))
    assert pictures == {}
    assert "cid:" not in html


def test_with_a_server_or_unasked_there_are_none(tmp_path: Path) -> None:
    for channel in (mailer(tmp_path, public=PUBLIC), mailer(tmp_path, pictures="link")):
        mail = arrived(channel, Cadence.WEEK)
        assert mail.get_content_type() == "multipart/alternative"
        assert shown(mail)[1] == {}


def test_a_picture_that_is_not_there_or_too_large_is_left_out(tmp_path: Path) -> None:
    channel = mailer(tmp_path)
    (tmp_path / f"{PAPERS[0].id}.thumb.jpg").write_bytes(b"0" * 500_000)
    (tmp_path / "keywords.0a1b.png").unlink()
    assert arrived(channel, Cadence.WEEK).get_content_type() == "multipart/alternative"
