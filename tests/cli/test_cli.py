"""The commands that show, publish, check and migrate, as processes: exit codes, and never a traceback."""

import os
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from bot.store.schema import HEAD
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer
from tests.support.papers_program import FINISHED, Papers

COMMANDS = ["run", "today", "publish", "editions", "preview", "doctor", "migrate"]


# today and preview


async def test_today_shows_the_list_of_a_day_ranked(papers: Papers) -> None:
    done = await papers("today", "--date", "2025-11-03")
    assert done.code == 0, done.err
    assert done.out.index("The <best> & only") < done.out.index("Paper 2511.00101")


async def test_today_in_another_language_shows_the_first_papers(papers: Papers) -> None:
    done = await papers("today", "--date", "2025-11-03", "--language", "ko", "--papers", "1")
    assert "The <best> & only" in done.out
    assert "Paper 2511.00101" not in done.out
    assert any("가" <= character <= "힣" for character in done.out)


async def test_today_as_json_is_the_same_list(papers: Papers) -> None:
    every = (await papers("today", "--date", "2025-11-03", "--json")).json
    assert [each["id"] for each in every] == ["2511.00102", "2511.00101"]
    first = (await papers("today", "--date", "2025-11-03", "--json", "--papers", "1")).json
    assert [each["id"] for each in first] == ["2511.00102"]


async def test_today_without_papers_shows_the_latest_edition(papers: Papers, server: FeedServer) -> None:
    await papers("run", "--once")
    done = await papers("today")
    assert done.code == 0, done.err
    assert "Paper 2511.00504" in done.out
    assert str(FINISHED.day) in done.out


async def test_today_without_the_feed_shows_what_is_stored_and_exits_1(papers: Papers, server: FeedServer) -> None:
    await papers("today", "--date", "2025-11-03")
    server.fault = Fault.status(503)
    done = await papers("today", "--date", "2025-11-03")
    assert done.code == 1
    assert "The <best> & only" in done.out
    assert "503" in done.err


async def test_a_preview_is_exactly_what_is_sent_and_sends_nothing(papers: Papers) -> None:
    await papers("run", "--once")
    sent = (papers.home / "outbox" / f"{FINISHED}.local.html").read_text(encoding="utf-8")
    before = papers.files()
    done = await papers("preview", "--channel", "outbox", "--part", "html")
    assert done.code == 0, done.err
    assert done.out.strip() == sent.strip()
    both = await papers("preview", "--channel", "outbox", "--date", f"{FINISHED}", "--language", "ko")
    assert "--- text ---" in both.out
    assert 'lang="ko"' in both.out
    assert papers.files() == before


# publish, doctor and migrate


async def test_a_past_day_is_published_for_the_archive_alone(papers: Papers) -> None:
    await papers("run", "--once")
    done = await papers("publish", "--date", "2025-11-03")
    assert (done.code, "2025-11-03: 2 papers" in done.out) == (0, True), done.err
    [edition] = (await papers("editions", "--date", "2025-11-03", "--json")).json
    assert (edition["audience"], edition["adds_up"], edition["channels"]) == (0, True, {})
    again = await papers("publish", "--date", "2025-11-03")
    assert (again.code, "No new edition" in again.out) == (0, True)


async def test_a_past_day_is_delivered_on_request(papers: Papers) -> None:
    await papers("run", "--once")
    done = await papers("publish", "--date", "2025-11-03", "--deliver")
    assert done.code == 0, done.err
    [edition] = (await papers("editions", "--date", "2025-11-03", "--json")).json
    assert (edition["audience"], edition["adds_up"]) == (1, True)
    assert sum(count for state, count in edition["channels"]["outbox"].items() if "seconds" not in state) == 1


async def test_a_range_of_past_days_is_filled_in(papers: Papers, server: FeedServer) -> None:
    await papers("run", "--once")
    server.fault = Fault.status(500).only(day=date(2025, 11, 4))
    done = await papers("publish", "--from", "2025-11-03", "--to", "2025-11-04")
    assert (done.code, "2025-11-03: 2 papers" in done.out) == (1, True), done.err
    assert "The list of 2025-11-04 could not be read" in done.err
    server.fault = None
    assert "2025-11-04:" in (await papers("publish", "--from", "2025-11-03", "--to", "2025-11-04")).out
    for wrong in (["--to", "2025-11-04"], ["--from", "2025-11-03", "--deliver"], ["--from", "2099-01-01"]):
        refused = await papers("publish", *wrong)
        assert (refused.code, "Traceback" in refused.err) == (2, False)


async def test_publish_without_the_feed_says_so(papers: Papers, server: FeedServer) -> None:
    server.fault = Fault.bare_number
    for arguments in (["publish"], ["publish", "--date", "2025-11-03"]):
        done = await papers(*arguments)
        assert (done.code, done.out) == (1, "")
        assert "feed" in done.err


async def test_the_doctor_finds_no_fault_in_a_new_or_used_home(papers: Papers) -> None:
    fresh = await papers("doctor")
    assert fresh.code == 0, fresh.out
    await papers("run", "--once")
    used = await papers("doctor", "--json")
    assert used.code == 0, used.out
    assert {each["subject"] for each in used.json} >= {"settings", "database", "feed"}
    assert all(each["ok"] for each in used.json)


@pytest.mark.skipif(os.name != "posix", reason="rights of files as POSIX has them")
async def test_the_doctor_advises_where_others_can_read_what_is_private(papers: Papers) -> None:
    await papers("migrate")
    made = papers.home / "subscribers.db"
    private = [made, made.with_name("subscribers.db.20260101T000000Z.bak"), papers.home / ".env"]
    for file in private[1:]:
        file.touch(0o600)
    assert "other users can read" not in (await papers("doctor")).out
    for file in private:
        file.chmod(0o640)
    done = await papers("doctor")
    assert [f"chmod 600 {file}" in done.out for file in private] == [True, True, True]
    assert done.code == 0


async def test_the_doctor_names_every_fault_at_once(papers: Papers, server: FeedServer) -> None:
    server.fault = Fault.status(404)
    (papers.home / ".env").write_text("DEFAULT_LANGAUGE=ko\n", encoding="utf-8")
    (papers.home / "file").write_text("in the way", encoding="utf-8")
    (papers.home / "subscribers.db").write_text("no database at all, whatever its name says" * 30, encoding="utf-8")
    done = await papers("doctor", "--json", OUTBOX_DIR="file/outbox")
    assert done.code == 1
    wrong = {each["subject"]: each["says"] for each in done.json if each["level"] == "fault"}
    assert set(wrong) >= {"database", "feed", "OUTBOX_DIR"}
    assert "404" in wrong["feed"]
    advice = [each["says"] for each in done.json if (each["subject"], each["level"]) == (".env", "advice")]
    assert any("did you mean DEFAULT_LANGUAGE" in each for each in advice)
    assert any("chmod 600" in each for each in advice)


async def test_the_doctor_names_a_wrong_setting(papers: Papers) -> None:
    given = {
        "POLL_INTERVAL": "often",
        "EDITION_CLOSES": "late",
        "SMTP_HOST": "mail:25/x",
        "TELEGRAM_API_URL": "ftp://x",
    }
    done = await papers("doctor", **given)
    assert done.code == 1
    assert all(name in done.out for name in given)
    assert "such as smtp.example.org" in done.out
    assert "such as https://api.telegram.org" in done.out


async def test_the_doctor_accepts_what_run_accepts_and_creates_nothing(new_papers: Papers) -> None:
    done = await new_papers("doctor", DEFAULT_LANGUAGE="zh", DISCORD_TOKEN="x", DISCORD_API_URL="http://127.0.0.1:9")
    assert "OperationalError" not in done.out
    assert "ok     settings" in done.out
    assert list(new_papers.home.iterdir()) == []
    (new_papers.home / "subscribers.db").touch()
    again = await new_papers("doctor")
    assert (again.code, "the first start creates its tables" in again.out) == (0, True), again.out


async def test_migrate_creates_the_database_and_then_finds_it_up_to_date(new_papers: Papers) -> None:
    made = await new_papers("migrate")
    assert (made.code, made.out.strip()) == (0, f"database made, version {HEAD}")
    again = await new_papers("migrate")
    assert (again.code, again.out.strip()) == (0, "The database is up to date.")


async def test_a_newer_database_is_refused_by_every_command_that_needs_it(papers: Papers) -> None:
    await papers("migrate")
    with closing(sqlite3.connect(papers.home / "subscribers.db")) as opened, opened:
        opened.execute("update alembic_version set version_num = '9999'")
    for arguments in (["run", "--once"], ["editions"], ["migrate"], ["preview", "--channel", "outbox"]):
        done = await papers(*arguments)
        assert (done.code, done.out) == (1, "")
        [sentence] = done.err.splitlines()
        assert "9999" in sentence


# Wrong arguments, and help


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--now", "2025-11-03T22:00:00Z"], "--now"),
        (["run", "--once", "--now", "yesterday"], "yesterday"),
        (["run", "--only", "sleep"], "--only"),
        (["today", "--date", "03.11.2025"], "03.11.2025"),
        (["today", "--date", "2999-01-01"], "2999-01-01"),
        (["today", "--papers", "-1"], "--papers"),
        (["publish", "--date", "2999-01-01"], "2999-01-01"),
        (["preview"], "--channel"),
        (["preview", "--channel", "pigeon"], "pigeon"),
        (["preview", "--channel", "outbox", "--style", "shouting"], "shouting"),
        (["editions", "--date", "soon"], "soon"),
        (["fly"], "fly"),
    ],
    ids=" ".join,
)
async def test_a_wrong_argument_exits_2_and_is_named(papers: Papers, arguments: list[str], named: str) -> None:
    done = await papers(*arguments)
    assert (done.code, done.out) == (2, "")
    assert named in done.err
    assert papers.files() == []


async def test_a_preview_without_an_edition_says_what_to_do(papers: Papers) -> None:
    done = await papers("preview", "--channel", "outbox", "--date", "2025-11-03")
    assert (done.code, done.out) == (1, "")
    assert "publish" in done.err


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_has_help(new_papers: Papers, command: str) -> None:
    done = await new_papers(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert command in done.out
    assert not any(new_papers.home.iterdir())


async def test_help_lists_every_command(papers: Papers) -> None:
    done = await papers("--help")
    assert done.code == 0
    assert all(f"\n  {command} " in done.out for command in COMMANDS)
