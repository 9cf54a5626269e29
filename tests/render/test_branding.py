"""The newsletter's own name: in every sentence that names it, in every language."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTPUTF8

import pytest

from bot.app import core_settings
from bot.model import Style
from bot.render.branding import branding
from bot.render.catalogue import DEFAULT, catalogues, load, placeholders
from bot.render.words import words
from bot.settings import SettingsError
from tests.support.mail_pictures import mail
from tests.support.pages import edition, paper


@pytest.fixture(autouse=True)
def same_name() -> Iterator[None]:
    yield
    branding.name = ""


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
