"""Commands for subscribers: real processes, a real database, exit codes and messages."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from bot.model import Address, Preferences, Status, Subscriber
from bot.render.catalogue import languages
from bot.store import Store, subscriber_queries
from tests.support.command import papers_command
from tests.support.fake_channel import publish

ADD = (
    "add", "outbox:ada", "--language", "ko", "--style", "headline", "--papers", "5", "--hour", "8",
    "--timezone", "Asia/Seoul", "--topics", "diffusion, -video", "--cadence", "day",
)  # fmt: skip


async def subscriber(home: Path, name: str = "ada") -> Subscriber | None:
    store = Store.open("sqlite:///subscribers.db", home)
    try:
        async with store.read() as connection:
            return await subscriber_queries.get(connection, Address("outbox", name))
    finally:
        await store.close()


def papers(home: Path, *words: str, code: int = 0, **given: str) -> Any:
    done = papers_command(home, *words, given=given)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


async def test_add_subscribes_with_every_option(tmp_path: Path) -> None:
    done = papers(tmp_path, *ADD)
    assert "outbox:ada is subscribed" in done.stdout
    reader = await subscriber(tmp_path)
    assert reader is not None
    assert reader.preferences == Preferences(
        language="ko", papers=5, topics=("diffusion", "-video"), timezone="Asia/Seoul"
    )
    assert "already subscribed" in papers(tmp_path, *ADD, code=1).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["outbox:Ada Lovelace"], "is not a valid outbox name"),
        (["nowhere:ada"], "There is no channel 'nowhere'"),
        (["ada"], "An address is written channel:recipient"),
        (["outbox:ada", "--hour", "25"], "is no hour"),
        (["outbox:ada", "--language", "tlh"], "there is no language"),
        (["outbox:ada", "--papers", "0"], "must be a number from 1 to 50"),
        (["outbox:ada", "--timezone", "Mars"], "is no time zone"),
        (["outbox:ada", "--topics", "x" * 99], "topics of"),
    ],
)
async def test_invalid_options_of_add_are_refused_in_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in papers(tmp_path, "add", *words, code=2).stderr
    assert await subscriber(tmp_path) is None


async def test_an_imported_list_is_exported_unchanged(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    source = tmp_path / "readers.csv"
    source.write_text(
        'address,language,topics,hour\noutbox:ada,ko,"diffusion, -video",7:30\noutbox:NO,,,\noutbox:bo,ja,,\n',
        encoding="utf-8",
    )
    done = papers(first, "subscribers", "import", str(source), code=1)
    assert "line 3: 'NO' is not a valid outbox name" in done.stderr
    assert done.stdout == "2 added, 0 already subscribed, 0 suppressed, 1 bad lines.\n"
    exported = tmp_path / "out.jsonl"
    papers(first, "subscribers", "export", str(exported))
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    assert "cannot be created" in papers(first, "subscribers", "export", str(exported), code=2).stderr
    assert papers(second, "subscribers", "import", str(exported)).stdout.startswith("2 added")
    lists = [papers(home, "subscribers", "export").stdout for home in (first, second)]
    assert lists[0] == lists[1]
    assert papers(second, "subscribers", "import", str(exported)).stdout.startswith("0 added, 2 already")


async def test_an_import_skips_suppressed_addresses(tmp_path: Path) -> None:
    papers(tmp_path, *ADD)
    papers(tmp_path, "subscribers", "remove", "outbox:ada", "--suppress", "--forget")
    assert await subscriber(tmp_path) is None
    source = tmp_path / "readers.csv"
    source.write_text("address\noutbox:ada\noutbox:bo\n", encoding="utf-8")
    imported = papers(tmp_path, "subscribers", "import", str(source)).stdout
    assert imported.startswith("1 added, 0 already subscribed, 1 suppressed")
    assert "is on the suppression list" in papers(tmp_path, *ADD, code=1).stderr
    listed = tmp_path / "cleaned.csv"
    listed.write_text("Email Address,Why\nBo@Example.org,bounced\nno address,x\n12;ada@example.org;complained\n\n")
    command = ("subscribers", "suppress", f"{listed}")
    says = "{} suppressed, {} were already, 0 are subscribed here and stay, 2 lines hold no address.\n"
    assert papers(tmp_path, *command).stdout == says.format(2, 0)
    assert papers(tmp_path, *command).stdout == says.format(0, 2)
    assert papers(tmp_path, "subscribers", "allow", "outbox:ada").stdout == "outbox:ada may subscribe again.\n"
    assert "is not on the suppression list" in papers(tmp_path, "subscribers", "allow", "outbox:ada", code=1).stderr
    papers(tmp_path, *ADD)
    assert await subscriber(tmp_path) is not None


async def test_subscribers_are_listed_paused_resumed_removed(tmp_path: Path) -> None:
    papers(tmp_path, *ADD)
    papers(tmp_path, "subscribers", "add", "outbox:bo")
    listed = json.loads(papers(tmp_path, "subscribers", "list", "--json").stdout)
    assert [each["address"] for each in listed] == ["outbox:ada", "outbox:bo"]
    papers(tmp_path, "subscribers", "pause", "outbox:ada", "--days", "3")
    reader = await subscriber(tmp_path)
    assert reader is not None
    assert (reader.status, reader.paused_until is not None) == (Status.PAUSED, True)
    assert "outbox:bo" not in papers(tmp_path, "subscribers", "list", "--status", "paused").stdout
    papers(tmp_path, "subscribers", "resume", "outbox:ada")
    papers(tmp_path, "subscribers", "remove", "outbox:ada")
    assert "not paused" in papers(tmp_path, "subscribers", "resume", "outbox:ada", code=1).stderr
    reader = await subscriber(tmp_path)
    assert reader is not None
    assert reader.status is Status.UNSUBSCRIBED
    for words in (["pause"], ["resume"], ["remove"], ["why"]):
        assert "is not subscribed" in papers(tmp_path, "subscribers", *words, "outbox:zed", code=1).stderr
    assert "There is no status" in papers(tmp_path, "subscribers", "list", "--status", "happy", code=2).stderr
    assert "first 1" in papers(tmp_path, "subscribers", "list", "--limit", "1").stderr


async def test_why_answers_the_operator_as_it_answers_the_reader(tmp_path: Path) -> None:
    papers(tmp_path, *ADD)
    assert "There hasn’t been an edition yet." in papers(tmp_path, "subscribers", "why", "outbox:ada").stdout
    store = Store.open("sqlite:///subscribers.db", tmp_path)
    await publish(store, {})
    await store.close()
    said = papers(tmp_path, "subscribers", "why", "outbox:ada", "--date", "2025-11-03").stdout
    assert "It’s due on 4 November, 08:00." in said
    assert "0 of its 3 papers remain" in said


async def test_a_test_message_arrives_whatever_the_reader_filters(tmp_path: Path) -> None:
    papers(tmp_path, *ADD)
    assert "Sent to outbox:ada." in papers(tmp_path, "send-test", "outbox:ada").stdout
    files = sorted(file.name for file in (tmp_path / "outbox").iterdir())
    assert files == ["sample.ada.html", "sample.ada.txt"]
    assert "AI 논문" in (tmp_path / "outbox" / "sample.ada.txt").read_text(encoding="utf-8")
    papers(tmp_path, "send-test", "outbox:nobody")
    (tmp_path / "blocked").write_text("a file where the folder should be")
    failed = papers(tmp_path, "send-test", "outbox:ada", code=1, OUTBOX_DIR=str(tmp_path / "blocked"))
    assert "Not sent (deferred)" in failed.stderr


async def test_languages_are_listed_with_what_they_have(tmp_path: Path) -> None:
    papers(tmp_path, *ADD)
    rows = json.loads(papers(tmp_path, "languages", "--json").stdout)
    assert [row["tag"] for row in rows] == list(languages())
    assert all(row["translated"] == row["sentences"] > 200 for row in rows)
    assert {row["tag"]: row["readers"] for row in rows}["ko"] == 1
    assert {row["tag"]: row["direction"] for row in rows}["ar"] == "rtl"
    assert "한국어" in papers(tmp_path, "languages").stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ACCESS": "invite"}, "ACCESS=invite needs codes in INVITE_CODES; see .env.example."),
        ({"ACCESS": "list"}, "ACCESS=list needs addresses in ALLOWED; see .env.example."),
        ({"INVITE_CODES": "short"}, "INVITE_CODES must be codes of 6 to 64 letters"),
    ],
)
async def test_incomplete_access_settings_are_refused(tmp_path: Path, given: dict[str, str], said: str) -> None:
    done = papers(tmp_path, "subscribers", "list", code=2, **given)
    assert said in done.stderr
    assert "short" not in done.stderr


async def test_add_and_doctor_warn_of_a_channel_that_is_not_configured(tmp_path: Path) -> None:
    added = papers(tmp_path, "add", "site:blog")
    assert "site is not configured" in added.stderr
    given = {"FEED_URL": "http://127.0.0.1:9/"}
    assert (
        "site: is not set up, and 1 subscribers there get nothing" in papers(tmp_path, "doctor", code=1, **given).stdout
    )
    given["SITE_DIR"] = "site"
    assert "get nothing" not in papers(tmp_path, "doctor", code=1, **given).stdout


async def test_set_changes_what_is_given_and_keeps_the_rest(tmp_path: Path) -> None:
    papers(tmp_path, *ADD)
    done = papers(tmp_path, "subscribers", "set", "outbox:ada", "--language", "ja", "--hour", "6:30", "--votes", "3")
    assert "日本語" in done.stdout
    reader = await subscriber(tmp_path)
    assert reader is not None
    wanted = reader.preferences
    assert (wanted.language, wanted.hour, wanted.min_votes, wanted.papers) == ("ja", 390, 3, 5)
    assert wanted.timezone == "Asia/Seoul"
    assert "Say what to change" in papers(tmp_path, "subscribers", "set", "outbox:ada", code=2).stderr
    assert "is no hour" in papers(tmp_path, "subscribers", "set", "outbox:ada", "--hour", "25", code=2).stderr
    assert "is not subscribed" in papers(tmp_path, "subscribers", "set", "outbox:eve", "--hour", "7", code=1).stderr
