"""The outbox: real files, whole or not at all, and a terminal that shows what is in them."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from subprocess import PIPE

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.channel import Channel, Deferred, Gone, Personal, Sent
from bot.model import Style
from bot.render.catalogue import languages
from channels.outbox.channel import Outbox, OutboxMessage, make
from channels.outbox.terminal import COLUMNS, wrap
from channels.outbox.vote_bar import vote_bars
from tests.support.pages import HOSTILE, kit, page, paper, settings

ROOT = Path(__file__).resolve().parents[3]
PERSONAL = Personal(key="1")


def contents(home: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (home / "outbox").iterdir()}


class Seen:
    """A terminal, or a pipe, that a test can read."""

    def __init__(self, *, terminal: bool = True, width: int = 80) -> None:
        self._file = StringIO()
        self.console = Console(
            file=self._file, force_terminal=terminal, width=width, color_system=None, legacy_windows=False
        )

    @property
    def text(self) -> str:
        return self._file.getvalue()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def channel(tmp_path: Path, seen: Seen) -> Outbox:
    return make(settings(), kit(tmp_path), console=seen.console)


def test_two_sentences_of_the_authors_have_one_mark(channel: Outbox) -> None:
    abstract = "We introduce TideNet, a method that reads tables. Experiments show that it halves errors on 9 tables."
    found = channel.compose(page(paper(sentence=None, abstract=abstract))).parts()["text"]
    assert "We introduce TideNet" in found
    assert "it halves errors" in found
    assert " ".join(found.split()).count("(from the abstract)") == 1


async def test_an_edition_is_written_as_text_and_html(channel: Outbox, tmp_path: Path) -> None:
    sheet = channel.compose(page(paper(), paper(2)))
    async with channel:
        outcome = await channel.send("local", sheet, PERSONAL)
    assert outcome == Sent(receipt=str(tmp_path / "outbox" / "2026-04-29.local.html"))
    assert sheet.parts() == {
        "text": contents(tmp_path)["2026-04-29.local.txt"].decode(),
        "html": contents(tmp_path)["2026-04-29.local.html"].decode(),
    }
    assert sheet.sizes()["bytes of HTML"] == len(contents(tmp_path)["2026-04-29.local.html"])
    assert len(contents(tmp_path)) == 2


async def test_writing_the_same_edition_again_touches_no_file(channel: Outbox, tmp_path: Path) -> None:
    def stamps() -> list[tuple[int, int]]:
        return [(file.stat().st_ino, file.stat().st_mtime_ns) for file in sorted((tmp_path / "outbox").iterdir())]

    await channel.send("local", channel.compose(page(paper())), PERSONAL)
    first = stamps()
    assert isinstance(await channel.send("local", channel.compose(page(paper())), PERSONAL), Sent)
    assert stamps() == first


async def test_readers_do_not_share_a_file(channel: Outbox, tmp_path: Path) -> None:
    sheet = channel.compose(page(paper()))
    await asyncio.gather(*(channel.send(f"reader-{n}", sheet, PERSONAL) for n in range(20)))
    assert len(contents(tmp_path)) == 40


@pytest.mark.parametrize("to", ["", "../up", "a/b", "A", "-a", "a" * 65, "a.b", "a\n", "é", "."])
async def test_an_invalid_name_is_gone_and_writes_nothing(to: str, channel: Outbox, tmp_path: Path) -> None:
    assert isinstance(await channel.send(to, channel.compose(page(paper())), PERSONAL), Gone)
    assert not (tmp_path / "outbox").exists()
    assert not (tmp_path / "up").exists()


async def test_a_folder_that_cannot_be_written_to_defers_the_channel(channel: Outbox, tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file stands in the way")
    outcome = await channel.send("local", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    assert str(tmp_path / "outbox") in outcome.reason
    (finding,) = await channel.check()
    assert not finding.ok
    assert "OUTBOX_DIR" in finding.says


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow past 1,000 bytes: the system fails the write half-way, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_keeps_the_old_file(channel: Outbox, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    await channel.send("local", channel.compose(page(paper())), PERSONAL)
    before = contents(tmp_path)
    longer = channel.compose(page(*map(paper, range(1, 30))))
    request.getfixturevalue("full_disk")
    outcome = await channel.send("local", longer, PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    assert contents(tmp_path) == before


async def test_a_partial_file_of_a_killed_process_is_replaced(channel: Outbox, tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    for kind in ("txt", "html"):
        (tmp_path / "outbox" / f".2026-04-29.local.{kind}.part").write_text("half")
    await channel.send("local", channel.compose(page(paper())), PERSONAL)
    assert len(contents(tmp_path)) == 2


def test_a_closed_terminal_does_not_stop_delivery(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from channels.outbox.channel import make
from bot.channel import Personal
from tests.support.pages import kit, page, paper, settings
channel = make(settings(), kit(Path(sys.argv[1])))
sys.stdin.read()
for name in "one", "two":
    outcome = asyncio.run(channel.send(name, channel.compose(page(paper())), Personal("1")))
    print(type(outcome).__name__, file=sys.stderr)
"""
    arguments = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(arguments, cwd=ROOT, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdin
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read().split() == ["Sent", "Sent"]
    assert process.returncode == 0
    assert len(contents(tmp_path)) == 4


async def test_the_folder_may_be_anywhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    channel = make(settings(OUTBOX_DIR=elsewhere), kit(tmp_path), console=Console(quiet=True))
    await channel.send("local", channel.compose(page(paper())), PERSONAL)
    assert len(list(elsewhere.iterdir())) == 2
    (finding,) = await channel.check()
    assert finding.ok
    assert len(list(elsewhere.iterdir())) == 2


def test_it_is_a_rehearsal_channel(channel: Outbox) -> None:
    assert isinstance(channel, Channel)
    assert channel.rehearsal


@pytest.mark.parametrize("language", languages())
async def test_a_terminal_shows_the_ranked_table(language: str, channel: Outbox, seen: Seen) -> None:
    papers = [paper(n, title=f"논문 제목이 아주 길고 길어서 한 줄에 들어가지 않는 경우 {n}") for n in range(1, 26)]
    await channel.send("local", channel.compose(page(*papers, language=language)), PERSONAL)
    lines = seen.text.splitlines()
    assert all(cell_len(line) <= 80 for line in lines if not line.startswith("→"))
    assert sum("arxiv.org/abs/" in line for line in lines) == 20
    assert "+5" in lines
    for word in (" 1 ", "99", "Somewhere", "Thing 1 is measured.", "arxiv.org/abs/2604.00001", "alphaXiv"):
        assert word in seen.text


async def test_without_a_terminal_each_paper_is_one_plain_line(tmp_path: Path) -> None:
    seen = Seen(terminal=False, width=40)
    channel = make(settings(), kit(tmp_path), console=seen.console)
    await channel.send("local", channel.compose(page(paper(), paper(2, votes=None))), PERSONAL)
    assert "1. Paper number 1 · ▲ 99 · Somewhere · Thing 1 is measured. · https://arxiv.org/abs/2604.00001" in (
        seen.text.splitlines()
    )
    assert "\x1b" not in seen.text


async def test_the_first_paper_says_more_and_votes_are_compared(channel: Outbox, seen: Seen) -> None:
    papers = [paper(number, votes=votes) for number, votes in ((1, 80), (2, 40), (3, 1), (4, 0))]
    sheet = channel.compose(page(*papers, paper(5, votes=None)))
    await channel.send("local", sheet, PERSONAL)
    for text in (seen.text, sheet.text):
        assert text.count("alphaxiv.org/overview" if text is sheet.text else "alphaXiv") == 1
        assert [text.count(bar) for bar in ("█" * 8, "█" * 9, "▏")] == [1, 0, 1]
    assert seen.text.index("Paper number 5") < seen.text.index("Papers and votes: ")


@pytest.mark.parametrize(
    ("votes", "bars"),
    [
        ([80, 40, 1, 0, None], ["████████", "████", "▏", "", ""]),
        ([0, 0], ["", ""]),
        ([None], [""]),
        ([], []),
        ([3], ["████████"]),
    ],
)
def test_bars_are_as_long_as_votes_are_many(votes: list[int | None], bars: list[str]) -> None:
    assert vote_bars(votes) == bars


async def test_a_narrow_terminal_has_no_bars(tmp_path: Path) -> None:
    seen = Seen(width=50)
    channel = make(settings(), kit(tmp_path), console=seen.console)
    await channel.send("local", channel.compose(page(paper(), paper(2))), PERSONAL)
    assert "▲ 99" in seen.text
    assert "█" not in seen.text


async def test_a_title_is_not_taken_for_terminal_markup(channel: Outbox, seen: Seen) -> None:
    await channel.send("local", channel.compose(page(paper(title="[red]x[/] [link=http://evil]y"))), PERSONAL)
    assert "[red]x[/] [link=http://evil]y" in seen.text


def text_of(sheet: OutboxMessage) -> list[str]:
    return sheet.text.splitlines()


@pytest.mark.parametrize("style", Style)
def test_the_text_is_no_wider_than_a_terminal(style: Style, channel: Outbox) -> None:
    wordy = (
        "이 문장은 꽤 깁니다 그리고 這是一個很長的句子沒有任何空格可以換行所以要在字之間換行。 And English too. " * 6
    )
    lines = text_of(channel.compose(page(paper(title=HOSTILE, abstract=wordy, sentence=wordy), style=style)))
    assert max(map(cell_len, lines)) <= COLUMNS
    assert lines[4].startswith("  1. <think>")
    assert lines[5].startswith("     ")
    assert not any(line.endswith(" ") for line in lines)


@pytest.mark.parametrize(
    ("written", "wrapped"),
    [
        ("12.  " + "word " * 20, " 12. " + "word " * 13 + "word\n     word word word word word word"),
        ("     https://" + "a" * 90, "     https://" + "a" * 90),
        ("字" * 39 + "。字", "字" * 38 + "\n字。字"),
        ("", ""),
    ],
)
def test_lines_are_wrapped_by_display_width(written: str, wrapped: str) -> None:
    assert wrap(written) == wrapped
