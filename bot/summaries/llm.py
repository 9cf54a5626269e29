"""The language model: any endpoint that speaks OpenAI's chat completions. The openai package's home.

It is asked to fill a style's schema: by structured output where the endpoint has it, else by instruction alone. What
comes back is untrusted: bounded, taken apart here, and held against its source by `bot.summaries.guard.guard`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from bot.render.styles import TextField
from bot.runtime.http import retry_after

if TYPE_CHECKING:  # imported only where a model is configured: it takes half a second
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

LONGEST_ANSWER = 60_000
"""Characters of an answer that are looked at; the longest text that fits a schema has a tenth of it."""
MOST_TOKENS = 8_000
"""Tokens that an answer may cost."""
LONGEST_WAIT = 600.0
DEEPEST = 3
"""So many objects within each other are looked through for the schema's fields."""
FENCE = re.compile(r"<think>.*?</think>|^\s*```[a-zA-Z]*\s*|\s*```\s*$", re.DOTALL)


class ModelError(Exception):
    """The model gave no answer that could be read; the message is one sentence without secrets.

    `retry_after` is how many seconds it asked to be left alone; `ours` where asking again is of no use (a wrong key, a
    model that is not there); `its_own` where it is about this one text, and others may well succeed. `tokens` were
    spent on it all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        ours: bool = False,
        its_own: bool = False,
        tokens: int = 0,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.ours = ours
        self.its_own = its_own
        self.tokens = tokens


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and what it is called there."""

    base_url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class LLMAnswer:
    """A filled schema, and what it cost."""

    parts: Mapping[str, str]
    tokens: int
    model: str


class Model:
    """One model at one endpoint, and perhaps another to fall back to."""

    def __init__(self, endpoints: Sequence[Endpoint], *, timeout: float) -> None:
        """Raises ValueError where the proxy that the environment names cannot be used."""
        self._timeout = timeout
        try:
            self._endpoints = [(each, _client(each, timeout)) for each in endpoints]
        except (ImportError, ValueError):
            raise ValueError("the proxy that ALL_PROXY or HTTPS_PROXY names cannot be used for LLM_BASE_URL") from None
        self._known: dict[Endpoint, frozenset[str]] = {}
        """What each endpoint is known to do without, of what it is offered."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, client in self._endpoints:
            await client.close()

    @property
    def name(self) -> str:
        """The model that is asked first; texts are stored by it."""
        return self._endpoints[0][0].model

    async def fill(self, system: str, user: str, parts: Sequence[TextField]) -> LLMAnswer:
        """Ask for the parts of a schema. Raises ModelError where no endpoint gives them."""
        fault: ModelError | None = None
        tokens = 0
        for endpoint, client in self._endpoints:
            try:
                answer = await self._ask(endpoint, client, system, user, parts)
                return replace(answer, tokens=answer.tokens + tokens)
            except ModelError as error:
                fault = fault or error
                tokens += error.tokens
        assert fault is not None
        fault.tokens = tokens
        raise fault

    async def _ask(
        self, endpoint: Endpoint, client: AsyncOpenAI, system: str, user: str, parts: Sequence[TextField]
    ) -> LLMAnswer:
        """Ask one endpoint, without what it turns out to refuse."""
        from openai import BadRequestError, UnprocessableEntityError

        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        without = set(self._known.get(endpoint, ()))
        while True:
            try:
                answer = await self._complete(endpoint, client, messages, parts, **_offered(parts, without))
            except (BadRequestError, UnprocessableEntityError) as error:
                refused = _refused(str(error), without)
                if refused is None:
                    told = f"the model refuses what it is asked (HTTP {error.status_code})"
                    raise ModelError(told, its_own=True) from None
                without.add(refused)
                continue
            # Only now is it known that it was this: a filter may refuse a text whatever it is offered.
            self._known[endpoint] = frozenset(without)
            return answer

    async def _complete(
        self, endpoint: Endpoint, client: AsyncOpenAI, messages: list[Any], parts: Sequence[TextField], **more: Any
    ) -> LLMAnswer:
        import openai

        try:
            # The client's own time-out starts anew with every byte.
            async with asyncio.timeout(self._timeout):
                made = await client.chat.completions.create(model=endpoint.model, messages=messages, **more)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except openai.RateLimitError as error:
            wait = retry_after(error.response.headers, longest=LONGEST_WAIT)
            raise ModelError("the model asks to be left alone (HTTP 429)", retry_after=wait) from None
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            told = f"the model's endpoint refuses us (HTTP {error.status_code}): check LLM_API_KEY and LLM_MODEL"
            raise ModelError(told, ours=True) from None
        except (openai.APITimeoutError, TimeoutError):
            raise ModelError("the model took too long") from None
        except openai.APIConnectionError:
            raise ModelError("the model's endpoint cannot be reached: check LLM_BASE_URL") from None
        except openai.APIStatusError as error:
            raise ModelError(f"the model's endpoint is out of order (HTTP {error.status_code})") from None
        except (openai.OpenAIError, ValueError) as error:  # an answer that is no answer
            raise ModelError(f"the model's answer cannot be read ({type(error).__name__})", its_own=True) from None
        asked = sum(len(each["content"]) for each in messages)
        try:
            content = str(made.choices[0].message.content or "")
        except (AttributeError, IndexError, TypeError):
            raise ModelError("the model's answer holds nothing", its_own=True, tokens=_tokens(made, asked)) from None
        tokens = _tokens(made, asked + len(content))
        found = read(content, [part.name for part in parts])
        if not found:
            told = "the model's answer holds no JSON with the fields it was asked for"
            raise ModelError(told, its_own=True, tokens=tokens)
        return LLMAnswer(found, tokens, endpoint.model)


def read(content: str, names: Sequence[str]) -> dict[str, str]:
    """The fields of the first JSON object in an answer that has any of them, as plain text; empty where there is none.

    Fences and thoughts are taken away, nested values flattened, fields that were not asked for left out.
    """
    if len(content) > LONGEST_ANSWER:
        return {}
    text = FENCE.sub("", content)
    decoder = json.JSONDecoder()
    at = text.find("{")
    tried = 0
    while at >= 0 and tried < 20:
        tried += 1
        try:
            value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        found = _fields(value, names)
        if found:
            return found
        at = text.find("{", at + 1)
    return {}


def _fields(value: object, names: Sequence[str], depth: int = 0) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    found = {name: _flat(value[name]) for name in names if name in value}
    if found or depth == DEEPEST:
        return found
    for inner in value.values():
        found = _fields(inner, names, depth + 1)
        if found:
            return found
    return {}


def _flat(value: object) -> str:
    """A value as one line of text, whatever the model made of it."""
    parts: list[str] = []
    waiting = [value]
    while waiting and len(parts) < 100:
        each = waiting.pop(0)
        if isinstance(each, dict):
            waiting = [*each.values(), *waiting]
        elif isinstance(each, list):
            waiting = [*each, *waiting]
        elif each is not None and not isinstance(each, bool):
            parts.append(str(each))
    return " ".join(" ".join(parts).split())


def _schema(parts: Sequence[TextField]) -> dict[str, object]:
    properties = {part.name: {"type": "string"} for part in parts}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "text", "strict": True, "schema": schema}}


def _tokens(made: Any, characters: int) -> int:
    """What an answer cost; where the endpoint does not say so, about as much as its characters."""
    count = getattr(getattr(made, "usage", None), "total_tokens", None)
    return count if isinstance(count, int) and 0 < count < 10_000_000 else characters // 3 + 1


def _client(endpoint: Endpoint, timeout: float) -> AsyncOpenAI:
    """A client of an endpoint; what its address asks for beside the path goes with every request."""
    from openai import AsyncOpenAI

    parts = urlsplit(endpoint.base_url)
    return AsyncOpenAI(
        base_url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        api_key=endpoint.key or "none",
        default_query=dict(parse_qsl(parts.query)),
        timeout=timeout,
        max_retries=0,
    )


def _offered(parts: Sequence[TextField], without: Collection[str]) -> dict[str, object]:
    """What a request says beside its words, but for what an endpoint refuses."""
    offered: dict[str, object] = {} if "response_format" in without else {"response_format": _schema(parts)}
    if "temperature" not in without:
        offered["temperature"] = 0.2
    offered["max_completion_tokens" if "max_tokens" in without else "max_tokens"] = MOST_TOKENS
    return offered


def _refused(told: str, without: Collection[str]) -> str | None:
    """What an endpoint most likely refuses, by what it says; None where there is nothing left to do without."""
    for name in ("max_tokens", "temperature", "response_format"):
        if name in told and name not in without:
            return name
    return next((name for name in ("response_format", "temperature", "max_tokens") if name not in without), None)
