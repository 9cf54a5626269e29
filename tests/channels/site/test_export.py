"""`papers export`: editions of the past as files of a site."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model import Cadence, Edition, Found
from bot.rules.closing import rank
from bot.store import edition_queries, paper_queries
from tests.support.command import papers_command
from tests.support.databases import fresh_store
from tests.support.pages import paper
from tests.support.site_channel import run_git


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A home with the editions of three days."""
    store = fresh_store(tmp_path)
    async with store.write() as connection:
        for day in (27, 28, 29):
            listed = [paper(day * 10 + n, votes=n, listed_on=date(2026, 4, day)) for n in range(7)]
            await paper_queries.keep(connection, Found(listed, frozenset({date(2026, 4, day)})))
            closed = datetime(2026, 4, day, 22, tzinfo=UTC)
            await edition_queries.add(connection, Edition(Cadence.DAY, date(2026, 4, day), closed, rank(listed)))
    await store.close()
    return tmp_path


def exported(home: Path, *words_: str, given: Mapping[str, str] | None = None) -> Any:
    done = papers_command(home, "export", *words_, given=given)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_day_is_exported_and_reported(home: Path) -> None:
    out = home / "out"
    done = exported(
        home, "--layout", "illustrated", "--no-pictures", "--language", "ko", "--date", "2026-04-28", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert f"wrote: {out / '2026-04-28.md'}" in done.stdout
    assert (out / "2026-04-28.md").read_text().startswith("# 2026-04-28 Daily Papers (Top 5)\n")
    record = json.loads((out / "data" / "2026-04-28.json").read_text())
    assert (record["crawled_at"], record["total_papers"]) == ("2026-04-28T22:00:00Z", 5)
    again = exported(
        home, "--layout", "illustrated", "--no-pictures", "--language", "ko", "--date", "2026-04-28", "--out", str(out)
    )
    assert "wrote" not in again.stdout


def test_a_range_is_exported_in_silence_on_a_pipe(home: Path) -> None:
    done = exported(home, "--layout", "plain", "--from", "2026-04-01", "--to", "2026-04-28", "--out", str(home / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a pipe gets no progress bar"
    assert done.stdout.startswith("2 editions in ")
    assert sorted(path.name for path in (home / "out").glob("*_papers.md")) == [
        "2026-04-27_papers.md", "2026-04-28_papers.md",
    ]  # fmt: skip


def test_papers_can_be_chosen_and_sorted(home: Path) -> None:
    out = home / "out"
    done = exported(home, "--layout", "review", "--papers", "2604.00291, 2604.00294", "--out", str(out))
    assert done.returncode == 0, done.stderr
    text = (out / "_posts" / "2026-04-29-daily-papers.md").read_text()
    assert re.findall(r"^# (\d)\. \[.*\]\(https://arxiv\.org/abs/(.*)\)$", text, re.MULTILINE) == [
        ("1", "2604.00291"), ("2", "2604.00294"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words_", "code", "says"),
    [
        (["--layout", "poster"], 2, "There is no layout poster; there are: illustrated, jekyll"),
        (["--layout", "plain", "--cadence", "year"], 2, "there is no cadence year"),
        (["--layout", "plain", "--date", "2026-04-26"], 1, "There is no edition of 2026-04-26"),
        (["--layout", "plain", "--from", "2026-05-01"], 1, "There is no edition since 2026-05-01"),
        (["--layout", "plain", "--papers", "2604.99999"], 2, "No edition yet holds 2604.99999"),
        (["--layout", "plain", "--papers", "x"], 2, "x is not an arXiv id"),
        (["--layout", "plain", "--to", "2026-04-28"], 2, "give --from as well"),
        (["--layout", "plain", "--to", "2026-04-28", "--date", "2026-04-28"], 2, "give one of them"),
        (["--layout", "plain", "--date", "yesterday"], 2, "is not a day"),
    ],
)
def test_an_export_error_is_one_sentence(home: Path, words_: list[str], code: int, says: str) -> None:
    done = exported(home, *words_, "--out", str(home / "out"))
    assert done.returncode == code
    assert says in re.sub(r"\s+", " ", done.stderr)
    assert not (home / "out").exists()


def test_an_unwritable_folder_is_reported_in_one_sentence(home: Path) -> None:
    (home / "out").write_text("a file stands in the way")
    done = exported(home, "--layout", "plain", "--out", str(home / "out"))
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr


def test_an_export_does_not_commit(home: Path) -> None:
    run_git(home, "init", "--quiet")
    done = exported(home, "--layout", "plain", "--out", str(home / "out"), given={"SITE_GIT": "push"})
    assert done.returncode == 0
    assert run_git(home, "status", "--porcelain", "out") == "?? out/"


def test_an_export_of_chosen_papers_does_not_change_the_days_records(home: Path) -> None:
    out = home / "out"
    exported(home, "--layout", "plain", "--date", "2026-04-28", "--out", str(out))
    before = (out / "data" / "2026-04-28.json").read_bytes()
    done = exported(home, "--layout", "plain", "--papers", "2604.00291", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert (out / "data" / "2026-04-28.json").read_bytes() == before


def test_the_most_voted_papers_or_those_about_a_topic_are_exported(home: Path) -> None:
    out = home / "out"
    for words_, headings in (
        (["--papers", "3"], 3),
        (["--top", "2"], 2),  # as the digest programs call it
        (["--topics", "id:2604.00291"], 0),
    ):
        done = exported(home, "--layout", "plain", "--date", "2026-04-28", *words_, "--out", str(out))
        if headings:
            assert done.returncode == 0, done.stderr
            assert len(re.findall("^## ", (out / "2026-04-28_papers.md").read_text(), re.MULTILINE)) == headings
        else:
            assert done.returncode == 1
            assert "has a paper about" in done.stderr
    assert not (out / "data").exists(), "a choice of papers makes no records"
