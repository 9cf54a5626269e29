"""Attacks: forged and reused tokens, cross-site and malformed forms, unsigned webhooks, slow clients."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import string
import time as clocks
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Feedback
from bot.model import Address, Preferences, Status, Subscriber
from bot.signing import SignedLinks, named, token_name
from bot.store.one_time_tokens import Purpose
from bot.web.subscriptions.forms import FormFields
from bot.web.subscriptions.settings_page import changes
from bot.web.webhooks import understood
from tests.support.bounce_mails import MINE
from tests.support.email_channel import opened
from tests.support.mail_program import ADA, HOST, Mailed, path_in
from tests.support.web_program import NOW, some

HOOK = "h" * 32
PURPOSES = ("join", "open", "move", "arrive", "return")


@pytest.fixture
async def mailed(tmp_path: Path) -> AsyncIterator[Mailed]:
    async with Mailed(tmp_path, MAIL_HOOK_SECRET=HOOK) as opened:
        await opened.served.publish(*some(3))
        yield opened


def altered(token: str, dice: random.Random) -> str:
    """A token with something changed that counts."""
    value, _, signature = token.rpartition("-")
    place = dice.randrange(len(signature))
    other = dice.choice([digit for digit in "0123456789abcdef" if digit != signature[place]])
    return dice.choice(
        [
            f"{value}-{signature[:place]}{other}{signature[place + 1 :]}",
            f"{value}0-{signature}",
            f"{value[1:]}-{signature}",
            f"{value}-{signature[:-1]}",
            f"{value}-{signature}0",
            f"{value}--{signature}",
            f"-{signature}",
            value,
            f"{value}-{'0' * 32}",
            f"{value}.{value}-{signature}"[:73],
        ]
    )


async def test_no_token_works_for_another_purpose(mailed: Mailed, long: bool) -> None:
    """Forged, altered, expired, for another purpose, used before."""
    dice = random.Random(7)
    await mailed.subscribe(ADA)
    reader = await mailed.reader(ADA)
    assert reader is not None
    name = token_name(reader.id, reader.created_at)
    real = {purpose: mailed.links.sign(purpose, name) for purpose in ("leave", "settings", "mail", *PURPOSES)}
    strangers = SignedLinks(["x" * 32], "https://papers.example.org")
    tried: list[str] = []
    for _ in range(1_000 if long else 60):
        kind = dice.randrange(4)
        purpose = dice.choice(list(real))
        if kind == 0:
            token = strangers.sign(purpose, name)
        elif kind == 1:
            token = altered(real[purpose], dice)
        elif kind == 2:
            token = real[purpose]  # good for its own purpose, tried at all others
        else:
            token = mailed.links.sign(purpose, "".join(dice.choices(string.ascii_lowercase + string.digits, k=20)))
        for path, own in (
            ("/unsubscribe/", "leave"),
            ("/settings/", "settings"),
            *((f"/en/{each}/", each) for each in PURPOSES),
        ):
            if own == purpose and kind >= 2 and own in {"leave", "settings"}:
                continue
            tried.append(f"{path}{quote(token)}")
    for path in dice.sample(tried, len(tried) if long else 150):
        if "/return/" not in path:
            assert (await mailed.get(path)).status in {404, 410}, path
        assert (await mailed.post(path, here="1")).status in {404, 410}, path
    after = await mailed.reader(ADA)
    assert after == reader
    await mailed.silence()


async def test_a_one_time_token_works_for_its_purpose_only(mailed: Mailed) -> None:
    await mailed.post("/en/subscribe", address=ADA)
    path = path_in(await mailed.letter())
    token = path.rpartition("/")[2]
    key = mailed.links.read("join", token)
    assert key is not None
    for purpose in PURPOSES[1:]:
        for swapped in (token, mailed.links.sign(purpose, key)):  # even were our own key used to sign it
            assert (await mailed.post(f"/en/{purpose}/{swapped}")).status == 410
    assert (await mailed.post(path)).status == 200


async def test_a_token_of_an_erased_reader_works_for_no_later_reader(mailed: Mailed) -> None:
    """Numbers are given again; a token says when its reader came as well."""
    path = await mailed.unsubscribing(ADA)
    reader = await mailed.reader(ADA)
    cookie = await _erased(mailed)
    mailed.served.now += timedelta(hours=2)
    await mailed.subscribe("bo@example.org")
    bo = await mailed.reader("bo@example.org")
    assert bo is not None
    assert reader is not None
    assert bo.id == reader.id, "the test is of no use where numbers are not given again"
    assert (await mailed.post(path)).status == 200
    assert (await mailed.reader("bo@example.org")).status is Status.ACTIVE  # type: ignore[union-attr]
    assert "bo@example.org" not in (await mailed.get("/en/settings", Cookie=cookie)).text


async def _erased(mailed: Mailed) -> str:
    """Erase Ada; the cookie of the browser in which that was done."""
    await mailed.post("/en/settings/link", address=ADA)
    answer = await mailed.post(path_in(await mailed.letter()))
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    asked = await mailed.post("/en/settings/erase", Cookie=cookie)
    token = asked.text.partition('name="token" value="')[2].partition('"')[0]
    assert (await mailed.post("/en/settings/erased", Cookie=cookie, token=token)).status == 200
    return cookie


PIECES = (
    "\r\nBcc: everybody@example.org",
    "\x00",
    "\u202eevil",
    "аda@example.org",
    "' OR 1=1; DROP TABLE subscribers; --",
    "{{ 7*7 }}{% raw %}",
    "${7*7}<%= 7*7 %>",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "\ud7ff\uffff",
    "ada@example.org,bo@example.org",
    "ada@[127.0.0.1]",
    '"ada bo"@example.org',
    "@" * 300,
    "%00%0d%0a",
    "ada@例え.jp",
    "😀@😀.example",
    "a" * 5_000,
    "mailto:mailto:x@y",
    "x@example.org\n",
)


def hostile(dice: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Forms without end."""
    fields = ("address", "style", "invite", "language", "topics", "zone", "hour", "votes", "papers", "days", "token")
    paths = (
        "/en/subscribe",
        "/ko/subscribe",
        "/en/settings/link",
        "/en/settings",
        "/en/settings/address",
        "/en/settings/erased",
        "/en/settings/pause",
        "/en/join/x-0",
        "/unsubscribe/x-0",
        "/settings/x-0",
    )
    while True:
        chosen = dice.sample(fields, dice.randrange(1, 6))
        yield dice.choice(paths), {name: "".join(dice.choices(PIECES, k=dice.randrange(1, 3))) for name in chosen}


async def test_malformed_forms_change_nothing(mailed: Mailed, long: bool) -> None:
    cookie = await mailed.opened(ADA)
    before = await mailed.reader(ADA)
    dice = random.Random(11)
    asked = set()
    for number, (path, form) in enumerate(hostile(dice)):
        if number == (10_000 if long else 200):
            break
        answer = await mailed.post(path, Cookie=cookie if number % 2 else "", **form)
        assert answer.status < 500, (path, form)
        assert "49" not in answer.text.partition("<main")[2].partition("</main>")[0] or "7*7" in answer.text
        assert "<script" not in answer.text
        if answer.status == 200 and path.endswith("/subscribe"):
            asked.add(form.get("address", "").strip())
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert before is not None
    assert (reader.id, reader.address, reader.status) == (before.id, before.address, reader.status)
    # Whoever is mailed was named by the whole of an address field, and nobody else.
    async with asyncio.timeout(30):
        letters = mailed.served.web.outgoing_mail
        assert letters is not None
        while letters.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    mails = [letter for letter in mailed.relay.letters if letter.to != [ADA]]
    for letter in mails:
        assert len(letter.to) == 1
        assert letter.mail["Bcc"] is None
        assert any(mailed.channel.recipient(each) == letter.to[0] for each in asked if _is_address(mailed, each))


def _is_address(mailed: Mailed, written: str) -> bool:
    try:
        mailed.channel.recipient(written)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"address=" + b"a" * 10_000_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=1" % n for n in range(2_000)), "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe\x00=%ff%00&address=%zz", "application/x-www-form-urlencoded", 422),
        (b"{}", "application/json", 415),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
        (b"address=a", "application/x-www-form-urlencoded; charset=nonsense", 422),
        (b"address=a", "", 415),
    ],
)
async def test_any_request_body_is_answered(mailed: Mailed, body: bytes, kind: str, status: int) -> None:
    sent = {"Origin": "https://papers.example.org", "Content_Type": kind, **HOST}
    answer = await mailed.served.get("/en/subscribe", method="POST", data=BytesIO(body), **sent)
    assert answer.status == status
    await mailed.silence()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ada@EXAMPLE.org", "ada@example.org"),
        ("ada+papers@example.org", "ada+papers@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("  ada@example.org ", "ada@example.org"),
    ],
)
async def test_addresses_are_normalised(mailed: Mailed, typed: str, stored: str) -> None:
    assert (await mailed.post("/en/subscribe", address=typed)).status == 200
    assert (await mailed.letter()).to == [stored]


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "language",
                "style",
                "cadence",
                "papers",
                "votes",
                "topics",
                "hour",
                "zone",
                "weekdays",
                "weekday",
                "other",
            ]
        ),
        st.text(max_size=80),
    )
)
def test_any_form_is_a_change_or_is_none(form: dict[str, str]) -> None:
    changes(FormFields(list(form.items())), Subscriber(1, Address("email", ADA), Status.ACTIVE, Preferences()), NOW)


@given(st.text(max_size=100))
def test_only_signed_tokens_are_read(token: str) -> None:
    links = SignedLinks(["k" * 32])
    assert links.read(Purpose.OPEN.value, token) is None
    named(token)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "reason"]), inner),
        max_leaves=8,
    )
)
def test_any_event_is_understood_or_ignored(event: object) -> None:
    assert understood(event) is None


@pytest.mark.parametrize(
    ("permanent", "reason", "what"),
    [
        (True, "550 5.1.1 user unknown", Feedback.GONE),
        (True, "User unknown", Feedback.GONE),
        (True, "", Feedback.GONE),
        (True, "550 5.7.1 blocked, poor reputation", None),
        (True, "550 5.1.1 sent to too many recipients this hour", None),
        (True, "552 5.2.2 mailbox full", Feedback.STRIKE),
        (False, "mailbox full", Feedback.STRIKE),
        (False, "rate limited", None),
    ],
)
def test_the_words_of_a_reported_bounce_win_over_its_type(permanent: bool, reason: str, what: Feedback | None) -> None:
    event = {"type": "bounce", "permanent": permanent, "message_id": MINE, "reason": reason}
    found = understood(event, opened(25))
    assert (None if found is None else found[0]) == what


async def told(mailed: Mailed, events: object, *, secret: str = HOOK, at: datetime = NOW, body: bytes = b"") -> int:
    """Post events as a service's glue does; the status."""
    body = body or json.dumps({"events": events}).encode()
    stamp = f"{int(at.timestamp())}"
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    sent = {"X_Papers_Timestamp": stamp, "X_Papers_Signature": f"sha256={signed}", **HOST}
    return (await mailed.served.get("/hooks/mail", method="POST", data=body, **sent)).status


async def test_only_signed_events_of_mail_services_are_processed(mailed: Mailed) -> None:
    await mailed.subscribe(ADA)
    reader = await mailed.reader(ADA)
    assert reader is not None
    token = mailed.links.sign("mail", f"1.{token_name(reader.id, reader.created_at)}")
    bounce = {"type": "bounce", "permanent": True, "message_id": f"<{token}@example.org>", "reason": "550 5.1.1 gone"}
    assert await told(mailed, [bounce], secret="w" * 32) == 403
    assert await told(mailed, [bounce], at=NOW - timedelta(minutes=6)) == 403
    assert await told(mailed, [bounce], at=NOW + timedelta(minutes=6)) == 403
    for wrong in (b"nonsense", b"[]", b'{"events": 1}', b"[" * 50_000):
        assert await told(mailed, [], body=wrong) == 400
    nobody = {**bounce, "message_id": f"<{token[:-1]}0@example.org>"}
    assert await told(mailed, [nobody, None, 7, {"type": "bounce"}, {"type": "dance", "message_id": token}]) == 200
    assert (await mailed.reader(ADA)).status is Status.ACTIVE  # type: ignore[union-attr]
    assert await told(mailed, [bounce]) == 200
    assert (await mailed.reader(ADA)).status is Status.GONE  # type: ignore[union-attr]
    complaint = {"type": "complaint", "return_path": f"bounce+{token}@example.org"}
    assert await told(mailed, [complaint]) == 200
    assert (await mailed.reader(ADA)).status is Status.UNSUBSCRIBED  # type: ignore[union-attr]


async def test_without_a_secret_the_mail_webhook_is_off(tmp_path: Path) -> None:
    async with Mailed(tmp_path) as plain:
        assert await told(plain, []) in {404, 405}


async def test_slow_clients_do_not_delay_others(mailed: Mailed) -> None:
    """Two hundred clients send half of a request, or read nothing of an answer; forms and pages go on at once."""
    assert mailed.served.web.address is not None
    head = b"GET /en/2026-04-29 HTTP/1.1\r\nHost: papers.example.org\r\n"
    writers = []
    for number in range(200):
        _, writer = await asyncio.open_connection(*mailed.served.web.address)
        writer.write(head if number % 2 else head + b"\r\n")
        writers.append(writer)
    began = clocks.monotonic()
    await mailed.post("/en/subscribe", address=ADA)
    await mailed.letter()
    assert (await mailed.get("/en/")).status == 200
    assert clocks.monotonic() - began < 20, "catches what hangs"
    for writer in writers:
        writer.close()
