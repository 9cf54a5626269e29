"""What a mail is made of: its size on the largest day, its plain text, its signature, and a spam filter's opinion."""

import os
import re
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import dkim
import pytest

from bot.channel import LoginError
from bot.model import Style
from bot.runtime.text import display_width
from channels.email.channel import Email
from channels.email.message import MAX_HTML_BYTES, Mail, quoted
from channels.email.plain_text import COLUMNS, wrap
from tests.support.email_channel import LINKS, NAME, PUBLIC, READER, a_mail, opened
from tests.support.mail_pictures import LANGUAGES, mail
from tests.support.mail_server import Relay
from tests.support.pages import edition, page, paper, recorded

ABSTRACT = (
    "We measure a thing that nobody had measured before, in seven ways, and find it larger than was thought. " * 14
)
FIFTY = [
    paper(number, abstract=ABSTRACT, title=f"A title of some length for paper number {number}") for number in range(50)
]


def wire(channel: Email, made: Mail) -> bytes:
    return b"".join(channel._wire_message("ada@example.com", made, READER, channel._token(READER)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", [Style.ABSTRACT, Style.TRANSLATION, Style.REVIEW])
def test_a_day_of_fifty_papers_is_not_clipped_and_leads_to_the_rest(language: str, style: Style) -> None:
    made = mail(edition(*FIFTY), language, style, papers=0)
    html = made.parts()["html"]
    assert len(quoted(html.encode())) <= MAX_HTML_BYTES
    assert html.count("https://…/web") == (1 if html.count("<h2") == 50 else 2), "at the foot, and behind the rest"
    assert html.rstrip().endswith("</html>")


def test_classic_outlook_gets_a_table_of_fixed_width_and_no_preview_text() -> None:
    html = mail(edition(*FIFTY[:2]), "en", Style.ABSTRACT, papers=0).parts()["html"]
    opened_at = html.index('<!--[if mso]><table role="presentation" width="640"')
    closed_at = html.index("<!--[if mso]></td></tr></table><![endif]-->")
    assert opened_at < html.index('<div role="main"') < html.index("<h1") < closed_at
    assert html.count('role="main"') == 1
    [preview] = re.findall(r'<div class="preview"[^>]*>', html)
    assert re.search(r"mso-hide:\s*all", preview)


def test_a_plain_mail_uses_the_colon_of_its_language() -> None:
    text = mail(edition(*FIFTY[:1]), "zh-Hans", Style.PLAIN).parts()["text"]
    assert "摘要原文：\n" in text
    assert re.findall(r"[一-鿿]:", text) == []


def test_without_a_web_site_the_rest_links_to_hugging_face() -> None:
    made = mail(edition(*FIFTY), "en", Style.ABSTRACT, papers=0, public=False)
    assert "https://huggingface.co/papers/date/2026-04-29" in made.parts()["html"]
    assert "https://huggingface.co/papers/date/2026-04-29" in made.parts()["text"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plain_text_fits_a_terminal(language: str, reference: Path) -> None:
    made = mail(recorded(reference / "data" / "daily_papers" / "2025-11-05.json"), language, Style.HIGHLIGHTS)
    for line in made.parts()["text"].splitlines():
        assert display_width(line) <= COLUMNS or re.fullmatch(r"\s*(\S+: )?\S*https?://\S+", line), line
        assert line == line.rstrip()


@pytest.mark.parametrize(
    ("written", "wrapped"),
    [
        ("short", "short\n"),
        ("    " + "word " * 20, "    " + "word " * 12 + "word\n    " + "word " * 6 + "word"),
        ("1.  " + "word " * 20, "1.  " + "word " * 12 + "word\n    " + "word " * 6 + "word"),
        ("문" * 40, "문" * 40),
        ("漢" * 36 + "。字", "漢" * 35 + "\n漢。字"),
        ("漢" * 35 + "「字」", "漢" * 35 + "\n「字」"),
    ],
)
def test_lines_are_wrapped_at_their_indent(written: str, wrapped: str) -> None:
    assert wrap(written) == wrapped.rstrip("\n") + "\n"


def test_quoted_printable_keeps_lines_short_and_dots_safe() -> None:
    for text in (
        b".",
        b"..",
        b"." * 200,
        b"=" * 100,
        "논문".encode() * 60,
        b"a" * 75,
        b"a" * 76,
        b"a b \r\n.c",
        b" " * 90,
        b"a\r.b\r\rc",
    ):
        lines = quoted(text)
        *others, last = re.sub(rb"^\.", b"", lines, flags=re.MULTILINE).split(b"\r\n")
        assert max(map(len, [b"", *others])) <= 76
        assert len(last) <= 75, "a soft break follows"
        assert not re.search(rb"^\.(?!\.)", lines, re.MULTILINE)
        assert not re.search(rb"[ \t]\r\n", lines)
        assert not re.search(rb"\r(?!\n)", lines)


# Signatures


def make_key(bits: int) -> tuple[str, str]:
    """A private key, and the record that publishes its other half."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    private = subprocess.run(["openssl", "genrsa", f"{bits}"], capture_output=True, check=True).stdout
    half = ["openssl", "rsa", "-pubout", "-outform", "DER"]
    public = subprocess.run(half, input=private, capture_output=True, check=True).stdout
    return private.decode(), f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


async def test_the_dkim_signature_covers_the_list_headers() -> None:
    private, public = make_key(2048)
    async with Relay() as relay, opened(relay, DKIM_KEY=private, DKIM_SELECTOR="mp") as channel:
        composed = channel.compose(page(paper(title=".. dots\n.\n"), paper(2), language="ko"))
        await channel.send("ada@example.com", composed, READER)
    raw = relay.letters[0].raw

    def asked(name: bytes, **_: object) -> bytes:
        assert name == b"mp._domainkey.example.org."
        return public.encode()

    assert dkim.verify(raw, dnsfunc=asked)
    signed = relay.letters[0].mail["DKIM-Signature"].replace(" ", "").partition("h=")[2].partition(";")[0].lower()
    assert {"from", "subject", "list-unsubscribe", "list-unsubscribe-post", "feedback-id"} <= set(signed.split(":"))
    assert not dkim.verify(raw.replace(b"One-Click", b"No-Clicks"), dnsfunc=asked)
    assert not dkim.verify(raw.replace(b"Hugging", b"Shrugging"), dnsfunc=asked)


async def test_an_invalid_dkim_key_is_reported_at_login() -> None:
    async with Relay() as relay:
        with pytest.raises(LoginError, match="DKIM_KEY holds no private RSA key"):
            async with opened(relay, DKIM_KEY="hello", DKIM_SELECTOR="mp"):
                pass


# A spam filter


@pytest.mark.parametrize("language", ["en", "ko", "ar"])
def test_a_spam_filter_finds_nothing(language: str, reference: Path) -> None:
    if shutil.which("spamassassin") is None:
        if os.environ.get("CI"):
            raise AssertionError("spamassassin is missing")
        pytest.skip("spamassassin is not installed")
    day = recorded(reference / "data" / "daily_papers" / "2025-11-05.json")
    raw = wire(opened(25, EMAIL_BOUNCES="b+{token}@example.org"), mail(day, language, Style.ABSTRACT, papers=0))
    done = subprocess.run(
        ["spamassassin", "-L", "-t"], input=raw.replace(b"\r\n", b"\n"), capture_output=True, check=False
    )
    said = done.stdout.decode("utf-8", "replace")
    points = re.search(r"^X-Spam-Status: .*?score=(-?[\d.]+)", said, re.MULTILINE)
    assert points is not None
    assert float(points[1]) <= 0, said[said.find("Content analysis") :][:2_000]


def test_tokens_identify_a_reader_and_hold_nothing_else() -> None:
    channel = opened(25)
    raw = wire(channel, a_mail(channel))
    assert b"ada@" not in re.sub(rb"To: <ada@example\.com>", b"", raw)
    assert LINKS.read("leave", READER.links["unsubscribe"].rpartition("/")[2]) == NAME
    assert READER.links["unsubscribe"].startswith(f"{PUBLIC}/unsubscribe/")
