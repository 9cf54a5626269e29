"""The language model as a client sees it: a real endpoint on this machine, well-behaved and not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Style
from bot.render.styles import TEXT_FIELDS
from bot.summaries.answer_parsing import LONGEST_ANSWER, Completion, read
from bot.summaries.llm import Endpoint, LLMAnswer, Model
from bot.summaries.llm_errors import ModelError
from tests.support.model_server import Asked, Author, ModelServer, as_json, completion

PLAIN = TEXT_FIELDS[Style.PLAIN]
FILLED = {"input_output": "a b", "problem": "c", "idea": "d"}
Open = Callable[..., Awaitable[tuple[Model, list[ModelServer]]]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """A model whose endpoints answer as their authors say."""
    async with AsyncExitStack() as stack:

        async def make(*authors: Author, timeout: float = 5.0, **options: object) -> tuple[Model, list[ModelServer]]:
            servers = [await stack.enter_async_context(ModelServer(author, **options)) for author in authors]  # type: ignore[arg-type]
            endpoints = [Endpoint(server.url, server.key, f"m{place}") for place, server in enumerate(servers)]
            return await stack.enter_async_context(Model(endpoints, timeout=timeout)), servers

        yield make


async def fill(model: Model) -> LLMAnswer:
    return await model.fill("system", "user", PLAIN)


async def test_a_filled_schema_comes_back_with_its_cost(opened: Open) -> None:
    model, [server] = await opened(lambda asked: as_json(FILLED), tokens=321)
    assert await fill(model) == LLMAnswer(FILLED, 321, "m0")
    [asked] = server.asked
    schema = asked.body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == list(FILLED)
    assert (asked.system, asked.user) == ("system", "user")


async def test_an_endpoint_without_schemas_is_asked_by_instruction_from_then_on(opened: Open) -> None:
    model, [server] = await opened(lambda asked: as_json(FILLED), takes_schemas=False)
    for _ in range(2):
        assert (await fill(model)).parts == FILLED
    assert [asked.structured for asked in server.asked] == [False, False]


@pytest.mark.parametrize(
    "said",
    [
        f"```json\n{as_json(FILLED)}\n```",
        f"Here you are: {as_json(FILLED)} I hope that helps.",
        f"<think>{{not json}} or {{}}</think>\n{as_json(FILLED)}",
        as_json({"answer": FILLED}),
        as_json({"input_output": ["a", "b"], "problem": {"text": "c"}, "idea": "d\n"}),
        f"{{broken {as_json(FILLED)}",
        as_json(FILLED | {"more": "left out"}),
    ],
)
async def test_an_answer_is_read_however_it_is_wrapped(opened: Open, said: str) -> None:
    model, _ = await opened(lambda asked: said)
    assert (await fill(model)).parts == FILLED


def status(code: int, **headers: str) -> Author:
    return lambda asked: web.json_response({"error": {"message": "secret-key"}}, status=code, headers=headers)


@pytest.mark.parametrize(
    ("author", "says"),
    [
        (lambda asked: as_json(FILLED)[:-9], "has no JSON"),
        (lambda asked: "I cannot help with that.", "has no JSON"),
        (lambda asked: "x" * (LONGEST_ANSWER + 1), "has no JSON"),
        (lambda asked: "", "is empty"),
        (lambda asked: web.json_response({"choices": []}), "is empty"),
        (lambda asked: web.json_response({"choices": None}), "is empty"),
        (lambda asked: web.json_response([]), "check LLM_BASE_URL"),
        (lambda asked: web.Response(text="<html>", content_type="text/html"), "check LLM_BASE_URL"),
        (lambda asked: web.json_response({"error": {"message": "upstream is down"}}), "upstream is down"),
        (status(500), "failed (HTTP 500)"),
        (status(503), "failed (HTTP 503)"),
        (status(400), "rejected the request (HTTP 400)"),
        (status(404), "check LLM_MODEL and LLM_BASE_URL"),
        (status(403), "check LLM_API_KEY, LLM_MODEL"),
        (status(429), "HTTP 429"),
    ],
)
async def test_what_is_no_answer_is_one_sentence_without_secrets(opened: Open, author: Author, says: str) -> None:
    model, _ = await opened(author)
    with pytest.raises(ModelError) as error:
        await fill(model)
    assert says in str(error.value)
    assert "secret" not in str(error.value)


async def test_a_wait_that_is_asked_for_is_told_and_bounded(opened: Open) -> None:
    for asked_for, told in [("7", 7.0), ("99999", 600.0), ("soon", None), ("-1", None)]:
        model, _ = await opened(status(429, **{"retry-after": asked_for}))
        with pytest.raises(ModelError) as error:
            await fill(model)
        assert error.value.retry_after == told


async def test_a_wrong_key_is_ours_to_mend(opened: Open) -> None:
    _, [server] = await opened(lambda asked: as_json(FILLED))
    async with Model([Endpoint(server.url, "another", "m")], timeout=5) as model:
        with pytest.raises(ModelError) as error:
            await fill(model)
    assert error.value.misconfigured


async def test_whoever_takes_too_long_or_is_not_there_is_not_waited_for(opened: Open) -> None:
    model, [server] = await opened(lambda asked: as_json(FILLED), timeout=0.2)
    server.hang = asyncio.Event()
    with pytest.raises(ModelError, match="within 0 seconds"):
        await fill(model)
    async with Model([Endpoint("http://127.0.0.1:9/v1", "", "m")], timeout=5) as nowhere:
        with pytest.raises(ModelError, match="cannot be reached"):
            await fill(nowhere)


async def test_the_second_endpoint_is_asked_where_the_first_fails(opened: Open) -> None:
    model, [first, second] = await opened(status(500), lambda asked: as_json(FILLED))
    assert (await fill(model)).model == "m1"
    assert (len(first.asked), len(second.asked)) == (1, 1)
    model, _ = await opened(status(500), status(503))
    with pytest.raises(ModelError, match="500"):
        await fill(model)


@given(st.text(max_size=400), st.recursive(st.none() | st.text(max_size=9) | st.integers(), st.lists, max_leaves=9))
def test_whatever_comes_back_is_read_or_left(noise: str, value: object) -> None:
    names = list(FILLED)
    for content in (noise, f"{noise}{json.dumps({'idea': value})}", json.dumps({"x": {"y": {"idea": value}}})):
        found = read(Completion(content), names)
        assert set(found) <= set(names)
        assert all("\n" not in said for said in found.values())


def test_what_is_asked_is_seen_by_the_test_server() -> None:
    asked = Asked({"messages": [{"content": "read Korean.\n exactly these: a, b.\n"}, {"content": "Title: T\nx"}]}, "")
    assert (asked.fields, asked.title) == (["a", "b"], "T")


def test_deep_nesting_is_left_alone() -> None:
    assert read(Completion("[" * 5000 + "{" * 5000), list(FILLED)) == {}


async def test_an_endpoint_is_offered_less_until_it_takes_it_and_that_is_remembered(opened: Open) -> None:
    def author(asked: Asked) -> object:
        for name in ("max_tokens", "temperature"):
            if name in asked.body:
                return web.json_response({"error": {"message": f"Unsupported parameter: {name}"}}, status=400)
        return as_json(FILLED)

    model, [server] = await opened(author)
    for _ in range(2):
        assert (await fill(model)).parts == FILLED
    assert [sorted({"max_tokens", "temperature", "response_format"} & asked.body.keys()) for asked in server.asked] == [
        ["max_tokens", "response_format", "temperature"],
        ["response_format", "temperature"],
        ["response_format"],
        ["response_format"],
    ]


async def test_what_an_address_asks_for_goes_with_every_request_and_what_it_cost_is_guessed(opened: Open) -> None:
    _, [server] = await opened(lambda asked: web.json_response(completion(as_json(FILLED), None)))
    async with Model([Endpoint(f"{server.url}?api-version=7", server.key, "m")], timeout=5) as model:
        answer = await fill(model)
    assert answer.parts == FILLED
    assert 0 < answer.tokens < 100


async def test_a_proxy_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:9")
    with pytest.raises(ValueError, match="ALL_PROXY"):
        Model([Endpoint("http://127.0.0.1:9/v1", "", "m")], timeout=5)
