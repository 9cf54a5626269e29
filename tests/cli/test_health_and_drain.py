"""`papers health` and `papers drain`, and the port for probes that any process can have."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Self

import aiohttp
import pytest

from bot import app
from bot import service as service_module
from bot.channel import LoginError, Pace
from bot.runtime import supervisor
from bot.runtime.locks import OWNER, Holder, holding, make_locks, this_process
from bot.runtime.locks.lock import described
from bot.runtime.locks.role_names import every_role
from bot.runtime.role_status import USUAL, RoleStatus
from bot.service import Role
from bot.store import Store, drain_requests, listening_outages
from bot.web import health as web_health
from tests.delivery.test_kills import crowd
from tests.support.command import papers_command
from tests.support.fake_channel import FakeChannel
from tests.support.papers_program import Papers
from tests.support.postgres import Postgres

LIMIT = 60.0
"""Seconds after which something that should happen is said to hang."""


async def test_health_names_who_has_which_role(store: Store, database: str, tmp_path: Path) -> None:
    def health(*words: str) -> tuple[int, str]:
        done = papers_command(tmp_path, "health", *words, url=database)
        return done.returncode, done.stdout + done.stderr

    locks = make_locks(store.engine.url, store.path)
    assert (await asyncio.to_thread(health, "--role", "poll")) == (1, "No process has the role poll.\n")
    async with holding(locks, "poll", "listen:fake", "owner:0123"):
        code, said = await asyncio.to_thread(health)
        assert (code, said.count(f"process {os.getpid()} on ")) == (0, 4 if store.path is None else 3)
        assert (await asyncio.to_thread(health, "--role", "poll", "--json"))[0] == 0
        assert (await asyncio.to_thread(health, "--role", "deliver"))[0] == 0
        assert "0123" not in said
    await locks.close()
    assert (await asyncio.to_thread(health)) == (0, "Nothing runs.\n")


@pytest.mark.parametrize("by_id", [False, True], ids=["this machine", "by its id"])
async def test_drain_ends_a_process_with_what_it_had_begun(papers: Papers, *, by_id: bool) -> None:
    assert (await papers("drain")).out == "Nothing runs on this machine.\n"
    process = await papers.start("run")
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(LIMIT):
        while b"closes at" not in said:
            said += await process.stdout.readline()
        assert (await papers("health", "--role", "deliver")).code == 0
        shown = json.loads((await papers("health", "--json")).out)
        [number] = {Holder("", each["process"]).id for each in shown}
        assert number is not None
        assert (await papers("drain", "0a0a0a0a")).out.startswith("Nothing runs as 0a0a0a0a")
        done = await papers("drain", *([number] if by_id else []))
        assert (done.code, done.out) == (0, "Drained: 1.\n"), done.err
        _, log = await process.communicate()
    assert process.returncode == 0, log.decode()


async def test_every_role_that_a_job_takes_has_its_name_in_one_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upgrades and moves take all of them, so one that is missing there would go on beside."""
    channel = FakeChannel(pace=Pace(exclusive=True))
    monkeypatch.setattr(app, "open_channel", lambda name, *_: channel)
    given = {
        "LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "LLM_MODEL": "m",
        "TTS": "espeak",
        "FEED_URL": "http://127.0.0.1:9/",
    }
    async with app.open_app(tmp_path, given) as service:
        jobs = service._jobs(frozenset(Role)).values()
        taken = {role for job in jobs for role in job.roles() if not role.startswith(OWNER)}
    assert taken >= {"poll", "keep", "write", "illustrate", "narrate", "deliver:fake", "listen:fake"}
    assert taken <= set(every_role(["fake"]))


async def test_processes_of_one_name_on_hosts_of_one_name_are_told_apart(store: Store) -> None:
    """Containers may all be process 1, and their hosts share a name: only the one that was asked drains."""
    ours = Holder(
        "poll", described({"pid": 1, "host": "papers", "since": "2026-04-29T08:00:00+00:00", "id": "1a2b3c4d"})
    )
    assert (ours.pid, ours.host, ours.id) == (1, "papers", "1a2b3c4d")
    assert Holder("poll", "process 1 on papers since 2026-04-29T08:00:00+00:00").id is None  # of an earlier version
    async with store.write() as connection:
        await drain_requests.ask(connection, ["1a2b3c4d", this_process()])
    assert not await drain_requests.is_asked(store, "5e6f7a8b")
    assert await drain_requests.is_asked(store, this_process())
    assert not await drain_requests.is_asked(store, this_process())  # asked once
    async with store.write() as connection:
        assert await drain_requests.withdraw(connection, ["1a2b3c4d"])


async def test_a_drained_process_claims_nothing_more_and_finishes_what_it_has(
    store: Store, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = FakeChannel(hold=asyncio.Event(), pace=Pace(concurrency=2))
    monkeypatch.setattr(app, "configured", lambda environ: ["fake"])
    monkeypatch.setattr(app, "open_channel", lambda name, *_: channel)
    await crowd(store, 5)
    stop = asyncio.Event()
    async with app.open_app(tmp_path, {"DATABASE_URL": database, "HEALTH_PORT": "0"}) as service:
        work = asyncio.create_task(service.run(stop, frozenset({Role.DELIVER})))
        async with asyncio.timeout(LIMIT):
            await channel.busy.wait()
            service.drain.set()
            while not service.channel_jobs[0].dispatcher.draining:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)
            assert not work.done()
            assert channel.hold is not None
            channel.hold.set()
            await work
    assert len(channel.reached) == 2


async def test_a_look_for_requests_that_fails_ends_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([OSError("no line"), None])

    async def fails_once(*given: object) -> None:
        if (fault := next(looks)) is not None:
            raise fault
        stop.set()

    monkeypatch.setattr(service_module, "drain_when_told", fails_once)
    monkeypatch.setattr(supervisor, "SHORTEST_BACKOFF", 0.0)
    monkeypatch.setattr(app, "configured", lambda environ: [])
    stop = asyncio.Event()
    async with app.open_app(tmp_path, {"DATABASE_URL": database}) as service, asyncio.timeout(LIMIT):
        await service.run(stop, frozenset())
    assert stop.is_set()


async def test_any_process_can_have_a_port_for_probes(
    store: Store, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "configured", lambda environ: ["fake"])
    monkeypatch.setattr(app, "open_channel", lambda name, *_: FakeChannel())
    stop = asyncio.Event()
    token = "0123456789abcdef"
    environ = {"DATABASE_URL": database, "HEALTH_PORT": "0", "METRICS_TOKEN": token, "FEED_URL": "http://127.0.0.1:9/"}
    async with app.open_app(tmp_path, environ) as service, asyncio.timeout(LIMIT), aiohttp.ClientSession() as client:
        assert service.web is None
        assert service.probes is not None
        work = asyncio.create_task(service.run(stop, frozenset({Role.DELIVER})))
        await service.probes.listening.wait()
        assert service.probes.address is not None
        root = "http://{}:{}".format(*service.probes.address)
        while service.status.report().get("deliver:fake", {}).get("seconds_since_turn") is None:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        async with client.get(f"{root}/healthz") as answer:
            told = await answer.json()
            assert answer.status == 200
        assert told["alive"]
        assert told["jobs"]["deliver:fake"]["works"]
        async with client.get(f"{root}/metrics") as answer:
            assert answer.status == 404
        async with client.get(f"{root}/metrics", headers={"Authorization": f"Bearer {token}"}) as answer:
            metrics = await answer.text()
        assert 'papers_role_held_seconds{role="deliver:fake"}' in metrics
        assert 'papers_role_takeovers{role="deliver:fake"} 1.0' in metrics
        assert ("papers_oldest_snapshot_seconds" in metrics) == (store.path is None)
        job = service.status.jobs["deliver:fake"]
        monkeypatch.setattr(service.status, "_clock", lambda: (job.turned_at or 0.0) + 2 * USUAL)
        async with client.get(f"{root}/healthz") as answer:
            assert (answer.status, (await answer.json())["alive"]) == (503, False)
        stop.set()
        await work


def test_a_job_that_hangs_is_stuck_and_one_that_waits_is_not() -> None:
    now = 0.0
    status = RoleStatus(lambda: now)
    for name in ("deliver:fake", "poll", "listen:fake", "keep"):
        status.works(name)
    status.waits("keep")
    now = USUAL + 1
    assert status.stuck() == ["deliver:fake"]
    status.turned("deliver:fake")
    assert status.stuck() == []
    now = 2000.0
    assert status.stuck() == ["deliver:fake", "poll"]


async def test_a_job_that_fails_and_tries_again_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a revoked token would have all that its process does restarted every few minutes."""
    refusals: list[Exception] = [ConnectionError("no network"), LoginError("TELEGRAM_TOKEN is not right.")]

    class Refused(FakeChannel):
        async def __aenter__(self) -> Self:
            now[0] += USUAL - 1
            tried.set()
            raise refusals.pop(0) if refusals else LoginError("TELEGRAM_TOKEN is not right.")

    now, tried, stop = [0.0], asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(app, "configured", lambda environ: ["fake"])
    monkeypatch.setattr(app, "open_channel", lambda name, *_: Refused())
    monkeypatch.setattr(supervisor, "SHORTEST_BACKOFF", 0.001)
    async with app.open_app(tmp_path, {"FEED_URL": "http://127.0.0.1:9/"}) as service, asyncio.timeout(LIMIT):
        monkeypatch.setattr(service.status, "_clock", lambda: now[0])
        work = asyncio.create_task(service.run(stop, frozenset({Role.DELIVER})))
        while now[0] < 5 * USUAL:
            tried.clear()
            await tried.wait()
            assert service.status.stuck() == []
        stop.set()
        await work


def test_one_round_may_be_a_whole_recording_or_those_of_all_readers() -> None:
    now = 0.0
    status = RoleStatus(lambda: now)
    for name in ("narrate", "follow:telegram"):
        status.works(name)
    now = 7200.0
    assert status.stuck() == []


async def test_a_database_that_hangs_delays_no_probe(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    async def hangs(connection: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(web_health, "PATIENCE", 0.01)
    monkeypatch.setattr(listening_outages, "load", hangs)
    async with asyncio.timeout(LIMIT):
        assert await web_health.listening(store) == {}
        given_up = [each for each in asyncio.all_tasks() if each.get_name() == "listening outages"]
        await asyncio.gather(*given_up, return_exceptions=True)


async def test_health_is_told_by_whichever_process_is_asked(postgres: Postgres, migrated: str, tmp_path: Path) -> None:
    url = postgres.url(postgres.create(template=migrated))
    store = Store.open(url, tmp_path)
    first, second = make_locks(store.engine.url, None), make_locks(store.engine.url, None)
    await first.take("poll")
    assert [each.role for each in await second.holders() if not each.role.startswith("process:")] == ["poll"]
    await first.close()
    await second.take("poll")
    [holder] = [each for each in await second.holders() if each.role == "poll"]
    assert holder.takeovers == 0, "it was given back"
    assert holder.pid == os.getpid()
    await second.close()
    await store.close()
