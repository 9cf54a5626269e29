"""The newsletter's own name: in every sentence that names it, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTPUTF8
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.channel_loader import core_settings, use_logo
from bot.doctor.settings_checks import check
from bot.model import Style
from bot.render.branding import GROUNDS, Accent, accent_of, branding, contrast
from bot.render.catalogue import DEFAULT, catalogues, load, placeholders
from bot.render.words import words
from bot.settings import SettingsError
from tests.support.mail_pictures import mail
from tests.support.pages import edition, paper
from tests.support.web_program import Served


@pytest.fixture(autouse=True)
def same_name() -> Iterator[None]:
    yield
    branding.name, branding.logo, branding.accent = "", None, Accent()


@pytest.mark.parametrize("language", catalogues())
def test_sentences_name_the_newsletter(language: str) -> None:
    english = load(DEFAULT)
    assert english is not None
    naming = [key for key, forms in english.messages.items() if "newsletter" in placeholders(forms[-1])]
    w = words(language)
    assert naming
    assert all(w.gettext("newsletter.name") in w.gettext(key) for key in naming), "without a name of its own"
    core_settings({"NEWSLETTER_NAME": "Vision Papers"})
    assert w.gettext("newsletter.name") == "Vision Papers"
    assert all("Vision Papers" in w.gettext(key) for key in naming)


def test_a_mail_comes_from_that_name() -> None:
    core_settings({"NEWSLETTER_NAME": "Vision Papers"})
    made = mail(edition(paper(1)), "ko", Style.HEADLINE)
    read = message_from_bytes(made.headers, policy=SMTPUTF8)
    assert read["From"].addresses[0].display_name == "Vision Papers"
    assert read["List-Id"].startswith("Vision Papers <")
    assert "Vision Papers" in made.parts()["text"].splitlines()[0]


@pytest.mark.parametrize("name", ["Two\nLines", "<b>", "a@example.org", 'A "name"', "\u202edesrever"])
def test_a_name_that_would_mislead_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="NEWSLETTER_NAME must be one line"):
        core_settings({"NEWSLETTER_NAME": name})


def picture(width: int = 300, height: int = 60, size: int = 0) -> bytes:
    written = BytesIO()
    Image.new("RGB", (width, height), "white").save(written, "PNG")
    return written.getvalue() + bytes(size)


def test_a_logo_is_read_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(picture())
    assert use_logo(core_settings({"LOGO": "logo.png"}), tmp_path) == (300, 60)
    assert use_logo(core_settings({}), tmp_path) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "LOGO names a file that cannot be read (No such file or directory); see .env.example."),
        (b"GIF89a", "LOGO must be a PNG picture; see .env.example."),
        (b"", "LOGO must be a PNG picture; see .env.example."),
        (picture(size=200_000), "LOGO must have at most 200 kB; see .env.example."),
    ],
)
def test_another_file_is_no_logo(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "logo.png").write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        use_logo(core_settings({"LOGO": "logo.png"}), tmp_path)
    assert str(raised.value) == says
    assert [each.says for each in check(tmp_path, {"LOGO": "logo.png"}) if not each.ok] == [says]


async def test_the_web_server_has_it(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(picture())
    use_logo(core_settings({"LOGO": "logo.png"}), tmp_path)
    async with Served(tmp_path) as served:
        answer = await served.get("/logo.png")
        page = (await served.get("/en/")).text
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "image/png", picture())
    assert '<img src="/logo.png" alt="Morning Papers" width="160" height="32">' in page


@given(st.from_regex("#[0-9a-f]{6}", fullmatch=True))
def test_any_colour_can_be_read_by_day_and_by_night(colour: str) -> None:
    accent = accent_of(colour)
    assert contrast(accent.day, GROUNDS.day) >= 4.5
    assert contrast(accent.night, GROUNDS.night) >= 4.5


def test_a_colour_that_can_be_read_stays() -> None:
    ours = Accent()
    assert (accent_of(ours.day).day, accent_of(ours.night).night) == (ours.day, ours.night)
    assert (round(contrast("#000000", "#ffffff")), contrast("#777777", "#777777")) == (21, 1)


async def test_one_colour_is_everywhere(tmp_path: Path) -> None:
    core_settings({"BRAND_COLOUR": "#0055AA"})
    accent = branding.accent
    assert accent.day == "#0055aa"
    html = mail(edition(paper(1), paper(2)), "en", Style.HEADLINE).parts()["html"]
    assert accent.day in html
    assert accent.night in html
    assert Accent().day not in html
    async with Served(tmp_path) as served:
        page = (await served.get("/en/")).text
        sheet = re.search(r'href="(/style-\w+\.css)"', page)
        assert sheet is not None
        style = (await served.get(sheet[1])).text
    assert f"light-dark({accent.day}, {accent.night})" in style
    assert Accent().day not in style


@pytest.mark.parametrize("colour", ["blue", "#12345", "#a8410b; }"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(SettingsError, match="BRAND_COLOUR must be a colour such as #a8410b"):
        core_settings({"BRAND_COLOUR": colour})
