"""The client of the LLM endpoint: any server with OpenAI's chat completions API. The only module that uses openai.

The model fills the fields of a style: by structured output where the endpoint supports it, else by instruction alone.
Answers are untrusted: their size is bounded, they are parsed here and checked by `bot.summaries.guard.guard`.
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

if TYPE_CHECKING:  # importing it takes half a second, so only where a model is configured
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

LONGEST_ANSWER = 60_000
"""Characters of an answer; a longer one is rejected. The longest valid text has a tenth of them."""
MOST_TOKENS = 8_000
"""Tokens that an answer may have."""
LONGEST_WAIT = 600.0
"""Seconds; a longer Retry-After of the endpoint is shortened to these."""
DEEPEST = 3
"""Levels of nested objects that are searched for the fields."""
FENCE = re.compile(r"<think>.*?</think>|^\s*```[a-zA-Z]*\s*|\s*```\s*$", re.DOTALL)


class ModelError(Exception):
    """The endpoint gave no usable answer. The message is one sentence without secrets.

    `retry_after` is how many seconds the endpoint asked us to wait. `misconfigured`: retrying is useless (a wrong key,
    an unknown model). `about_text`: only this text is concerned, others may succeed. `tokens` were spent all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        misconfigured: bool = False,
        about_text: bool = False,
        tokens: int = 0,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.misconfigured = misconfigured
        self.about_text = about_text
        self.tokens = tokens


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of an LLM endpoint, its key, and the name of a model there."""

    base_url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class LLMAnswer:
    """The fields of a style as a model filled them, the tokens used, and the model."""

    parts: Mapping[str, str]
    tokens: int
    model: str


class Model:
    """A model, with further endpoints as fallbacks. `timeout` is seconds for one answer."""

    def __init__(self, endpoints: Sequence[Endpoint], *, timeout: float) -> None:
        """Raises ValueError if the proxy named by the environment cannot be used."""
        self._timeout = timeout
        try:
            self._endpoints = [(each, _client(each, timeout)) for each in endpoints]
        except (ImportError, ValueError):
            raise ValueError("the proxy that ALL_PROXY or HTTPS_PROXY names cannot be used for LLM_BASE_URL") from None
        self._rejected: dict[Endpoint, frozenset[str]] = {}
        """Request parameters that each endpoint is known to reject."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, client in self._endpoints:
            await client.close()

    @property
    def name(self) -> str:
        """The first endpoint's model; texts are stored under its name."""
        return self._endpoints[0][0].model

    async def fill(self, system: str, user: str, parts: Sequence[TextField]) -> LLMAnswer:
        """Have a model fill `parts`, trying endpoints in order. Raises the first ModelError if all fail."""
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
        """Ask one endpoint, leaving out request parameters that it rejects. Raises ModelError."""
        from openai import BadRequestError, UnprocessableEntityError

        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        without = set(self._rejected.get(endpoint, ()))
        while True:
            try:
                answer = await self._complete(endpoint, client, messages, parts, **_parameters(parts, without))
            except (BadRequestError, UnprocessableEntityError) as error:
                rejected = _rejected(str(error), without)
                if rejected is None:
                    message = f"the LLM endpoint rejected the request (HTTP {error.status_code})"
                    raise ModelError(message, about_text=True) from None
                without.add(rejected)
                continue
            # Remembered only after a success, since a content filter may reject a text whatever the parameters.
            self._rejected[endpoint] = frozenset(without)
            return answer

    async def _complete(
        self, endpoint: Endpoint, client: AsyncOpenAI, messages: list[Any], parts: Sequence[TextField], **more: Any
    ) -> LLMAnswer:
        import openai

        try:
            # The client's own timeout restarts with every byte.
            async with asyncio.timeout(self._timeout):
                made = await client.chat.completions.create(model=endpoint.model, messages=messages, **more)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except openai.RateLimitError as error:
            wait = retry_after(error.response.headers, longest=LONGEST_WAIT)
            raise ModelError("the LLM endpoint is rate limited (HTTP 429)", retry_after=wait) from None
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            message = f"the LLM endpoint denies access (HTTP {error.status_code}): check LLM_API_KEY and LLM_MODEL"
            raise ModelError(message, misconfigured=True) from None
        except (openai.APITimeoutError, TimeoutError):
            raise ModelError("the LLM endpoint did not answer in time") from None
        except openai.APIConnectionError:
            raise ModelError("the LLM endpoint cannot be reached: check LLM_BASE_URL") from None
        except openai.APIStatusError as error:
            raise ModelError(f"the LLM endpoint failed (HTTP {error.status_code})") from None
        except (openai.OpenAIError, ValueError) as error:  # an answer that is not one of this API
            raise ModelError(f"the model's answer cannot be read ({type(error).__name__})", about_text=True) from None
        asked = sum(len(each["content"]) for each in messages)
        try:
            content = str(made.choices[0].message.content or "")
        except (AttributeError, IndexError, TypeError):
            raise ModelError("the model's answer is empty", about_text=True, tokens=_tokens(made, asked)) from None
        tokens = _tokens(made, asked + len(content))
        found = read(content, [part.name for part in parts])
        if not found:
            message = "the model's answer has no JSON with the requested fields"
            raise ModelError(message, about_text=True, tokens=tokens)
        return LLMAnswer(found, tokens, endpoint.model)


def read(content: str, names: Sequence[str]) -> dict[str, str]:
    """The fields `names` of the first JSON object in an answer that has any, as plain text; empty if there is none.

    Code fences and reasoning are removed, nested values flattened, other fields ignored.
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
    """A JSON value as one line of text; lists and objects are joined."""
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
    """Tokens used for an answer; estimated from its characters if the endpoint does not say."""
    count = getattr(getattr(made, "usage", None), "total_tokens", None)
    return count if isinstance(count, int) and 0 < count < 10_000_000 else characters // 3 + 1


def _client(endpoint: Endpoint, timeout: float) -> AsyncOpenAI:
    """A client of an endpoint. The query of its address is sent with every request."""
    from openai import AsyncOpenAI

    parts = urlsplit(endpoint.base_url)
    return AsyncOpenAI(
        base_url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        api_key=endpoint.key or "none",
        default_query=dict(parse_qsl(parts.query)),
        timeout=timeout,
        max_retries=0,
    )


def _parameters(parts: Sequence[TextField], without: Collection[str]) -> dict[str, object]:
    """The parameters of a request beside its messages, without those that the endpoint rejects."""
    parameters: dict[str, object] = {} if "response_format" in without else {"response_format": _schema(parts)}
    if "temperature" not in without:
        parameters["temperature"] = 0.2
    parameters["max_completion_tokens" if "max_tokens" in without else "max_tokens"] = MOST_TOKENS
    return parameters


def _rejected(message: str, without: Collection[str]) -> str | None:
    """The parameter that an error most likely rejects; None if none is left to try without."""
    for name in ("max_tokens", "temperature", "response_format"):
        if name in message and name not in without:
            return name
    return next((name for name in ("response_format", "temperature", "max_tokens") if name not in without), None)
