"""A strict local stand-in for the Daily Papers API: it replays days, and misbehaves when told to.

    async with FeedServer(recorded_days(folder)) as server:
        server.now = datetime(2025, 11, 3, 9, tzinfo=UTC)     # nothing listed later than this is shown
        server.fault = Fault.status(503).only(times=1)
        ...                                                   # a client that reads server.url
        assert server.requests[0].headers["User-Agent"]

By hand: python -m tests.support.feed_server --days FOLDER --port 8765 [--now 2026-04-29T23:00:00Z]
"""

import argparse
import asyncio
import copy
import hashlib
import json
import re
import signal
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

from aiohttp import web

from tests.support.feed_faults import PERIODS, Fault, Occasion, question

Row = dict[str, Any]
Clock = Callable[[], datetime]

API = "/api/daily_papers"
CLOSING = timedelta(hours=22)
WINDOW = 300  # seconds for which the API counts requests
DC = "http://purl.org/dc/elements/1.1/"
CALL = "Call for papers: an entry of the feed that is no paper"
ET.register_namespace("dc", DC)


def recorded_days(folder: Path) -> dict[date, list[Row]]:
    """The recordings in a folder, one YYYY-MM-DD.json for each day."""
    days = {date.fromisoformat(file.stem): json.loads(file.read_bytes()) for file in folder.glob("????-??-??.json")}
    if not days:
        raise FileNotFoundError(f"no recorded days in {folder}")
    return dict(sorted(days.items()))


def row(
    paper_id: str, *, day: date, hour: float | None = 8, votes: int = 1, title: str | None = None, **more: Any
) -> Row:
    """A row shaped as the API's, listed on `day` at `hour` (None: without a time of listing).

    `more` are further fields by their names in the API, each put on the level or levels where it belongs.
    """
    if day.weekday() >= 5:
        raise ValueError(f"{day} is at a weekend, when nothing is listed")
    written = _start(day) - timedelta(days=1)
    both = {
        "title": title or f"Paper {paper_id}",
        "summary": f"We study question {paper_id} and report what we found.",
    } | {name: more.pop(name) for name in ("summary", "organization", "mediaUrls") if name in more}
    outer = {
        "thumbnail": f"https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/{paper_id}.png",
        "numComments": 1,
        "submittedBy": {"_id": "0" * 24, "fullname": "Sam Reader", "name": "samreader", "type": "user"},
        "isAuthorParticipating": False,
    }
    outer |= {name: more.pop(name) for name in outer.keys() & more.keys()}
    paper = {"id": paper_id, "authors": ["Ada Example", "Bo Sample"], "publishedAt": _stamp(written), **both}
    if hour is not None:
        paper["submittedOnDailyAt"] = _stamp(_start(day) + timedelta(hours=hour))
    paper |= {"upvotes": votes, "discussionId": "1" * 24} | more
    paper["authors"] = [
        {"_id": f"{n:024x}", "name": who, "hidden": False} if isinstance(who, str) else who
        for n, who in enumerate(paper["authors"])
    ]
    # The outer time is New York's, with a Z for all that.
    return {"paper": paper, "publishedAt": _stamp(written - timedelta(hours=4)), **both, **outer}


@dataclass(frozen=True)
class Asked:
    """A request as it came, kept so that a test can look at what a client really sends."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class FeedServer:
    """The API on a port of this machine, at a time that the test decides.

    Papers may be added, moved, withdrawn and voted for through `days`, a copy of what was given. A wrong
    request is refused whatever fault is set, so that no fault can hide a mistake of the client.
    """

    def __init__(self, days: Mapping[date, list[Row]], *, clock: Clock | None = None, port: int = 0) -> None:
        self.days: dict[date, list[Row]] = copy.deepcopy(dict(days))
        self.page_cap: int | None = None  # a page holds at most this many, whatever was asked for
        self.etags = False
        self.tells_time = False  # in its answers' Date; else that is the machine's time
        self.quota = 500  # requests in one window of the simulated time
        self.requests: list[Asked] = []
        end = _start(max(days)) + CLOSING + timedelta(seconds=1) if days else datetime.now(UTC)
        self.clock: Clock = clock or (lambda: end)
        self.faults: list[Fault] = []
        self._rounds: Counter[str] = Counter()
        self._window, self._spent = 0, 0
        self._port, self._closing = port, asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._note])
        for path, handler in ((API, self._daily_papers), ("/rss", self._rss), ("/atom", self._atom)):
            app.router.add_get(path, handler, allow_head=False)
        app.on_response_prepare.append(self._count_down)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]  # kept: a server that comes back is found where it was
        origin = f"http://127.0.0.1:{self._port}"
        self.url, self.rss_url, self.atom_url = origin + API, origin + "/rss", origin + "/atom"
        self._closing.clear()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._closing.set()
        await self._runner.cleanup()

    @property
    def now(self) -> datetime:
        return self.clock()

    @now.setter
    def now(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("the clock needs a time with its zone")
        moment = moment.astimezone(UTC)
        self.clock = lambda: moment

    @property
    def fault(self) -> Fault | None:
        """The first of `faults`, which are those still waiting or at work; None when all are used up."""
        return self.faults[0] if self.faults else None

    @fault.setter
    def fault(self, fault: Fault | Sequence[Fault] | None) -> None:
        self.faults = [fault] if isinstance(fault, Fault) else list(fault or ())

    @web.middleware
    async def _note(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append(Asked(request.method, request.path, request.query, request.headers))
        return await handler(request)

    async def _count_down(self, request: web.Request, response: web.StreamResponse) -> None:
        if request.path == API:
            left, wait = max(0, self.quota - self._spent), WINDOW - int(self.now.timestamp()) % WINDOW
            response.headers.setdefault("RateLimit", f'"api";r={left};t={wait}')
            if self.tells_time:
                response.headers["Date"] = format_datetime(self.now.astimezone(UTC), usegmt=True)
            response.headers["RateLimit-Policy"] = f'"fixed window";"api";q={self.quota};w={WINDOW}'

    async def _daily_papers(self, request: web.Request) -> web.StreamResponse:
        now, query = self.now, request.query
        window = int(now.timestamp()) // WINDOW
        self._window, self._spent = window, self._spent + 1 if window == self._window else 1
        if self._spent > self.quota:
            return web.json_response({"error": "too many requests"}, status=429)
        period, number, size = question(query, now.date())
        size = min(size, self.page_cap or size)
        rows = self._shown(now, *period) if period else self._shown(now)
        # Ties come in another order each time a list is asked for. Its further pages keep that order:
        # were it to change between them, no client could read the whole list.
        selection = str([query.get(name) for name in PERIODS])
        self._rounds[selection] += number == 0
        if self._rounds[selection] % 2:
            rows.reverse()
        rows.sort(key=lambda listed: _votes(listed[1]) if period else listed[0].timestamp(), reverse=True)
        body = json.dumps([row for _, row in rows[number * size : (number + 1) * size]]).encode()
        headers = {}
        if self.etags:  # a weak one: it stands for what is listed, whatever the order of ties
            content = json.dumps([sorted(json.dumps(row, sort_keys=True) for _, row in rows), number, size])
            headers["ETag"] = f'W/"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
        if len(rows) > (number + 1) * size:
            headers["Link"] = f'<{request.url.update_query(p=number + 1)}>; rel="next"'
        return await self._send(request, body, "application/json", **headers)

    def _shown(self, now: datetime, first: date = date.min, last: date = date.max) -> list[tuple[datetime, Row]]:
        """What is listed by now, each with its time; nothing ever is at a weekend."""
        days = [day for day in sorted(self.days) if first <= day <= last and day.weekday() < 5]
        listed = [(_listed_at(day, row), row) for day in days for row in self.days[day]]
        return [(at, row) for at, row in listed if at <= now]

    async def _send(self, request: web.Request, body: bytes, kind: str, **headers: str) -> web.StreamResponse:
        """The good answer, unless a fault is set that fits the request."""
        for place, fault in enumerate(self.faults):
            if fault.fits(request.query.get("date")):
                self.faults[place : place + 1] = fault.used_once()
                return await fault.answer(Occasion(request, body, kind, self._closing))
        if headers.get("ETag") in re.split(r"\s*,\s*", request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, headers=headers)

    async def _rss(self, request: web.Request) -> web.StreamResponse:
        """The newest days in the shape of arXiv's own feeds: authors in one line, New York's time."""
        feed = ET.Element("rss", version="2.0")
        channel = ET.SubElement(feed, "channel")
        _alert(channel, title="cs.AI updates on arXiv.org", link=self.rss_url, description="Recorded papers.")
        for at, paper in self._newest():
            item = ET.SubElement(channel, "item")
            when = format_datetime(at.astimezone(timezone(timedelta(hours=-5))))
            if paper is None:
                _alert(item, title=CALL, link="https://example.org/call", guid="call-7", pubDate=when)
                continue
            name = paper["id"]
            words = f"arXiv:{name}v1 Announce Type: new \nAbstract: {paper['summary']}"
            _alert(item, title=paper["title"], link=f"https://arxiv.org/abs/{name}", description=words)
            ET.SubElement(item, "guid", isPermaLink="false").text = f"oai:arXiv.org:{name}v1"
            creators = ", ".join(author["name"] for author in paper["authors"])
            _alert(item, category="cs.AI", pubDate=when, **{f"{{{DC}}}creator": creators})
        return await self._send(request, ET.tostring(feed, "utf-8"), "application/rss+xml")

    async def _atom(self, request: web.Request) -> web.StreamResponse:
        """The same as Atom; here only the link tells which paper it is, and its version is not the first."""
        feed = ET.Element("feed", xmlns="http://www.w3.org/2005/Atom")
        _alert(feed, id=self.atom_url, title="Recorded papers", updated=_stamp(self.now))
        for at, paper in self._newest():
            link = f"https://arxiv.org/abs/{paper['id']}v2" if paper else "https://example.org/call"
            entry = ET.SubElement(feed, "entry")
            _alert(entry, id=uuid.uuid5(uuid.NAMESPACE_URL, link).urn, title=paper["title"] if paper else CALL)
            _alert(entry, published=_stamp(at), updated=_stamp(at), summary=paper["summary"] if paper else "")
            ET.SubElement(entry, "link", href=link, rel="alternate", type="text/html")
            for author in paper["authors"] if paper else ():
                _alert(ET.SubElement(entry, "author"), name=author["name"])
        return await self._send(request, ET.tostring(feed, "utf-8"), "application/atom+xml")

    def _newest(self) -> list[tuple[datetime, Row | None]]:
        """The papers of the three newest days that have any, and one entry (None) that is no paper."""
        listed = sorted(self._shown(self.now), key=itemgetter(0), reverse=True)
        days = sorted({at.date() for at, _ in listed})[-3:]
        papers = [(at, row["paper"]) for at, row in listed if at.date() in days]
        return [*papers[:1], (papers[0][0] if papers else self.now, None), *papers[1:]]


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _listed_at(day: date, row: Any) -> datetime:
    """When a paper appears on its day: at 00:00 if it does not say, or names a time before that day."""
    try:
        return max(_start(day), datetime.fromisoformat(row["paper"]["submittedOnDailyAt"]))
    except (KeyError, TypeError, ValueError):
        return _start(day)


def _votes(row: Any) -> float:
    try:
        return float(row["paper"]["upvotes"])
    except (KeyError, TypeError, ValueError):
        return 0


def _alert(parent: ET.Element, **said: str) -> None:
    for tag, text in said.items():
        ET.SubElement(parent, tag).text = text


async def rehearse(folder: Path, port: int, start: datetime | None) -> None:
    """Serve until told to stop; the clock runs on from the start, or from now."""
    begun, stop = time.monotonic(), asyncio.Event()
    first = (start or datetime.now(UTC)).astimezone(UTC)

    def clock() -> datetime:
        return first + timedelta(seconds=time.monotonic() - begun)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with FeedServer(recorded_days(folder), clock=clock, port=port) as server:
        print(server.url, flush=True)  # noqa: T201 - a command prints
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.support.feed_server", description="Replay recorded days.")
    parser.add_argument("--days", type=Path, required=True, help="folder of YYYY-MM-DD.json files")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument(
        "--now", type=datetime.fromisoformat, help="when the clock starts, such as 2026-04-29T23:00:00Z (else: now)"
    )
    given = parser.parse_args()
    asyncio.run(rehearse(given.days, given.port, given.now))
