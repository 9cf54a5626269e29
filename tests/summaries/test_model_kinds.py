"""Servers as they are: with each kind every text is accepted in the end, or one sentence names what is wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.delivery import alerts
from bot.model import Paper, Style
from bot.render.words import english_name, own_name, words
from bot.store import endpoint_faults, text_queries
from bot.store.text_queries import TextState
from bot.summaries.answer_parsing import Completion, completion, read
from bot.summaries.fulltext.prompt_source import characters
from bot.summaries.llm import Endpoint, Model
from bot.summaries.llm_errors import context_limit, server_words
from bot.summaries.writer import Writer
from tests.support import model_kinds
from tests.support.authors import good
from tests.support.command import papers_command
from tests.support.databases import fresh_store
from tests.support.fake_channel import NOW
from tests.support.model_kinds import DRAFT, KINDS, ended, fault, vllm
from tests.support.model_server import Asked, Author, ModelServer, as_json
from tests.support.newsroom import Newsroom, reader

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        store = fresh_store(tmp_path)
        stack.push_async_callback(store.close)

        async def opened(author: Author, *, window: int = 32_768, **options: Any) -> Newsroom:
            server = await stack.enter_async_context(ModelServer(author, **options))
            model = Model([Endpoint(server.url, server.key, "m")], timeout=5, window=window)
            return Newsroom(store, server, await stack.enter_async_context(model))

        yield opened


async def whole_paper(paper: Paper, style: Style, now: datetime, window: int) -> str:
    """As much of a long paper as the window holds, like the real source."""
    text = f"Abstract: {paper.abstract}\n\n" + "Our method learns step by step and keeps what it knew before. " * 900
    return text[: characters(window)] if style is Style.REVIEW else paper.abstract


@pytest.mark.parametrize("style", [Style.HIGHLIGHTS, Style.REVIEW])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_ends_with_accepted_texts_at_two_wasted_requests_each(
    make: Any, kind: str, style: Style
) -> None:
    room: Newsroom = await make(KINDS[kind])
    await room.publish({"k": reader("ko", style, papers=0)}, count=3)
    await room.write_all(room.writer(concurrency=1, source=whole_paper))
    assert await room.verdicts() == {"accepted": 3}
    asked = Counter(each.title for each in room.server.asked)
    assert max(asked.values()) <= 3
    assert sorted(asked.values())[:2] == [1, 1]  # what the first text taught is known to the others
    async with room.store.read() as connection:
        written = await text_queries.newest(connection, 0)
    assert "draft" not in str([each.parts for each in written])
    assert all(each.tokens > 0 for each in written)


async def test_a_window_that_the_server_tells_wastes_nothing(make: Any) -> None:
    room: Newsroom = await make(vllm(), models=model_kinds.models(("other", 99), ("m", 8192)))
    await room.publish({"k": reader("ko", Style.REVIEW, papers=0)}, count=3)
    await room.write_all(room.writer(concurrency=3, source=whole_paper))
    assert len(room.server.asked) == 3
    assert await room.verdicts() == {"accepted": 3}


REFUSALS: dict[str, tuple[Author, str]] = {
    "quota": (model_kinds.quota_used_up(), "quota is used up (HTTP 429)"),
    "no money": (lambda asked: fault(402, "Insufficient Balance"), "Insufficient Balance"),
    "wrong key": (lambda asked: fault(401, "Incorrect API key provided: secret-key."), "Incorrect API key provided"),
    "parameters": (lambda asked: fault(400, "metadata.tier must be set for this account"), "metadata.tier must be set"),
    "a window of 1k": (vllm(window=1024), "context window (1024 tokens)"),
    "not this API": (lambda asked: web.Response(text="<html>"), "check LLM_BASE_URL"),
    "no such model": (lambda asked: fault(404, "model 'm' not found"), "model 'm' not found"),
    "money in an answer": (
        lambda asked: web.json_response({"error": {"code": 402, "message": "Insufficient credits"}}),
        "quota is used up (HTTP 402)",
    ),
    "Anthropic's money": (
        lambda asked: web.json_response(
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "Your credit balance is too low to access the Anthropic API.",
                },
            },
            status=400,
        ),
        "quota is used up (HTTP 400)",
    ),
    "LiteLLM's budget": (
        lambda asked: fault(
            400, "Budget has been exceeded! Current cost: 1.0, Max budget: 0.5", type="budget_exceeded"
        ),
        "quota is used up (HTTP 400)",
    ),
    "a provider behind it": (model_kinds.provider_failed, 'failed (HTTP 502): "Provider returned error"'),
    "a gateway": (lambda asked: web.json_response({"detail": "worker is gone"}), "worker is gone"),
    "broken gzip": (model_kinds.broken_gzip, "cannot be read (DecodingError)"),
    "breaks off": (model_kinds.breaks_off, "broke off in the middle"),
    "empty": (lambda asked: web.json_response({"choices": []}), "answer is empty"),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_request_that_is_refused_is_no_refusal_of_the_text(make: Any, kind: str) -> None:
    author, says = REFUSALS[kind]
    mended = False
    room: Newsroom = await make(lambda asked: good(asked) if mended else author(asked))
    await room.publish({"k": reader("ko", papers=0)}, count=3)
    writer = room.writer(concurrency=1)
    await room.write_all(writer)
    assert await room.verdicts() == {}
    assert len(room.server.asked) <= 3
    assert writer.fault is not None
    assert says in writer.fault
    assert "secret" not in writer.fault
    async with room.store.read() as connection:
        stored = await endpoint_faults.load(connection)
    assert stored is not None
    assert stored.says == writer.fault
    if kind != "a window of 1k":  # which only another server mends
        mended = True
        await room.write_all(writer, NOW + 11 * MINUTE)
        assert await room.verdicts() == {"accepted": 3}
        async with room.store.read() as connection:
            assert await endpoint_faults.load(connection) is None


FILTERED: dict[str, tuple[Author, str, int]] = {
    "Azure's question": (
        lambda asked: fault(400, "The response was filtered due to the prompt", code="content_filter"),
        "content filter rejected the text (HTTP 400)",
        1,
    ),
    "Azure's answer": (lambda asked: ended(None, asked, "content_filter"), "finish_reason=content_filter", 1),
    "refusal": (lambda asked: ended(None, asked, refusal="I can't assist."), 'model refused: "I can\'t assist"', 2),
    "thoughts alone": (lambda asked: ended("", asked, reasoning_content="Hm."), "it only thought", 2),
}


@pytest.mark.parametrize("kind", FILTERED)
async def test_a_text_that_is_refused_says_why_and_costs_two_requests_at_most(make: Any, kind: str) -> None:
    author, says, requests = FILTERED[kind]
    room: Newsroom = await make(author)
    await room.publish({"k": reader("ko", papers=1)})
    await room.write_all()
    assert await room.verdicts() == {"rejected": 1}
    assert len(room.server.asked) == requests
    async with room.store.read() as connection:
        [refused] = await text_queries.newest(connection, 0)
    assert says in refused.faults[0]


async def test_an_empty_answer_is_asked_for_again_at_once(make: Any) -> None:
    room: Newsroom = await make(model_kinds.now_and_then_empty())
    await room.publish({"k": reader("ko", papers=0)}, count=3)
    await room.write_all(room.writer(concurrency=1))
    assert await room.verdicts() == {"accepted": 3}
    assert len(room.server.asked) == 6


async def test_a_wait_until_a_date_is_kept(make: Any) -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2026 07:30:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    busy = web.json_response({"error": {"message": "overloaded"}}, status=503, headers=headers)
    room: Newsroom = await make(lambda asked: busy)
    await room.publish({"k": reader("ko", papers=1)})
    writer = room.writer()
    await room.write_all(writer)
    assert writer.fault == 'the LLM endpoint failed (HTTP 503): "overloaded"'
    room.server.author = good
    await room.write_all(writer, NOW + MINUTE)
    assert await room.verdicts() == {}
    await room.write_all(writer, NOW + 3 * MINUTE)
    assert await room.verdicts() == {"accepted": 1}


async def test_an_answer_that_is_cut_off_is_asked_for_shorter_and_then_fails_with_its_cause(make: Any) -> None:
    room: Newsroom = await make(lambda asked: ended(good(asked)[:60], asked, "length"))
    await room.publish({"k": reader("ko", papers=1)})
    await room.write_all()
    first, second = room.server.asked
    assert "was cut off" in second.user
    assert "was cut off" not in first.user
    assert await room.verdicts() == {"failed": 1}
    async with room.store.read() as connection:
        [failed] = await text_queries.newest(connection, 0, TextState.FAILED)
    assert "finish_reason=length" in failed.faults[0]
    assert failed.tokens > 800
    room.server.author = good
    await room.write_all(now=NOW + timedelta(hours=23))
    assert len(room.server.asked) == 2
    await room.write_all(now=NOW + timedelta(hours=25))
    assert await room.verdicts() == {"accepted": 1}


async def test_a_failed_text_is_asked_for_again_when_the_operator_says_so(make: Any) -> None:
    room: Newsroom = await make(lambda asked: fault(400, "Content Exists Risk"))
    await room.publish({"k": reader("ko", papers=2)})
    await room.write_all()
    assert await room.verdicts() == {"rejected": 2}
    assert len(room.server.asked) == 2
    room.server.author = good
    await room.write_all()
    assert len(room.server.asked) == 2
    async with room.store.write() as connection:
        assert await text_queries.retry(connection, language="ja") == 0
        assert await text_queries.retry(connection, language="ko") == 2
    await room.write_all()
    assert await room.verdicts() == {"accepted": 2}


FILLED = {"sentence": "a", "problem": "b", "proposal": "c", "result": "d"}


@pytest.mark.parametrize(
    "said",
    [
        f"Draft: {DRAFT} Final: {as_json(FILLED)}",
        f"<think>{DRAFT}</think>{as_json(FILLED)} Done {{}}.",
        f"[THINK]{DRAFT}[/THINK]{as_json(FILLED)}",
        as_json(FILLED | {"result": "d </think> d"}).replace("d </think> d", "d"),
        f"{'{' * 300} {as_json(FILLED)}",
    ],
)
def test_the_last_whole_object_behind_the_thoughts_is_the_answer(said: str) -> None:
    assert read(Completion(said, finish="stop"), list(FILLED)) == FILLED


def test_thoughts_that_were_cut_off_are_no_answer_and_tags_in_an_answer_are_no_thoughts() -> None:
    names = list(FILLED)
    assert read(Completion(f"<think>{DRAFT}", finish="length"), names) == {}
    about_tags = FILLED | {"result": "It stops at </think> twice."}
    assert read(Completion(as_json(about_tags)), names) == about_tags
    assert read(Completion("", thoughts=as_json(FILLED), finish="stop"), names) == FILLED
    pieces = (
        '{"choices": [{"message": {"content": [{"type": "thinking", "text": "x"}, {"type": "text", "text": "y"}]}}]}'
    )
    made = completion(pieces)
    assert isinstance(made, Completion)
    assert made.content == "y"


@pytest.mark.parametrize(
    ("says", "window", "prompt"),
    [
        ("the request exceeds the available context size (4096 tokens), try increasing it", 4096, 0),
        (
            "This endpoint's maximum context length is 32,768 tokens. However, you requested 40000 tokens",
            32768,
            0,
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200000, 210000),
        ("The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).", 1048576, 0),
        (
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            32768,
            40000,
        ),
        ("This model's maximum prompt length is 131072 but the request contains 140000 tokens.", 131072, 140000),
        ("Your request exceeded model token limit: 8192 (requested: 9000)", 8192, 0),
        ("The input (9000 tokens) is longer than the model's context length (8192 tokens).", 8192, 0),
        ("`inputs` must have less than 4096 tokens. Given: 5000", 4096, 0),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs` tokens", 4096, 0),
        ("However, the model is loaded with context length of only 4096 tokens, which is not enough.", 4096, 0),
    ],
)
def test_what_servers_say_of_their_window_is_understood(says: str, window: int, prompt: int) -> None:
    limit = context_limit(says)
    assert limit is not None
    assert (limit.window, limit.prompt_tokens) == (window, prompt)
    assert context_limit("Unsupported parameter: temperature") is None


@pytest.mark.parametrize("says", ["The token limit per minute was reached.", "You exceeded your daily token limit."])
def test_a_quota_is_no_window(says: str) -> None:
    assert context_limit(says) is None


def test_a_servers_words_are_shown_without_keys_and_addresses() -> None:
    body = {
        "message": "Incorrect API key provided: sk-proj-abcd1234efgh. See https://x.example/keys?u=me@x.example \u202e"
    }
    assert server_words({"error": body}) == "Incorrect API key provided: … See …"
    assert server_words("<html><body>nginx</body></html>") == ""
    assert server_words([{"error": {"message": "a" * 999}}]).endswith("…")


async def test_two_writers_never_pay_for_the_same_text(store: Any) -> None:
    async with ModelServer(good) as server, Model([Endpoint(server.url, server.key, "m")], timeout=5) as model:
        room = Newsroom(store, server, model)
        await room.publish({"k": reader("ko", papers=0)}, count=8)
        first, second = (Writer(store, model, concurrency=4, budget=0) for _ in range(2))
        await asyncio.gather(*(room.write_all(each) for each in (first, second, first)))
        await room.write_all()
        assert set(Counter(each.title for each in server.asked).values()) == {1}
        assert await room.verdicts() == {"accepted": 8}


async def test_a_lease_of_a_writer_that_is_gone_ends_by_itself(store: Any) -> None:
    async with ModelServer(good) as server, Model([Endpoint(server.url, server.key, "m")], timeout=60) as model:
        server.hang = asyncio.Event()
        room = Newsroom(store, server, model)
        await room.publish({"k": reader("ko", papers=1)})
        killed = room.writer()
        step = asyncio.create_task(killed.step(NOW))
        await server.reached(1)
        await room.write_all(room.writer(), NOW + MINUTE)
        assert len(server.asked) == 1
        server.hang.set()
        later = room.writer()
        other = replace(reader("ko", papers=1))
        assert other is not None
        await later.step(NOW + 3 * MINUTE)
        await step
        assert await room.verdicts() == {"accepted": 1}


async def test_a_slow_text_keeps_no_other_waiting(make: Any) -> None:
    slow = asyncio.Event()

    async def wait(asked: Asked) -> str:
        await slow.wait()
        return good(asked)

    room: Newsroom = await make(lambda asked: wait(asked) if "Method1X" in asked.title else good(asked))
    await room.publish({"k": reader("ko", papers=0)}, count=9)
    writer = room.writer(concurrency=2)
    while (await room.verdicts())["accepted"] < 8:
        assert await writer.step(NOW)
    slow.set()
    await room.write_all(writer)
    assert await room.verdicts() == {"accepted": 9}


async def test_the_operator_is_alerted_once_if_most_texts_of_a_language_are_rejected(make: Any) -> None:
    told: list[tuple[str, Any]] = []
    room: Newsroom = await make(lambda asked: "no" if int(asked.title[6:].split("X")[0]) % 2 else good(asked))
    await room.publish({"k": reader("ko", papers=0)}, count=30)
    await room.write_all(room.writer(alert=lambda event, now, **fields: told.append((event, fields["language"]))))
    assert told == [("most texts of a language are rejected", "ko")]
    fields = {"language": "ko", "model": "qwen3:8b", "accepted": 11, "asked": 20}
    for tag in ("en", "ko", "ja", "zh-Hans", "zh-Hant", "ar"):
        says = alerts.text(told[0][0], fields, words(tag))
        assert all(each in says for each in ("한국어", "qwen3:8b", "11", "20"))


async def test_the_commands_name_the_cause_and_the_doctor_tries_every_language(tmp_path: Path) -> None:
    local = fresh_store(tmp_path)
    async with ModelServer(good) as server, Model([Endpoint(server.url, server.key, "m")], timeout=5) as model:
        room = Newsroom(local, server, model)
        await room.publish({"k": reader("ko", Style.REVIEW), "j": reader("ja", Style.ABSTRACT)})
        environ = {"LLM_BASE_URL": server.url, "LLM_MODEL": "m", "LLM_API_KEY": server.key}
        environ |= {"FEED_URL": "http://127.0.0.1:9/", "LLM_BUDGET_TOKENS": "100000"}

        async def told(*words: str) -> Any:
            return await asyncio.to_thread(papers_command, tmp_path, *words, given=environ)

        doctor = (await told("doctor")).stdout
        assert "한국어 passes" in doctor
        assert "日本語 passes" in doctor
        assert "LLM_BUDGET_TOKENS (100,000)" not in doctor.partition("review")[0]
        server.author = model_kinds.quota_used_up()
        day = ("--date", "2025-11-03", "--language", "ko", "--style", "plain")
        done = await told("texts", "write", *day)
        assert done.returncode == 1
        assert "quota is used up (HTTP 429): “You exceeded".replace("“", '"') in done.stderr
        assert "never awaited" not in done.stderr
        assert "No answer since" in (await told("texts")).stdout
        assert "every language: the LLM endpoint's quota is used up" in (await told("doctor")).stdout
        in_korean, answer = own_name("ko"), model_kinds.quota_used_up()
        server.author = lambda asked: answer(asked) if english_name("ko") in asked.language else good(asked)
        doctor = (await told("doctor")).stdout
        assert "日本語 passes" in doctor
        assert f"{in_korean}: the LLM endpoint's quota is used up" in doctor
        assert (await told("texts", "retry", "--language", "ko")).stdout.startswith("0 texts")
    await local.close()
