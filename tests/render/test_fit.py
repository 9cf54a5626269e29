"""Fitting: never over a limit, whole papers only, no grapheme cut."""

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.channel import Limits, Page, utf16_units
from bot.model import Paper, Preferences, Style
from bot.render.catalogue import languages
from bot.render.edition_page import edition_page
from bot.render.fit import FitError, fit, shorten
from bot.render.words import words
from channels.outbox.channel import OutboxMessage, make
from tests.support.pages import HOSTILE, Written, kit, page, paper, recorded, settings

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("𝔸👩🏽‍💻🇰🇷é한국어論文。<>&\"' …e\u0301"), max_size=120
)
PAPERS = st.lists(st.builds(paper, st.integers(1, 90), title=TEXTS, sentence=TEXTS), max_size=12)


def marked_up(page: Page) -> Written:
    """A stand-in for a channel: bold titles, escaped; measured as services measure."""
    blocks = [
        f"<b>{html.escape(block.title)}</b> {html.escape(' '.join(block.said.parts.values()))}" for block in page.blocks
    ]
    text = "\n".join([page.heading, *blocks, page.paging.more or ""])
    units = utf16_units(text)
    longest = max(map(utf16_units, blocks), default=0)
    return Written(text, {"units": units, "longest": longest, "bytes": len(text.encode()), "papers": len(blocks)})


def within(**maxima: int) -> Limits:
    return Limits(maxima=maxima)


def test_a_page_that_fits_is_unchanged() -> None:
    whole = page(*map(paper, range(1, 6)))
    fitted = fit(whole, marked_up, within(units=10_000))
    assert fitted.page == whole
    assert fitted.shown == 5


def test_papers_left_out_are_counted_in_the_readers_language() -> None:
    papers = [paper(n) for n in range(1, 11)]
    assert fit(page(*papers), marked_up, within(papers=3)).page.paging.more == "+7 more papers"
    assert fit(page(*papers), marked_up, within(papers=9)).page.paging.more == "+1 more paper"
    assert fit(page(*papers, language="ko"), marked_up, within(papers=3)).page.paging.more == "외 7편"


def test_a_page_without_papers_fits() -> None:
    assert fit(page(), marked_up, within(units=1000)).shown == 0


def test_texts_are_shortened_before_they_become_markup() -> None:
    wordy = page(paper(sentence="a < b & c " * 100))
    (block,) = fit(wordy, marked_up, Limits(text=20)).page.blocks
    assert block.said.parts["sentence"] == "a < b & c a < b & c…"


@pytest.mark.parametrize(
    ("most", "shown"),
    [(26, "Scenes are made by a new…"), (22, "Scenes are made…"), (19, "Scenes are made…"), (17, "Scenes are made…")],
)
def test_a_text_ends_with_no_word_that_leads_on(most: int, shown: str) -> None:
    assert shorten("Scenes are made by a new method of the authors", most) == shown


def test_the_first_paper_is_shortened_rather_than_left_out() -> None:
    fitted = fit(page(paper(sentence="word " * 500), paper(2)), marked_up, within(units=200))
    assert fitted.shown >= 1
    assert fitted.page.blocks[0].said.parts["sentence"].endswith("word…")


PREFERS = Limits(maxima={"papers": 5}, preferred={"units": 600})


def test_texts_are_shortened_a_little_for_a_message_to_look_better() -> None:
    papers = [paper(number, sentence="word " * 25) for number in range(1, 6)]
    fitted = fit(page(*papers), marked_up, PREFERS)
    assert fitted.shown == 5
    assert 570 < fitted.message.sizes()["units"] <= 600
    first, *others = (block.said.parts["sentence"] for block in fitted.page.blocks)
    assert first == ("word " * 25).strip()
    assert all(said.endswith("word…") and 0.5 <= len(said) / len(first) < 0.9 for said in others)


@pytest.mark.parametrize(
    "papers",
    [
        [paper(number, sentence="word " * 60) for number in range(1, 6)],  # too much would be lost
        [paper(1, sentence="word " * 120), paper(2, sentence="word " * 90)],  # chosen to be read whole
        [paper(1, sentence="word " * 120)],  # nothing but the first
        [],
    ],
)
def test_texts_stay_whole_where_shortening_them_does_not_help(papers: list[Paper]) -> None:
    whole = page(*papers)
    assert fit(whole, marked_up, PREFERS).page == whole


def test_a_paper_that_is_too_large_does_not_hide_those_after_it() -> None:
    papers = [paper(1), paper(2, title="t" * 3000), paper(3, sentence="s " * 3000), paper(4)]
    fitted = fit(page(*papers), marked_up, within(longest=100))
    assert fitted.shown == 4
    assert fitted.page.blocks[0] == page(*papers).blocks[0]
    assert fitted.page.blocks[1].title.endswith("…")
    assert fitted.page.blocks[2].title == "Paper number 3"


def test_limits_below_an_empty_page_are_an_error_that_names_them() -> None:
    with pytest.raises(FitError, match=r"an empty page has \d+ units, but the channel allows 10") as raised:
        fit(page(paper()), marked_up, within(units=10))
    assert (raised.value.quantity, raised.value.maximum) == ("units", 10)


def test_a_limit_that_messages_do_not_measure_is_an_error() -> None:
    with pytest.raises(LookupError, match="'lines'"):
        fit(page(paper()), marked_up, within(lines=10))


@given(PAPERS, st.integers(80, 900), st.integers(20, 300), st.none() | st.integers(0, 60))
def test_nothing_is_ever_over_a_limit(papers: list[Paper], most: int, longest: int, text: int | None) -> None:
    limits = Limits(maxima={"units": most, "longest": longest, "bytes": most * 2}, text=text)
    whole = page(*papers)
    fitted = fit(whole, marked_up, limits)
    sizes = fitted.message.sizes()
    assert all(sizes[quantity] <= maximum for quantity, maximum in limits.maxima.items())
    assert [block.paper for block in fitted.page.blocks] == [b.paper for b in whole.blocks[: fitted.shown]]
    hidden = len(papers) - fitted.shown
    assert (fitted.page.paging.more or "").startswith(f"+{hidden}" if hidden else "")
    assert fitted.message.text.count("<b>") == fitted.message.text.count("</b>") == fitted.shown


@given(PAPERS, st.integers(80, 900))
def test_no_paper_is_left_out_without_need(papers: list[Paper], most: int) -> None:
    whole = page(*papers)
    fitted = fit(whole, marked_up, within(units=most))
    if fitted.shown < len(papers) and fitted.page.blocks == whole.blocks[: fitted.shown]:
        hidden = len(papers) - fitted.shown - 1
        more = words("en").ngettext("edition.more_papers", hidden) if hidden else None
        paging = replace(whole.paging, more=more)
        crowded = marked_up(replace(whole, blocks=whole.blocks[: fitted.shown + 1], paging=paging))
        assert crowded.sizes()["units"] > most


@given(PAPERS, st.integers(80, 600), st.integers(0, 300))
def test_more_room_never_shows_fewer_papers(papers: list[Paper], most: int, extra: int) -> None:
    less = fit(page(*papers), marked_up, within(units=most)).shown
    assert fit(page(*papers), marked_up, within(units=most + extra)).shown >= less


@given(TEXTS, st.integers(0, 130))
def test_a_shortened_text_is_short_and_whole(text: str, most: int) -> None:
    short = shorten(text, most)
    assert utf16_units(short) <= most
    short.encode("utf-8")
    if utf16_units(text) <= most:
        assert short == text
    elif most:
        assert short.endswith("…")
        assert text.startswith(short.removesuffix("…").rstrip())


@given(TEXTS, st.integers(0, 130))
@example("👩🏽‍💻" * 5, 12)
@example("🇰🇷🇯🇵🇨🇳", 8)
@example("e\u0301" * 9, 6)
@example("क्षत्रिय" * 3, 7)
@example("각" * 4, 6)
def test_no_grapheme_is_cut(text: str, most: int) -> None:
    kept = shorten(text, most).removesuffix("…")
    if not kept or not text.startswith(kept) or kept == text:
        return
    before, after = kept[-1], text[len(kept)]
    assert unicodedata.category(after) not in {"Mn", "Mc", "Me"}
    assert "\u200d" not in {before, after}
    flags = re.search("[\U0001f1e6-\U0001f1ff]*$", kept)
    assert flags
    assert len(flags[0]) % 2 == 0 or not re.match("[\U0001f1e6-\U0001f1ff]", after)


@pytest.mark.parametrize(
    ("text", "most", "short"),
    [
        ("The first is long enough. The second is not so short.", 40, "The first is long enough. …"),
        ("Short. This sentence goes on for a very long while.", 40, "Short. This sentence goes on for a very…"),
        ("Values such as 3.5, which", 20, "Values such as 3.5…"),
        ("第一句话说得很长很长。第二句话也很长很长。", 14, "第一句话说得很长很长。 …"),
        ("논문을 읽는 사람들에게 도움이 되는 요약", 12, "논문을 읽는…"),
        ("https://an.address.without.any.space", 12, "https://an.…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
    ],
)
def test_a_text_is_cut_where_a_reader_would_pause(text: str, most: int, short: str) -> None:
    assert shorten(text, most) == short


def days(reference: Path, long: bool, turn: int) -> list[Path]:
    """All recorded days with `long`, else two, others for each `turn`."""
    files = sorted((reference / "data" / "daily_papers").glob("*.json"))
    return files if long else [files[(turn + half * len(files) // 2) % len(files)] for half in range(2)]


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("language", languages())
def test_every_recorded_day_fits_what_channels_take(
    language: str, style: Style, reference: Path, long: bool, tmp_path: Path
) -> None:
    channel = make(settings(), kit(tmp_path))
    composers: list[tuple[Callable[[Page], OutboxMessage | Written], Limits]] = [
        (channel.compose, channel.limits),
        (channel.compose, within(**{"bytes of HTML": 20_000})),
        (marked_up, Limits(maxima={"units": 4096}, text=600)),
        (marked_up, Limits(maxima={"units": 6000, "longest": 1024})),
    ]
    turn = languages().index(language) * len(Style) + list(Style).index(style)
    for file in days(reference, long, turn):
        edition = recorded(file)
        whole = edition_page(edition, Preferences(language=language, style=style, papers=0))
        for compose, limits in composers:
            fitted = fit(whole, compose, limits)
            sizes = fitted.message.sizes()
            assert all(sizes[name] <= most for name, most in limits.maxima.items()), file.stem
            assert fitted.shown >= 1
            assert limits is not channel.limits or fitted.shown == (whole.paging.most or len(edition.papers))


def test_a_hostile_paper_is_shortened_safely(tmp_path: Path) -> None:
    channel = make(settings(), kit(tmp_path))
    empty = len(channel.compose(page()).html.encode())
    for room in range(700, 1500, 50):
        hostile = page(paper(title=HOSTILE, sentence=HOSTILE * 9))
        fitted = fit(hostile, channel.compose, within(**{"bytes of HTML": empty + room}))
        assert "<think" not in fitted.message.html
        assert fitted.message.html.endswith("</html>\n")
