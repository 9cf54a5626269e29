"""Three recorded weeks with two outages of two days, lived through by five readers: what each got, when, and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.channel import Requester
from bot.commands import ReaderCommands
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Cadence, Preferences, Style
from bot.publishing.feed import Feed
from bot.publishing.publisher import Publisher
from bot.runtime.locks import holding, make_locks
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from channels.outbox.channel import OutboxMessage
from tests.publishing.test_replay import CLOSES, Watched, filling
from tests.support.databases import fresh_store
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, recorded_days

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, LAST = date(2026, 3, 23), date(2026, 4, 12)
"""A Monday and a Sunday; Berlin's clocks go forward on 29 March."""

OFF = datetime(2026, 3, 25, 12, tzinfo=UTC), datetime(2026, 3, 27, 12, tzinfo=UTC)
"""The program is not running."""
DARK = datetime(2026, 4, 6, 12, tzinfo=UTC), datetime(2026, 4, 8, 12, tzinfo=UTC)
"""The feed answers with 503."""

READERS = {
    "haneul": Preferences(language="ko", papers=5, timezone="Asia/Seoul"),
    "yuki": Preferences(language="ja", timezone="Asia/Tokyo", cadence=Cadence.WEEK),
    "wei": Preferences(
        language="zh-Hans", timezone="Asia/Shanghai", hour=450, papers=0, topics=("diffusion", "agent", "-video")
    ),
    "emma": Preferences(timezone="Europe/Berlin", hour=540, cadence=Cadence.MONTH),
    "amina": Preferences(
        language="ar", style=Style.ABSTRACT, papers=3, timezone="Africa/Cairo", hour=1200, weekdays=0b1001111
    ),
}


Ask = Callable[[str, str], Awaitable[str]]


@dataclass
class Watch:
    """The clock of the feed and of the world."""

    now: datetime


async def live(reference: Path, store: Store, folder: Path) -> tuple[dict[str, list[str]], Ask]:
    """What each reader got, a line each; and somebody to ask why."""
    every = recorded_days(reference / "data" / "daily_papers")
    days = {day: filling(day, rows) for day, rows in every.items() if FIRST - 3 * DAY <= day <= LAST}
    watch = Watch(datetime.combine(FIRST - 3 * DAY, time(22), UTC))
    got: dict[str, list[str]] = {name: [] for name in READERS}
    server = FeedServer(days, clock=lambda: watch.now)
    async with server, Feed(server.url) as feed, Watched(folder) as channel:
        publisher = Publisher(store, feed, interval=timedelta(hours=6), closes=CLOSES)
        readers = ReaderCommands(store, [channel], fallback=Preferences(), closes=CLOSES)
        locks = make_locks(store.engine.url, store.path)
        dispatcher = Dispatcher(store, channel, locks)
        await publisher.step(watch.now)
        async with store.write() as connection:
            for name, wanted in READERS.items():
                await subscriber_queries.add(connection, Address("outbox", name), wanted, now=watch.now)
        async with holding(locks, *dispatcher.roles()):
            while watch.now < datetime.combine(LAST + 2 * DAY, time(), UTC):
                watch.now += HOUR / 2
                if OFF[0] <= watch.now < OFF[1]:
                    continue
                server.fault = Fault.status(503) if DARK[0] <= watch.now < DARK[1] else None
                await publisher.step(watch.now)
                while await dispatcher.step(watch.now) or dispatcher.busy:
                    if dispatcher.busy:
                        await dispatcher.attempt_ended.wait()
                for to, sheet in channel.sent:
                    got[to].append(line(READERS[to], watch.now, sheet))
                channel.sent.clear()

    async def why(name: str, day: str) -> str:
        watch.now += HOUR / 60
        answer = await readers.ask(Requester(Address("outbox", name)), f"why {day}", watch.now)
        return answer.says[1]

    return got, why


def line(wanted: Preferences, now: datetime, sheet: OutboxMessage) -> str:
    """When it came by the reader's own clock, what it was, and what it says of what was missed."""
    local = now.astimezone(ZoneInfo(wanted.timezone))
    notes = [link.url.rpartition("/")[2] for link in sheet.page.actions]
    marks = [f"missed {', '.join(notes)}"] if notes else []
    marks += ["incomplete"] if sheet.page.notes else []
    return "; ".join([f"{local:%a %d %b %H:%M}: {sheet.page.about.slug}, {len(sheet.page.blocks)} papers", *marks])


# Each day at eight in Seoul. Off from Wednesday noon (UTC) to Friday noon: Tuesday's edition had come by then,
# Wednesday's was closed with Thursday's on Friday, for the archive, and Thursday's came at once, since Friday's would
# have taken its place before the morning. Without the feed Monday's closed three hours late from what was stored
# and came at once, Tuesday's closed when it was back, too late for that morning.
HANEUL = """
Tue 24 Mar 08:00: 2026-03-23, 5 papers
Wed 25 Mar 08:00: 2026-03-24, 5 papers
Fri 27 Mar 21:00: 2026-03-26, 5 papers; missed 2026-03-25
Sat 28 Mar 08:00: 2026-03-27, 5 papers
Tue 31 Mar 08:00: 2026-03-30, 5 papers
Wed 01 Apr 08:00: 2026-03-31, 5 papers
Thu 02 Apr 08:00: 2026-04-01, 5 papers
Fri 03 Apr 08:00: 2026-04-02, 5 papers
Sat 04 Apr 08:00: 2026-04-03, 5 papers
Tue 07 Apr 13:00: 2026-04-06, 5 papers; incomplete
Thu 09 Apr 08:00: 2026-04-08, 5 papers; missed 2026-04-07
Fri 10 Apr 08:00: 2026-04-09, 5 papers
Sat 11 Apr 08:00: 2026-04-10, 5 papers
"""

# The week closes on Sunday evening (UTC), which is Monday morning in Tokyo; no outage lay over a Sunday.
YUKI = """
Mon 23 Mar 08:00: 2026-W12, 10 papers
Mon 30 Mar 08:00: 2026-W13, 10 papers
Mon 06 Apr 08:00: 2026-W14, 10 papers
Mon 13 Apr 08:00: 2026-W15, 10 papers
"""

# All papers on her topics. Of Monday the 6th so little was stored that none of it was hers: nothing came.
WEI = """
Tue 24 Mar 07:30: 2026-03-23, 6 papers
Wed 25 Mar 07:30: 2026-03-24, 5 papers
Fri 27 Mar 20:00: 2026-03-26, 3 papers; missed 2026-03-25
Sat 28 Mar 07:30: 2026-03-27, 7 papers
Tue 31 Mar 07:30: 2026-03-30, 4 papers
Wed 01 Apr 07:30: 2026-03-31, 10 papers
Thu 02 Apr 07:30: 2026-04-01, 7 papers
Fri 03 Apr 07:30: 2026-04-02, 8 papers
Sat 04 Apr 07:30: 2026-04-03, 7 papers
Thu 09 Apr 07:30: 2026-04-08, 4 papers; missed 2026-04-07
Fri 10 Apr 07:30: 2026-04-09, 5 papers
Sat 11 Apr 07:30: 2026-04-10, 9 papers
"""

# March closes on its last evening; nine in the morning by summer time.
EMMA = """
Wed 01 Apr 09:00: 2026-03, 10 papers
"""

# Evenings, Sunday to Thursday. What closes on Thursday night gives way to Friday's edition before Sunday comes. Her
# hour of Wednesday the 25th was in the outage, and the edition was too old when it was over. Tuesday the 7th she got
# on Wednesday: it was closed at noon, and her hour was still to come.
AMINA = """
Tue 24 Mar 20:00: 2026-03-23, 3 papers
Sun 29 Mar 20:00: 2026-03-27, 3 papers; missed 2026-03-24, 2026-03-25, 2026-03-26
Tue 31 Mar 20:00: 2026-03-30, 3 papers
Wed 01 Apr 20:00: 2026-03-31, 3 papers
Thu 02 Apr 20:00: 2026-04-01, 3 papers
Sun 05 Apr 20:00: 2026-04-03, 3 papers; missed 2026-04-02
Tue 07 Apr 20:00: 2026-04-06, 3 papers; incomplete
Wed 08 Apr 20:00: 2026-04-07, 3 papers
Thu 09 Apr 20:00: 2026-04-08, 3 papers
Sun 12 Apr 20:00: 2026-04-10, 3 papers; missed 2026-04-09
"""

WHY = [
    ("haneul", "2026-03-24", "3월 25일 08:00에 보냈습니다."),
    ("haneul", "2026-03-25", "장애로 늦게 마감되어 발송하지 않고 지난 뉴스레터에만 실었습니다."),
    ("haneul", "2026-03-26", "3월 27일 21:00에 보냈습니다."),
    ("yuki", "2026-03-25", "3月30日08:00に送信しました。"),
    ("wei", "2026-03-25", "由于服务中断，这一期截稿较晚，只存入往期，没有发送。"),
    ("wei", "2026-04-06", "没有发送：这一期没有论文符合你的筛选条件。"),
    ("amina", "2026-04-03", "أُرسل في 5 أبريل، 20:00."),
    ("emma", "2026-03-25", "It was sent on 1 April, 09:00."),
]


async def test_five_readers_get_what_is_theirs_and_can_ask_why(reference: Path, tmp_path: Path) -> None:
    store = fresh_store(tmp_path)
    try:
        got, why = await live(reference, store, tmp_path / "outbox")
        expected = {"haneul": HANEUL, "yuki": YUKI, "wei": WEI, "emma": EMMA, "amina": AMINA}
        assert got == {name: lines.strip().splitlines() for name, lines in expected.items()}
        for name, day, said in WHY:
            assert (name, day, await why(name, day)) == (name, day, said)
        async with store.read() as connection:
            assert all(report.adds_up for report in await reports(connection))
    finally:
        await store.close()
