"""Whatever strangers call themselves: no header is injected, and no address reaches the wire unvalidated."""

import random
import re
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP

import pytest

from bot.channel import Gone, Page
from channels.email.address import Mailbox, is_normalised, normalise
from channels.email.headers import header, mailbox_header, text_header
from tests.support.email_channel import READER, a_mail, opened
from tests.support.mail_server import Relay
from tests.support.pages import changed, page, paper

PIECES = [
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\x0b",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\ud800",
    "Bcc: evil@example.org",
    "\r\nBcc: evil@example.org\r\n\r\nhello",
    "\r\n.\r\nMAIL FROM:<evil@example.org>\r\n",
    "=?utf-8?q?=0D=0ABcc:_evil=40example.org?=",
    "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5vcmc=?=",
    "<script>alert(1)</script>",
    "раураl",
    "аdа@ехаmрlе.соm",
    '"',
    "\\",
    "<",
    ">",
    ",",
    ";",
    ":",
    "@",
    "(",
    ")",
    " ",
    ".",
    "..",
    "%",
    "논문",
    "مجلة",
    "😀" * 3,
    "e\u0301",
    "A" * 1_000,
    "x" * 10_000,
    "a@b.example",
    "ada",
    "example.org",
    "place-0000000000000000-unsubscribe",
]
FORBIDDEN = re.compile('[\x00-\x20\x7f-\xa0\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069<>\\\\",;:()\\[\\]]')
OURS = {
    "From",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "Auto-Submitted",
    "List-Id",
    "List-Post",
    "List-Archive",
    "List-Owner",
    "List-Subscribe",
    "X-Auto-Response-Suppress",
    "Feedback-ID",
    "Reply-To",
    "To",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Archived-At",
}


def hostile(count: int) -> list[str]:
    chance = random.Random(20251104)
    return ["".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(count)]


def parsed(raw: bytes) -> EmailMessage:
    mail = BytesParser(policy=SMTP).parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    return mail


def test_no_hostile_address_is_accepted() -> None:
    chance = random.Random(1)
    taken = 0
    refusals: list[str] = []
    for written in hostile(10_000):
        address = written if chance.random() < 0.5 else f"{written}@example.org"
        try:
            stored = normalise(address)
        except ValueError as error:
            refusals.append(str(error))
            continue
        taken += 1
        assert not FORBIDDEN.search(stored), repr(stored)
        assert stored.rpartition("@")[2].isascii()
        assert len(stored.encode()) <= 254
        assert is_normalised(stored)
        assert normalise(stored) == stored
    assert taken > 100, "some of them are addresses"
    assert all(says.isprintable() and len(says) < 500 for says in refusals)


async def test_no_hostile_address_reaches_the_wire(long: bool) -> None:
    seen: list[str] = []

    def note(verb: str, to: str) -> str | None:
        seen.append(to)
        return None

    async with Relay(answer=note) as relay, opened(relay) as channel:
        mail = a_mail(channel)
        before = relay.verbs.total()
        bad = [each for each in [*hostile(10_000 if long else 2_000), "ADA@example.com"] if not is_normalised(each)]
        for to in bad:
            assert await channel.send(to, mail, READER) == Gone("the stored recipient is not a mail address")
        assert relay.verbs.total() == before
    assert len(bad) > 1_500
    assert relay.letters == []


@pytest.mark.parametrize("language", ["en", "ar", "ko"])
def test_no_hostile_title_or_name_injects_a_header(language: str, long: bool) -> None:
    channel = opened(25)
    for text in hostile(3_400 if long else 60):
        clean = text.encode("utf-8", "replace").decode()
        made = channel.compose(_named(page(paper(title=clean, organisation=clean), language=language), text))
        raw = b"".join(channel._wire_message("ada@example.com", made, READER, "12.x"))
        mail = parsed(raw)
        assert mail.defects == []
        assert set(mail.keys()) <= OURS
        assert len(mail.keys()) == len(set(mail.keys()))
        assert mail["To"].addresses[0].addr_spec == "ada@example.com"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert raw.isascii()
        assert b"\r\n.\r\n" not in raw
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw)


def _named(shown: Page, text: str) -> Page:
    """A page whose every word is a stranger's."""
    return changed(shown, heading=text, lead=text, labels={**shown.labels, "product": text}, slug="2026-04-29")


def test_a_hostile_display_name_stays_within_its_header(long: bool) -> None:
    for text in hostile(10_000 if long else 2_000):
        for raw in (mailbox_header("From", Mailbox("a@example.org", text)), text_header("Subject", text)):
            mail = parsed(raw + b"\r\n")
            assert len(mail.keys()) == 1, raw
            assert raw.isascii()
            assert max(map(len, raw.split(b"\r\n"))) <= 998
        from_ = parsed(mailbox_header("From", Mailbox("a@example.org", text)) + b"\r\n")["From"]
        assert [each.addr_spec for each in from_.addresses] == ["a@example.org"], text


def test_a_header_token_with_a_space_or_line_break_is_refused() -> None:
    for bad in ("<a>\r\nBcc: x", "a b", "a\0"):
        with pytest.raises(ValueError, match="a space or a line break"):
            header("List-Archive", bad)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" mailto:ada@example.com ", "ada@example.com"),
        ("ada@exämple.com", "ada@xn--exmple-cua.com"),
        ("ada@раураl.com", "ada@xn--l-7sba6dbr.com"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("ada+papers@example.com", "ada+papers@example.com"),
    ],
)
def test_an_address_is_normalised(written: str, stored: str) -> None:
    assert normalise(written) == stored
    assert is_normalised(stored)


@pytest.mark.parametrize(
    "written",
    ["", "ada", "ada@", "@example.com", "ada@localhost", "ada@[127.0.0.1]", '"a b"@example.com', "a..b@example.com"],
)
def test_an_invalid_address_is_refused_in_one_sentence(written: str) -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        normalise(written)
