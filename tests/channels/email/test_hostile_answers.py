"""Mails and answers written to keep us busy: each is read in work that grows as it does, and no faster."""

from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email import reports, verdicts
from channels.email.bounces import MailKind, classify
from channels.email.reports import MAX_TEXT
from channels.email.verdicts import MAX_SAID, Spoken, Verdict, casts_doubt, verdict
from tests.support.bounce_mails import prose
from tests.support.email_channel import LINKS

LONG = 48_000
"""Characters of a hostile text; a search that reads it once for each of them takes minutes."""
HTML = "text/html; charset=utf-8"
PIECES = [
    "\n",
    "\n_",
    " -",
    "a.",
    "www.",
    "<@",
    "word",
    "exceed",
    "user ",
    "<style ",
    "<script>",
    "</p",
    "domain ",
    "450 ",
]


def repeated(piece: str, length: int = LONG) -> str:
    return (piece * (length // len(piece) + 1))[:length]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["a.", "-", "ящик", "<" + "@" * LONG, "exceed"])
def test_an_answers_words_are_each_read_once(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "MAX_SAID", LONG, raising=False)
    assert verdict(repeated(piece)) is Verdict.UNSAID
    assert not casts_doubt(repeated(piece))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["\n", "\n\n_", "<style ", "<script>"])
@pytest.mark.parametrize("form", ["text/plain; charset=utf-8", HTML])
def test_a_reports_lines_and_tags_are_each_read_once(piece: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_TEXT", LONG)  # eight times as much is decoded
    mail = Message()
    mail["Content-Type"] = form
    mail.set_payload(repeated(piece, 8 * LONG))
    assert "user unknown" not in reports.own_words(mail)


@given(
    st.sampled_from(["", "<", "550 5.1.1 ", "mailbox "]),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
    st.sampled_from(["text/plain; charset=utf-8", HTML]),
)
@settings(max_examples=12)
def test_a_long_hostile_mail_is_of_some_kind(before: str, piece: str, form: str) -> None:
    raw = prose("Undelivered Mail", before + repeated(piece), **{"Content-Type": form})
    assert classify(raw, LINKS).kind in MailKind


@pytest.mark.parametrize("times", [1, 2, 4])
def test_only_the_beginning_of_an_answer_is_judged(times: int) -> None:
    filler = repeated("so it is ", MAX_SAID * times)
    assert verdict(f"{filler} user unknown", spoken=Spoken.RCPT) is Verdict.UNSAID
    assert verdict(f"user unknown {filler}", spoken=Spoken.RCPT) is Verdict.NOBODY


def words_of(said: str, form: str = "text/plain; charset=utf-8") -> str:
    mail = Message()
    mail["Content-Type"] = form
    mail.set_payload(said.encode("ascii"))
    return reports.own_words(mail)


@pytest.mark.parametrize("rule", ["", "-" * 70, "\n\n" + "=_" * 50 + "\n\n > "])
def test_our_mail_is_cut_off_below_any_rule(rule: str) -> None:
    assert words_of(f"no such user\n{rule} Original message {rule}\nmailbox full").split("\n")[0] == "no such user"
    assert "full" not in words_of(f"no such user\n{rule} Original message {rule}\nmailbox full")


def test_a_mark_at_the_end_of_what_is_read_is_found() -> None:
    filler = repeated("so it is ", MAX_TEXT - 12)
    assert words_of(f"{filler}\nThis is a copy of the message") == filler + "\n"


def test_style_sheets_are_no_words() -> None:
    page = "<p>gone<STYLE a><script> spam</style>mail <script>full</script>box<style>unknown <b>user"
    assert words_of(page, HTML).split() == ["gone", "mail", "box", "unknown", "user"]
