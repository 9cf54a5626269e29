"""The local feed server by raw HTTP: what it shows, refuses and records."""

from datetime import UTC, date, datetime

import pytest
from aiohttp import ClientSession

from tests.support.feed_client import MONDAY, TUESDAY, WEDNESDAY, ids
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, row

# What it shows


async def test_a_day_has_its_own_papers_by_votes(server: FeedServer, http: ClientSession) -> None:
    assert await ids(http, server, date=MONDAY) == ["2511.00002", "2511.00001"]


async def test_a_day_fills_up(server: FeedServer, http: ClientSession) -> None:
    server.now = datetime(2025, 11, 3, 8, tzinfo=UTC)
    assert await ids(http, server, date=MONDAY) == ["2511.00001"]
    server.now = datetime(2025, 11, 3, 7, 59, tzinfo=UTC)
    assert await ids(http, server, date=MONDAY) == []


async def test_a_row_without_a_time_of_day_is_listed_at_midnight(server: FeedServer, http: ClientSession) -> None:
    server.now = datetime(2025, 11, 5, tzinfo=UTC)
    assert sorted(await ids(http, server, date=WEDNESDAY)) == ["2511.00201", "2511.00202"]


async def test_without_a_date_the_newest_come_first(server: FeedServer, http: ClientSession) -> None:
    server.now = datetime(2025, 11, 4, 0, 15, tzinfo=UTC)
    expected = ["2511.00102", "2511.00101", "2511.00100", "2511.00002", "2511.00001"]
    assert await ids(http, server) == expected


@pytest.mark.parametrize("period", [{"week": "2025-W45"}, {"month": "2025-11"}])
async def test_a_week_and_a_month_hold_all_their_days(
    server: FeedServer, http: ClientSession, period: dict[str, str]
) -> None:
    server.days[date(2025, 10, 31)] = [row("2510.99999", day=date(2025, 10, 31), votes=99)]
    pages = [await ids(http, server, limit=40, p=p, **period) for p in range(3)]
    assert pages[0][:2] == ["2511.00002", "2511.00159"]
    assert [len(page) for page in pages] == [40, 24, 0]


async def test_weekends_are_empty(server: FeedServer, http: ClientSession) -> None:
    saturday, friday = date(2025, 11, 1), date(2025, 10, 31)
    server.days[saturday] = [row("2511.00301", day=friday)]
    assert await ids(http, server, date=saturday) == []
    assert "2511.00301" not in await ids(http, server, month="2025-11", limit=100)
    with pytest.raises(ValueError, match="weekend"):
        row("2511.00301", day=saturday)


async def test_ties_have_no_stable_order_but_pages_fit_together(server: FeedServer, http: ClientSession) -> None:
    polls = [[await ids(http, server, date=TUESDAY, limit=25, p=p) for p in range(4)] for _ in range(2)]
    assert [len(page) for page in polls[0]] == [25, 25, 10, 0]
    assert polls[0][0] != polls[1][0]
    for pages in polls:
        assert len({paper for page in pages for paper in page}) == 60
        votes = [int(paper[-2:]) // 10 for page in pages for paper in page]
        assert votes == sorted(votes, reverse=True)


async def test_a_page_has_fifty_rows_unless_asked(server: FeedServer, http: ClientSession) -> None:
    assert len(await ids(http, server, date=TUESDAY)) == 50
    assert len(await ids(http, server, date=TUESDAY, limit=100)) == 60


async def test_links_lead_through_all_pages(server: FeedServer, http: ClientSession) -> None:
    server.page_cap = 20
    url, seen = f"{server.url}?date={TUESDAY}&limit=100", list[str]()
    for more in (True, True, False):
        async with http.get(url) as answer:
            seen += [row["paper"]["id"] for row in await answer.json()]
            assert ("next" in answer.links) == more
            url = str(answer.links["next"]["url"]) if more else ""
            assert not more or answer.headers["Link"].endswith('; rel="next"')
    assert len(seen) == len(set(seen)) == 60


async def test_papers_move_leave_and_gain_votes_between_polls(server: FeedServer, http: ClientSession) -> None:
    first, second = server.days[MONDAY]
    first["paper"]["upvotes"] = 10
    assert await ids(http, server, date=MONDAY) == ["2511.00001", "2511.00002"]
    server.days[WEDNESDAY].append(server.days[MONDAY].pop(0))
    assert await ids(http, server, date=MONDAY) == [second["paper"]["id"]]
    assert "2511.00001" in await ids(http, server, date=WEDNESDAY)


async def test_the_days_given_are_left_as_they_were() -> None:
    days = {MONDAY: [row("2511.00001", day=MONDAY, votes=5)]}
    FeedServer(days).days[MONDAY][0]["paper"]["upvotes"] = 6
    assert days[MONDAY][0]["paper"]["upvotes"] == 5


async def test_the_clock_starts_after_the_last_days_closing_and_can_be_given() -> None:
    moment = datetime(2025, 11, 3, 1, tzinfo=UTC)
    assert FeedServer({MONDAY: []}).clock() == datetime(2025, 11, 3, 22, 0, 1, tzinfo=UTC)
    assert FeedServer({MONDAY: []}, clock=lambda: moment).now == moment
    with pytest.raises(ValueError, match="zone"):
        FeedServer({}).now = datetime(2025, 11, 3)  # noqa: DTZ001


def test_a_row_puts_each_field_where_the_api_does() -> None:
    organization = {"name": "lab", "fullname": "A Lab"}
    made = row(
        "2511.00001",
        day=MONDAY,
        hour=20.5,
        authors=["Cy Third"],
        organization=organization,
        numComments=4,
        githubStars=3,
        publishedAt="2024-05-01T00:00:00.000Z",
    )
    assert made["organization"] == made["paper"]["organization"] == organization
    assert (made["numComments"], made["paper"]["githubStars"]) == (4, 3)
    assert "numComments" not in made["paper"]
    assert "githubStars" not in made
    assert made["paper"]["authors"][0]["name"] == "Cy Third"
    assert made["paper"]["submittedOnDailyAt"] == "2025-11-03T20:30:00.000Z"
    assert made["paper"]["publishedAt"] == "2024-05-01T00:00:00.000Z"


# What it refuses


@pytest.mark.parametrize(
    "query",
    [
        "date=2025-11-3",
        "date=20251103",
        "date=2025-11-31",
        "date=yesterday",
        "date=",
        "date=2025-11-03T00:00:00Z",
        "date=2025-11-06",
        "week=2025-45",
        "week=2025-W54",
        "week=9999-W52",
        "week=2025-W46",
        "month=2025-13",
        "month=2025-1",
        "month=2025-12",
        "date=2025-11-03&week=2025-W45",
        "week=2025-W45&month=2025-11",
        "date=2025-11-03&date=2025-11-04",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=",
        "p=-1",
        "p=one",
        "page=1",
        "sort=votes",
    ],
)
async def test_a_wrong_question_is_refused_whatever_the_fault(
    server: FeedServer, http: ClientSession, query: str
) -> None:
    server.fault = Fault.empty
    async with http.get(f"{server.url}?{query}") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]
    assert server.fault is Fault.empty


async def test_tomorrow_is_refused_until_it_has_come(server: FeedServer, http: ClientSession) -> None:
    server.now = datetime(2025, 11, 3, 23, 59, 59, tzinfo=UTC)
    async with http.get(server.url, params={"date": "2025-11-04"}) as answer:
        assert answer.status == 400
    server.now = datetime(2025, 11, 4, tzinfo=UTC)
    assert await ids(http, server, date=TUESDAY) == ["2511.00100"]


async def test_only_reading_is_allowed_and_only_here(server: FeedServer, http: ClientSession) -> None:
    for method in ("POST", "HEAD", "DELETE"):
        async with http.request(method, server.url) as answer:
            assert answer.status == 405
    async with http.get(server.url + "/search") as answer:
        assert answer.status == 404
    assert [asked.method for asked in server.requests] == ["POST", "HEAD", "DELETE", "GET"]


async def test_the_rate_limit_is_told_kept_and_ends_with_its_window(server: FeedServer, http: ClientSession) -> None:
    server.quota, server.now = 2, datetime(2025, 11, 5, 12, 4, 50, tzinfo=UTC)
    told = []
    for _ in range(3):
        async with http.get(server.url) as answer:
            told.append((answer.status, answer.headers["RateLimit"]))
            assert answer.headers["RateLimit-Policy"] == '"fixed window";"api";q=2;w=300'
    assert told == [(200, '"api";r=1;t=10'), (200, '"api";r=0;t=10'), (429, '"api";r=0;t=10')]
    server.now = datetime(2025, 11, 5, 12, 5, tzinfo=UTC)
    async with http.get(server.url) as answer:
        assert (answer.status, answer.headers["RateLimit"]) == (200, '"api";r=1;t=300')


async def test_etags_only_when_switched_on(server: FeedServer, http: ClientSession) -> None:
    async with http.get(server.url) as answer:
        assert "ETag" not in answer.headers
    server.etags = True
    query = {"date": str(TUESDAY)}
    async with http.get(server.url, params=query) as answer:
        tag = answer.headers["ETag"]
    # The order of ties has changed by now; what is listed has not.
    async with http.get(server.url, params=query, headers={"If-None-Match": f'"other", {tag}'}) as answer:
        assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
    server.days[TUESDAY][0]["paper"]["upvotes"] = 70
    async with http.get(server.url, params=query, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200
        assert answer.headers["ETag"] != tag


async def test_requests_are_kept(server: FeedServer, http: ClientSession) -> None:
    async with http.get(server.url, params={"limit": "7"}, headers={"User-Agent": "reader/1"}):
        pass
    (asked,) = server.requests
    assert (asked.method, asked.path, dict(asked.query)) == ("GET", "/api/daily_papers", {"limit": "7"})
    assert asked.headers["user-agent"] == "reader/1"
