"""Unsubscribing by a mail that somebody writes: the word alone, in any of our languages, and nothing longer."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.bounces import MailKind, classify
from channels.email.unsubscribe_words import MAX_CHARACTERS, WORDS, asks_to_unsubscribe
from tests.support.bounce_mails import MINE
from tests.support.email_channel import LINKS

ASKS = [
    "Unsubscribe", "unsubscribe!", "RE: Unsubscribe", "Re: Re: unsubscribe", "Fwd: STOP", "STOP", "Stop.",
    "AW: unsubscribe", "Re[2]: unsubscribe me", "수신거부", "Re: 구독 취소", "회신: 구독취소", "退订",
    "回复：取消订阅", "退訂", "回覆: 取消訂閱", "配信停止", "返信: 購読解除", "إلغاء الاشتراك",
    "رد: إلغاء الاشتراك", "ＳＴＯＰ", "“unsubscribe”", "Please unsubscribe me",
]  # fmt: skip
DOES_NOT = [
    "please don't stop", "Please don't stop!", "stop sending so few", "Re: Daily papers", "", "unsubscribed",
    "nonstop", "How do I unsubscribe?", "구독 취소를 취소합니다", "不要退订", "配信停止しないで",
    "unsubscribe " * 20,
]  # fmt: skip


def reply(subject: str, first: str = "", **headers: str) -> bytes:
    mail = EmailMessage()
    known = {"From": "ada@example.com", "To": "papers@example.org", "In-Reply-To": f"<{MINE}@example.org>"}
    for name, value in (known | headers | {"Subject": subject}).items():
        mail[name] = value
    mail.set_content(f"\n{first}\n\n> Daily papers\n> unsubscribe\n")
    return mail.as_bytes()


@pytest.mark.parametrize("line", ASKS)
def test_the_word_alone_unsubscribes(line: str) -> None:
    assert asks_to_unsubscribe(line)
    for raw in (
        reply(line),
        reply("Re: Daily papers", line),
        reply(line, **{"In-Reply-To": "", "References": f"<{MINE}@x>"}),
    ):
        assert classify(raw, LINKS).kind is MailKind.UNSUBSCRIBE


@pytest.mark.parametrize("line", DOES_NOT)
def test_anything_else_does_not(line: str) -> None:
    assert not asks_to_unsubscribe(line)
    assert classify(reply(line, "I like it."), LINKS).kind is MailKind.JUNK
    assert classify(reply("Re: Daily papers", line or "Hello"), LINKS).kind is MailKind.JUNK


def test_who_is_not_known_by_a_token_is_not_unsubscribed() -> None:
    assert classify(reply("unsubscribe", **{"In-Reply-To": "<x@example.org>"}), LINKS).kind is MailKind.JUNK


def test_an_automatic_reply_does_not_unsubscribe() -> None:
    assert classify(reply("stop", **{"Auto-Submitted": "auto-replied"}), LINKS).kind is MailKind.AUTOMATIC


@given(st.text(max_size=200))
def test_only_the_words_themselves_are_requests(line: str) -> None:
    assert asks_to_unsubscribe(line) in {True, False}
    assert not asks_to_unsubscribe(f"{line} please do not {'x' * MAX_CHARACTERS}")


def test_every_language_has_words() -> None:
    assert len(WORDS) > 50
