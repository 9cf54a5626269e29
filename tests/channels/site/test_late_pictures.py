"""Pictures and recordings that came late are added to a site's page once, however the program ends meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.channel import Deferred, Kit, Message, Outcome, Personal
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.page_completion import LATEST, REDRAWN, TRY_AGAIN, PageCompleter, page_completer
from bot.delivery.session import Session
from bot.model import Address, Cadence, Paper, Preferences, Status, Style
from bot.runtime.locks import make_locks
from bot.store import Store, completed_pages, subscriber_queries
from bot.store.schema import deliveries
from channels.site.channel import Site
from channels.site.settings import Settings
from tests.support.fake_channel import NOW, publish, settle
from tests.support.pages import kit
from tests.support.site_channel import contents, run_git

SLUG = "2025-11-03"
MINUTE = timedelta(minutes=1)


@dataclass
class Press:
    """A site, a store with an edition that is owed to it, and what has been drawn and recorded of that so far."""

    store: Store
    kit: Kit
    blog: Path
    settings: Settings = field(default_factory=lambda: Settings.model_validate({"SITE_GIT": "commit"}))
    drawn: dict[str, Path] = field(default_factory=dict)
    is_read_aloud: bool = False
    channel: Site = field(init=False)
    completer: PageCompleter = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start like a process that knows nothing but what is stored."""

        def media(slug: str, language: str, name: str) -> Path | None:
            return self.drawn.get(name) if (slug, language) == (SLUG, "en") else None

        known: Callable[[Paper], bool] = lambda paper: "paper" in self.drawn  # noqa: E731
        self.channel = Site(self.blog.parent, self.settings, replace(self.kit, media=media, pictures_known=known))
        self.locks = make_locks(self.store.engine.url, self.store.path)
        session = Session(self.channel)
        completer = page_completer(self.store, self.locks, session, self._awaits)
        assert completer is not None
        self.completer = completer

    async def restart(self) -> None:
        """Restart."""
        await self.locks.close()
        self.start()

    async def _awaits(self, cadence: Cadence, day: date, language: str) -> bool:
        return self.is_read_aloud and "episode-headline.mp3" not in self.drawn

    def come(self, *names: str, content: bytes = b"a picture") -> None:
        """Have these pictures and recordings made."""
        for name in names:
            self.drawn[name] = self.kit.home / name
            self.drawn[name].write_bytes(content)

    async def deliver(self, now: datetime = NOW + 10 * MINUTE) -> None:
        """Deliver the edition, once nothing is waited for any more."""
        dispatcher = Dispatcher(self.store, self.channel, self.locks)
        await settle(dispatcher, now)

    async def complete(self, now: datetime) -> bool:
        await self.locks.take(self.completer.role)
        return await self.completer.step(now)

    @property
    def commits(self) -> int:
        return len(run_git(self.blog, "log", "--format=%s").splitlines())

    @property
    def shown(self) -> list[str]:
        """The edition's pictures and recordings that the page shows."""
        html = (self.blog / f"{SLUG}.html").read_text(encoding="utf-8")
        return [name for name in contents(self.blog) if name.startswith(("images/", "audio/")) and name in html]


async def put(store: Store, style: Style) -> None:
    """A site that is owed an edition at once."""
    wanted = Preferences(style=style, hour=22 * 60)
    async with store.write() as connection:
        await subscriber_queries.add(connection, Address("site", "blog"), wanted, now=NOW)
    await publish(store, {})


@pytest.fixture
async def press(store: Store, tmp_path: Path, blog: Path) -> AsyncIterator[Press]:
    await put(store, Style.TRANSLATION)
    run_git(tmp_path, "init", "--quiet", "--initial-branch=main", str(blog))
    made = Press(store, kit(tmp_path), blog)
    yield made
    await made.locks.close()


async def test_what_came_late_is_added_and_committed_once(press: Press) -> None:
    await press.deliver()
    assert press.shown == []
    assert press.commits == 1
    assert not await press.complete(NOW + 60 * MINUTE), "nothing is there yet"
    press.come("keywords.png", "trend.png", "poster.png")
    assert not await press.complete(NOW + REDRAWN - MINUTE), "a poster may be drawn again"
    assert await press.complete(NOW + REDRAWN)
    assert sorted(press.shown) == [f"images/{SLUG}_{name}.png" for name in ("keywords", "poster", "trend")]
    assert press.commits == 2
    press.come("episode-headline.mp3", "poster.png", content=b"later still")
    await press.restart()
    assert not await press.complete(NOW + LATEST + 60 * MINUTE)
    assert press.commits == 2
    async with press.store.read() as connection:
        assert list(await connection.execute(select(deliveries.c.state, deliveries.c.attempts))) == [("sent", 1)]


async def test_a_recording_is_waited_for_three_hours_and_no_longer(press: Press) -> None:
    press.is_read_aloud = True
    press.come("poster.png")
    await press.deliver(NOW)
    assert not await press.complete(NOW + REDRAWN)
    press.come("keywords.png")
    assert await press.complete(NOW + LATEST)
    assert f"images/{SLUG}_keywords.png" in press.shown
    press.come("episode-headline.mp3")
    assert not await press.complete(NOW + LATEST + MINUTE)
    assert press.commits == 2


async def test_with_a_recording_nothing_more_is_waited_for(press: Press) -> None:
    press.is_read_aloud = True
    press.come("poster.png")
    await press.deliver(NOW)
    press.come("episode-headline.mp3")
    assert await press.complete(NOW + REDRAWN)
    assert f"audio/{SLUG}.mp3" in press.shown
    assert press.commits == 2


async def test_a_page_that_was_whole_is_not_touched(press: Press) -> None:
    press.come("keywords.png", "trend.png", "poster.png")
    await press.deliver(NOW)
    before = contents(press.blog)
    assert await press.complete(NOW + REDRAWN)
    assert contents(press.blog) == before
    assert press.commits == 1


async def test_a_run_from_cron_completes_its_page_and_the_next_run_what_was_missing(press: Press) -> None:
    await press.deliver()
    press.come("poster.png")
    await press.locks.take(press.completer.role)
    assert await press.completer.once(NOW + 11 * MINUTE), "there is no later step that would draw anything again"
    assert len(press.shown) == 1
    await press.restart()
    assert not await press.completer.once(NOW + timedelta(days=1))


class KilledError(BaseException):
    """The end of the process."""


@pytest.mark.parametrize("place", ["before", "written", "committed", "noted"])
async def test_killed_at_any_line_it_carries_on(press: Press, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await press.deliver()
    press.come("keywords.png", "poster.png")
    send, note = press.channel.send, completed_pages.note

    async def killed(*_: object, **__: object) -> Outcome:
        raise KilledError

    async def sent_and_killed(to: str, message: Message, personal: Personal) -> Outcome:
        await send(to, message, personal)
        raise KilledError

    async def noted_and_killed(*given: object) -> None:
        await note(*given)  # type: ignore[arg-type]
        raise KilledError

    with monkeypatch.context() as patch:
        if place == "before":
            patch.setattr(press.channel, "send", killed)
        elif place == "written":
            patch.setattr(press.channel, "_commit", killed)
        elif place == "committed":
            patch.setattr(press.channel, "send", sent_and_killed)
        else:
            patch.setattr("bot.store.completed_pages.note", noted_and_killed)
        with pytest.raises(KilledError):
            await press.complete(NOW + REDRAWN)
    await press.restart()
    assert await press.complete(NOW + REDRAWN + MINUTE)
    assert not await press.complete(NOW + REDRAWN + 2 * MINUTE)
    assert len(press.shown) == 2
    assert press.commits == 2


async def test_a_page_that_cannot_be_written_is_tried_again(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    await press.deliver()
    press.come("poster.png")
    tried = 0

    async def full(*_: object) -> Outcome:
        nonlocal tried
        tried += 1
        return Deferred("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(press.channel, "send", full)
        for minutes in (0, 1, 2):
            assert not await press.complete(NOW + REDRAWN + minutes * MINUTE)
        assert tried == 1
        assert not await press.complete(NOW + REDRAWN + TRY_AGAIN)
    assert tried == 2
    assert await press.complete(NOW + REDRAWN + 2 * TRY_AGAIN)
    assert len(press.shown) == 1


async def test_a_site_that_was_given_up_stays_as_it_is(press: Press) -> None:
    await press.deliver()
    press.come("poster.png")
    async with press.store.write() as connection:
        found = await subscriber_queries.get(connection, Address("site", "blog"))
        assert found is not None
        await subscriber_queries.set_status(connection, found.id, Status.UNSUBSCRIBED)
    assert not await press.complete(NOW + REDRAWN)
    assert press.shown == []


async def test_an_illustrated_page_waits_for_its_papers_pictures(store: Store, tmp_path: Path, blog: Path) -> None:
    await put(store, Style.HIGHLIGHTS)
    press = Press(store, kit(tmp_path), blog, Settings.model_validate({}))
    await press.deliver(NOW + 9 * MINUTE)
    assert contents(blog) == {}
    await press.deliver(NOW + 10 * MINUTE)
    number = NOW.date().toordinal() % 10_000 * 10
    (tmp_path / f"2511.{number:05}.thumb.jpg").write_bytes(b"JPEG")
    assert not await press.complete(NOW + REDRAWN)
    press.come("paper")
    assert await press.complete(NOW + REDRAWN + MINUTE)
    assert press.shown == [f"images/2511.{number:05}.thumb.jpg"]
    await press.locks.close()
