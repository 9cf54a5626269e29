"""Subscribing and unsubscribing on the web, by mail and by hand: what a reader does, and what a stranger cannot."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model import Address, Found, Reason, Status, Style
from bot.render.words import words
from bot.store import one_time_tokens, paper_queries, subscriber_queries
from bot.store.one_time_tokens import Purpose
from tests.support.mail_program import ADA, HOST, Mailed, path_in
from tests.support.pages import paper
from tests.support.web_program import NOW, some


@pytest.fixture
async def mailed(tmp_path: Path) -> AsyncIterator[Mailed]:
    async with Mailed(tmp_path) as opened:
        await opened.served.publish(*some(3))
        yield opened


async def test_subscribing_is_confirmed_by_mail(mailed: Mailed) -> None:
    asked = await mailed.post("/ko/subscribe", address=" Ada+Papers@Example.ORG ", style="abstract")
    assert asked.status == 200
    assert await mailed.reader("ada+papers@example.org") is None
    letter = await mailed.letter()
    assert letter.to == ["ada+papers@example.org"]
    assert letter.mail["List-Unsubscribe"] is None
    assert letter.mail["Content-Language"] == "ko"
    path = path_in(letter)
    for _ in range(3):  # scanners follow every link
        shown = await mailed.get(path)
        assert shown.status == 200
    assert await mailed.reader("ada+papers@example.org") is None
    confirmed = await mailed.post(path)
    assert confirmed.status == 200
    reader = await mailed.reader("ada+papers@example.org")
    assert reader is not None
    assert (reader.status, reader.preferences.language, reader.preferences.style) == (
        Status.ACTIVE,
        "ko",
        Style.ABSTRACT,
    )
    again = await mailed.post(path)
    assert again.status == 200, "pressed twice"
    assert f"<span>{words('ko').gettext('subscribe.already').rstrip('.')}</span>" in again.text  # a title
    assert (await mailed.get(path)).status == 410


@pytest.mark.parametrize(
    ("typed", "stored"), [("author:Kaiming He, -video", ("author:Kaiming He", "-video")), ("x" * 61, ())]
)
async def test_a_subscription_may_begin_with_topics(mailed: Mailed, typed: str, stored: tuple[str, ...]) -> None:
    await mailed.post("/ko/subscribe", address=ADA, topics=typed)
    assert (await mailed.post(path_in(await mailed.letter()))).status == 200
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert (reader.preferences.language, reader.preferences.topics) == ("ko", stored)


async def test_the_settings_show_the_next_edition_as_it_would_be(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    today = mailed.served.now.date()
    async with mailed.store.write() as connection:
        coming = [paper(n, listed_on=today, keywords=("robots",) if n % 2 else ()) for n in range(60, 84)]
        await paper_queries.keep(connection, Found(coming, frozenset()))
    shown = (await mailed.get("/en/settings", Cookie=cookie)).text
    assert words("en").gettext("settings.preview") in shown
    assert "/en/papers/2604.00060" in shown
    assert "/en/papers/2604.00001" not in shown, "an edition holds it already"
    await mailed.post("/en/settings", Cookie=cookie, topics="keyword:robots", papers="11")
    shown = (await mailed.get("/en/settings", Cookie=cookie)).text
    assert "/en/papers/2604.00061" in shown
    assert "/en/papers/2604.00060" not in shown
    assert "+1 more paper" in shown
    await mailed.post("/en/settings", Cookie=cookie, topics="keyword:nothing")
    assert words("en").gettext("settings.preview_empty") in (await mailed.get("/en/settings", Cookie=cookie)).text


async def test_a_forwarded_mail_leads_to_a_form_in_its_language_and_style(mailed: Mailed) -> None:
    page = (await mailed.get("/ko/2026-04-29?style=abstract")).text
    assert 'action="/ko/subscribe"' in page
    assert 'id="address"' in page, "where the link of the mail leads"
    [style] = re.findall(r'<input type="hidden" name="style" value="(\w+)">', page)
    await mailed.post("/ko/subscribe", address=ADA, style=style)
    await mailed.post(path_in(await mailed.letter()))
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert (reader.preferences.language, reader.preferences.style) == ("ko", Style.ABSTRACT)


async def test_the_answer_does_not_show_who_is_subscribed(mailed: Mailed) -> None:
    await mailed.subscribe(ADA)
    answers = [await mailed.post("/en/subscribe", address=who) for who in (ADA, "nobody@example.org", "x@example.org")]
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    opened = [await mailed.post("/en/settings/link", address=who) for who in ("bo@example.org", ADA)]
    assert {(answer.status, answer.body) for answer in opened} == {(answers[0].status, answers[0].body)}


async def test_an_address_is_mailed_at_most_once_an_hour(mailed: Mailed) -> None:
    for _ in range(3):
        await mailed.post("/en/subscribe", address=ADA)
        await mailed.post("/en/settings/link", address=ADA)
    await mailed.letter()
    await mailed.silence()
    mailed.served.now += timedelta(minutes=61)
    await mailed.post("/en/subscribe", address=ADA)
    await mailed.letter()


async def test_a_used_confirmation_does_not_delay_the_settings_link(mailed: Mailed) -> None:
    await mailed.subscribe(ADA)
    await mailed.post("/en/settings/link", address=ADA)
    assert "/open/" in path_in(await mailed.letter())
    await mailed.post("/en/settings/link", address=ADA)
    await mailed.silence()


async def test_the_holder_of_a_signed_link_is_told_whether_a_mail_is_on_its_way(mailed: Mailed) -> None:
    await mailed.subscribe(ADA)
    reader = await mailed.reader(ADA)
    assert reader is not None
    path = mailed.settings_path(reader)
    await mailed.post("/en/settings/link", address=ADA)
    await mailed.letter()
    assert "sent you a link" not in (await mailed.post(path)).text, "one was mailed a moment ago"
    mailed.served.now += timedelta(minutes=6)
    assert "sent you a link" in (await mailed.post(path)).text
    await mailed.letter()


async def test_queued_mails_are_sent_before_a_stop(mailed: Mailed) -> None:
    for number in range(5):
        await mailed.post("/en/subscribe", address=f"reader{number}@example.org")
    await mailed.served.stop()
    assert sorted(to for letter in mailed.relay.letters for to in letter.to) == [
        f"reader{number}@example.org" for number in range(5)
    ]


async def test_a_deferred_mail_is_retried_before_a_stop(mailed: Mailed, caplog: pytest.LogCaptureFixture) -> None:
    letters = mailed.served.web.outgoing_mail
    assert letters is not None
    own, tries = letters._send, 0

    async def busy_at_first(mail: Any) -> bool:
        nonlocal tries
        tries += 1
        return tries > 1 and await own(mail)

    letters._send = busy_at_first  # type: ignore[method-assign]
    await mailed.post("/en/subscribe", address=ADA)
    await mailed.silence()
    await mailed.served.stop()
    assert [letter.to for letter in mailed.relay.letters] == [[ADA]]
    assert "queued mails dropped" not in caplog.text


async def test_a_mail_that_cannot_be_sent_before_a_stop_is_logged(
    mailed: Mailed, caplog: pytest.LogCaptureFixture
) -> None:
    letters = mailed.served.web.outgoing_mail
    assert letters is not None

    async def busy(_: Any) -> bool:
        return False

    letters._send = busy  # type: ignore[method-assign, assignment]
    await mailed.post("/en/subscribe", address=ADA)
    await mailed.served.stop()
    assert "queued mails dropped" in caplog.text


async def test_a_subscriber_is_mailed_the_settings_link_instead(mailed: Mailed) -> None:
    await mailed.subscribe(ADA)
    await mailed.post("/ja/subscribe", address=ADA)
    letter = await mailed.letter()
    assert "/open/" in path_in(letter)


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.UNREACHABLE])
async def test_a_former_reader_whose_term_is_over_may_subscribe_again(mailed: Mailed, reason: Reason) -> None:
    async with mailed.store.write() as connection:
        await subscriber_queries.suppress(connection, Address("email", ADA), reason, now=NOW)
    await mailed.post("/en/subscribe", address=ADA)
    await mailed.post(path_in(await mailed.letter()))
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert reader.status is Status.ACTIVE


async def test_a_suppressed_address_is_never_mailed(mailed: Mailed) -> None:
    async with mailed.store.write() as connection:
        await subscriber_queries.suppress(connection, Address("email", ADA), Reason.COMPLAINED, now=NOW)
    assert (await mailed.post("/en/subscribe", address=ADA)).status == 200
    await mailed.silence()


async def test_one_click_unsubscribe_is_idempotent_and_needs_no_cookie(mailed: Mailed) -> None:
    path = await mailed.unsubscribing(ADA)
    for _ in range(3):
        answer = await mailed.served.get(
            path,
            method="POST",
            data=b"List-Unsubscribe=One-Click",
            Content_Type="application/x-www-form-urlencoded",
            **HOST,
        )
        assert (answer.status, answer.headers.get("Set-Cookie")) == (200, None)
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert reader.status is Status.UNSUBSCRIBED
    async with mailed.store.write() as connection:
        await subscriber_queries.forget(connection, reader.id, now=NOW)
    answer = await mailed.served.get(path, method="POST", data=b"", Content_Type="text/plain", **HOST)
    assert answer.status == 200, "the token is good for ever, whoever is still there"


async def test_the_link_unsubscribes_with_a_button_and_offers_a_way_back(mailed: Mailed) -> None:
    path = await mailed.unsubscribing(ADA)
    shown = await mailed.get(path)
    assert ADA not in shown.text
    assert (await mailed.reader(ADA)).status is Status.ACTIVE  # type: ignore[union-attr]
    left = await mailed.post(path, here="1")
    assert (await mailed.reader(ADA)).status is Status.UNSUBSCRIBED  # type: ignore[union-attr]
    found = re.search(r'action="https://papers\.example\.org(/en/return/[^"]+)"', left.text)
    assert found
    assert (await mailed.post(found[1])).status == 200
    assert (await mailed.reader(ADA)).status is Status.ACTIVE  # type: ignore[union-attr]
    await mailed.post(path, here="1")
    assert (await mailed.post(found[1])).status == 410, "it works once"
    assert (await mailed.reader(ADA)).status is Status.UNSUBSCRIBED  # type: ignore[union-attr]


RETURN = re.compile(r'action="https://papers\.example\.org(/en/return/[^"]+)"')


async def test_a_forwarded_link_offers_no_way_back(mailed: Mailed) -> None:
    path = await mailed.unsubscribing(ADA)
    await mailed.post(path, here="1", headers={"Origin": "https://evil.example"})
    assert (await mailed.reader(ADA)).status is Status.UNSUBSCRIBED  # type: ignore[union-attr]
    before = await mailed.tickets()
    for origin in ("https://papers.example.org", "https://evil.example", "null"):
        again = await mailed.post(path, here="1", headers={"Origin": origin})
        assert again.status == 200
        assert not RETURN.search(again.text), origin
    assert await mailed.tickets() == before


async def test_a_cross_site_post_is_not_offered_the_way_back(mailed: Mailed) -> None:
    path = await mailed.unsubscribing(ADA)
    left = await mailed.post(path, here="1", headers={"Origin": "https://evil.example"})
    assert left.status == 200
    assert not RETURN.search(left.text)


async def test_a_reader_who_complained_cannot_be_subscribed_by_a_page(mailed: Mailed) -> None:
    path = await mailed.unsubscribing(ADA)
    found = RETURN.search((await mailed.post(path, here="1")).text)
    assert found
    async with mailed.store.write() as connection:
        await subscriber_queries.suppress(connection, Address("email", ADA), Reason.COMPLAINED, now=NOW)
    assert (await mailed.post(found[1])).status == 410
    assert (await mailed.reader(ADA)).status is Status.UNSUBSCRIBED  # type: ignore[union-attr]
    async with mailed.store.read() as connection:
        assert await subscriber_queries.is_suppressed(connection, Address("email", ADA))


async def test_unsubscribing_is_not_rate_limited(mailed: Mailed) -> None:
    """A whole office may leave from one address, in our own pages and in mail programs."""
    path = await mailed.unsubscribing(ADA)
    mailed.spreads = False
    assert {(await mailed.post(path, here="1")).status for _ in range(30)} == {200}
    assert (await mailed.post(path)).status == 200
    assert await mailed.tickets() == 1


async def test_cross_site_forms_are_refused(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    before = await mailed.reader(ADA)
    for named in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://papers.example.org", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "https://papers.example.org", "Sec_Fetch_Site": "same-site"},
    ):
        for path in ("/en/subscribe", "/en/settings", "/en/settings/leave", "/en/settings/link"):
            answer = await mailed.post(path, address="x@example.org", language="ko", Cookie=cookie, headers=named)
            assert answer.status == 403, (named, path)
    assert await mailed.reader(ADA) == before
    await mailed.silence()


async def test_forms_are_rate_limited(mailed: Mailed) -> None:
    mailed.spreads = False
    statuses = [(await mailed.post("/en/subscribe", address=f"a{n}@example.org")).status for n in range(15)]
    assert statuses == [200] * 12 + [429] * 3


async def test_with_access_by_invitation_only_a_code_subscribes(tmp_path: Path) -> None:
    async with Mailed(tmp_path, codes=("letmein1",)) as mailed:
        assert 'name="invite"' in (await mailed.get("/en/")).text
        assert (await mailed.post("/en/subscribe", address=ADA)).status == 403
        assert (await mailed.post("/en/subscribe", address=ADA, invite="wrong111")).status == 403
        await mailed.silence()
        assert (await mailed.post("/en/subscribe", address=ADA, invite="letmein1")).status == 200
        await mailed.post(path_in(await mailed.letter()))
        assert (await mailed.reader(ADA)).status is Status.ACTIVE  # type: ignore[union-attr]


async def test_the_answer_does_not_show_who_is_on_the_list(tmp_path: Path) -> None:
    async with Mailed(tmp_path, allowed=(f"email:{ADA}",)) as mailed:
        answers = [await mailed.post("/en/subscribe", address=who) for who in ("bo@example.org", ADA)]
        assert len({(answer.status, answer.body) for answer in answers}) == 1
        assert (await mailed.letter()).to == [ADA]
        await mailed.silence()


async def test_a_one_time_token_is_used_once_under_concurrency(mailed: Mailed) -> None:
    await mailed.post("/en/subscribe", address=ADA)
    path = path_in(await mailed.letter())
    answers = await asyncio.gather(*(mailed.post(path) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [410] * 7


async def test_one_time_tokens_expire(mailed: Mailed) -> None:
    await mailed.post("/en/subscribe", address=ADA)
    path = path_in(await mailed.letter())
    mailed.served.now += timedelta(hours=48)
    assert (await mailed.post(path)).status == 410
    async with mailed.store.write() as connection:
        assert await one_time_tokens.drop_old(connection, mailed.served.now) == 1
    assert await mailed.tickets() == 0


async def test_one_time_tokens_are_stored_hashed(mailed: Mailed) -> None:
    async with mailed.store.write() as connection:
        key = await one_time_tokens.make(connection, Purpose.OPEN, Address("email", ADA), now=NOW)
    assert key not in await mailed.dump()
    assert ADA not in await mailed.dump()
