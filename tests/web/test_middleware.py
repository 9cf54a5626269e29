"""Middleware: host check, limits of size, time and connections, health checks, and a log that names nobody."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.doctor import examine
from bot.settings import read
from bot.web import connections, server
from bot.web.client import preferred, rate_limit_key
from bot.web.connections import ConnectionLimiter
from bot.web.settings import WebSettings
from bot.web.urls import Urls
from tests.support.web_program import NOW, TOKEN, Served, some

PROXIES = read(WebSettings, {"TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8, 2001:db8::/32"}).proxies


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, public="https://papers.example.org") as opened:
        await opened.publish(*some(2))
        yield opened


@pytest.mark.parametrize("host", ["papers.example.org", "PAPERS.example.org:443"])
async def test_requests_for_our_host_are_answered(served: Served, host: str) -> None:
    assert (await served.get("/en/", Host=host)).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "papers.example.org.evil.example", "127.0.0.1", "papers.example.org:80", ""]
)
async def test_requests_for_another_host_are_refused(served: Served, host: str) -> None:
    answer = await served.get("/en/", Host=host)
    assert answer.status in {400, 421}
    assert answer.headers.get("Location") is None


async def test_without_a_public_address_only_this_machines_names_are_answered(tmp_path: Path) -> None:
    async with Served(tmp_path) as local:
        assert (await local.get("/en/")).status == 200
        assert (await local.get("/en/", Host="localhost:8080")).status == 200
        assert (await local.get("/en/", Host="rebound.example")).status == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_only_get_and_head_are_allowed_on_pages(served: Served, method: str) -> None:
    answer = await served.get("/en/2026-04-29", method=method, Host="papers.example.org")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,HEAD"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def raw(served: Served, sent: bytes, *, ends: bool = False) -> bytes:
    """What is answered to bytes, until the connection is closed."""
    assert served.web.address is not None
    reader, writer = await asyncio.open_connection(*served.web.address)
    writer.write(sent)
    if ends:
        writer.write_eof()
    answered = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answered


async def test_header_size_is_limited(served: Served) -> None:
    for sent in (
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: papers.example.org\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: papers.example.org\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: papers.example.org\r\n" + b"X-Many: a\r\n" * 500 + b"\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: papers.example.org\r\nContent-Length: x\r\n\r\n",
    ):
        assert b" 400 " in (await raw(served, sent))[:14], sent[:60]


async def test_a_request_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE", 0.2)
    async with Served(tmp_path) as served:
        for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
            assert await raw(served, sent) == b""


async def test_the_number_of_connections_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 5)
    monkeypatch.setattr(ConnectionLimiter.__init__, "__defaults__", (5, connections.STUCK))
    async with Served(tmp_path) as served:
        assert served.web.address is not None
        crowd = [await asyncio.open_connection(*served.web.address) for _ in range(5)]
        await served_once(served)
        assert await raw(served, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
        for _, writer in crowd:
            writer.close()
            await writer.wait_closed()
        while True:
            try:
                assert (await served.get("/healthz")).status == 200
            except OSError:
                continue
            break


async def served_once(served: Served) -> None:
    """Let the server see what has connected."""
    for _ in range(10):
        await asyncio.sleep(0)


class _Transport:
    """As much of a transport as is looked at."""

    def __init__(self, left: int) -> None:
        self.left, self.aborted = left, False

    def get_write_buffer_size(self) -> int:
        return self.left

    def abort(self) -> None:
        self.aborted = True


class _Connection:
    def __init__(self, left: int) -> None:
        self.transport = _Transport(left)


class _Server:
    def __init__(self, *connections: _Connection) -> None:
        self.connections = list(connections)


def test_a_client_that_reads_nothing_is_cut_off() -> None:
    stuck, slow, done = _Connection(1000), _Connection(1000), _Connection(0)
    gate = ConnectionLimiter(_Server(stuck, slow, done), stuck=20)  # type: ignore[arg-type]
    for second in range(0, 41, 2):
        slow.transport.left -= 10
        gate.look(lambda now=second: float(now))  # type: ignore[misc]
        assert stuck.transport.aborted == (second >= 20)
    assert not slow.transport.aborted
    assert not done.transport.aborted


async def test_the_access_log_names_neither_visitors_nor_searches(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await served.get("/en/search?q=my+secret+illness", Host="papers.example.org", X_Forwarded_For="198.51.100.7")
    await served.get("/settings/some.token-abcdef", Host="papers.example.org")
    await raw(served, b"GET /\x00secret HTTP/9.9\r\n\r\n", ends=True)
    lines = [record.__dict__ for record in caplog.records if record.name.startswith(("bot", "aiohttp"))]
    asked = [
        (line.get("method"), line.get("page"), line.get("status"))
        for line in lines
        if line["msg"] == "request answered"
    ]
    assert asked[:2] == [("GET", "/{language}/search", 200), ("GET", "/{language}/{slug}", 404)]
    said = " ".join(str(line) for line in lines)
    for private in ("illness", "198.51.100.7", "127.0.0.1:", "token-abcdef", "secret"):
        assert private not in said.replace("papers.example.org", ""), private


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("2001:db8::1", ["2a00:1:2:3:4:5:6:7"], "2a00:1:2:3::/64"),
        (None, ["203.0.113.9"], ""),
    ],
)
def test_a_proxy_is_believed_only_where_it_is_trusted(peer: str | None, forwarded: list[str], counted: str) -> None:
    assert rate_limit_key(peer, forwarded, PROXIES) == counted


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3))
def test_any_header_is_answered(accepts: str, forwarded: list[str]) -> None:
    assert preferred(accepts, "en")
    rate_limit_key("127.0.0.1", forwarded, PROXIES)


async def test_health_checks_and_metrics(served: Served) -> None:
    assert (await served.get("/healthz")).status == 200
    assert (await served.get("/readyz")).status == 404
    assert (await served.get("/metrics", Authorization="Bearer wrong")).status == 404
    opened = {"Authorization": f"Bearer {TOKEN}"}
    unread = await served.get("/readyz", **opened)
    assert (unread.status, '"ready": false' in unread.text) == (503, True)
    await served.polled(NOW - timedelta(minutes=20))
    assert (await served.get("/readyz", **opened)).status == 200
    served.now += timedelta(hours=2)
    assert (await served.get("/readyz", **opened)).status == 503


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({}, None),
        ({"WEB_PORT": "8080"}, "ok"),
        ({"PUBLIC_URL": "https://papers.example.org"}, "ok"),
        ({"PUBLIC_URL": "http://papers.example.org"}, "advice"),
    ],
)
async def test_the_doctor_checks_the_web_server(tmp_path: Path, given: dict[str, str], level: str | None) -> None:
    found = await examine(tmp_path, {"FEED_URL": "http://127.0.0.1:9/", **given})
    assert [finding.level for finding in found if finding.subject == "web"] == ([] if level is None else [level])


@pytest.mark.parametrize(
    ("public", "origin", "root"),
    [
        ("https://Papers.Example.org:443/lab/", "https://papers.example.org", "/lab"),
        ("http://papers.example.org:8080", "http://papers.example.org:8080", ""),
        ("http://papers.example.org:80", "http://papers.example.org", ""),
    ],
)
async def test_a_client_is_counted_the_same_however_its_address_is_written(
    tmp_path: Path, public: str, origin: str, root: str
) -> None:
    places = Urls.below(public)
    assert (places.origin, places.root) == (origin, root)
    async with Served(tmp_path, public=public) as opened:
        host = origin.partition("//")[2]
        assert (await opened.get(f"{root}/en/", Host=host)).status == 200
        assert (await opened.get(f"{root}/en/", Host=host.upper())).status == 200


@pytest.mark.parametrize("proxies", ["", "127.0.0.0/8"])
async def test_connections_of_one_client_are_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxies: str
) -> None:
    monkeypatch.setattr(connections, "MOST_PER_CLIENT", 5)
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with Served(tmp_path, TRUSTED_PROXIES=proxies) as served:
        assert served.web.address is not None
        crowd = [await asyncio.open_connection(*served.web.address) for _ in range(5)]
        await served_once(served)
        # A proxy stands for many visitors, and keeps each of them within bounds itself.
        try:
            answered = await raw(served, ask)
        except ConnectionError:
            answered = b""
        assert answered.startswith(b"HTTP/1.1 200") == bool(proxies)
        reader, writer = await asyncio.open_connection(*served.web.address, local_addr=("127.0.0.2", 0))
        writer.write(ask)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        for _, each in [*crowd, (reader, writer)]:
            each.close()
            await each.wait_closed()
