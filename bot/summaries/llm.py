"""The client of the LLM endpoint: any server with OpenAI's chat completions API. The only module that uses openai.

The model fills the fields of a style: by structured output where the endpoint supports it, else by instruction alone.
What an endpoint rejects, how much it reads at once and that it only streams is learned from its answers, each at the
cost of one request. Answers are untrusted: their size is bounded, and the guard (`bot.summaries.guard`) checks them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from bot.render.styles import TextField
from bot.summaries.answer_parsing import Completion, completion, read, words
from bot.summaries.llm_errors import (
    AnswerCutError,
    ContextExceededError,
    ContextLimit,
    ModelError,
    RejectedError,
    context_limit,
    no_answer,
    status_error,
)
from bot.summaries.request_parameters import LEAST_TOKENS, MOST_TOKENS, SLACK, Learned, estimate, window_in

if TYPE_CHECKING:  # importing it takes half a second, so only where a model is configured
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

DEFAULT_WINDOW = 32_768
"""Tokens; the context window that is assumed until the operator or the endpoint says otherwise."""
MOST_BYTES = 4_000_000
"""Bytes of an answer; the rest of a longer one is not read."""
MOST_REJECTED = 2
"""Requests of one question that an endpoint may reject before the question is given up."""
WINDOW_SECONDS = 5.0
"""Seconds to wait for the list of models, which may say the context window."""
FREE = ""
"""The field of an answer for which no fields were asked."""
CUT_PROMPT = 8
"""Characters a token; if a server counts fewer tokens than that in a long question, it has read only part of it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of an LLM endpoint, its key, and the name of a model there."""

    base_url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class LLMAnswer:
    """The fields of a style as a model filled them, the tokens used, and the model.

    A free answer is the field FREE.
    """

    parts: Mapping[str, str]
    tokens: int
    model: str


class _ErrorStatus(Exception):  # noqa: N818 - what a server answered, not yet what is wrong
    """An error status of HTTP, or an answer with status 200 that reports one, with the body and the headers."""

    def __init__(self, code: int, body: object, headers: Mapping[str, str], *said: str) -> None:
        super().__init__(" ".join((*said, str(body))))
        self.code = code
        self.body = body
        self.headers = headers


class Model:
    """A model, with further endpoints as fallbacks.

    `timeout` is seconds for one answer, `window` the tokens that may be used of a context window.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, timeout: float, window: int = DEFAULT_WINDOW) -> None:
        """Raises ValueError if the proxy named by the environment cannot be used."""
        self._timeout = timeout
        self._window = window
        try:
            self._endpoints = [(each, _client(each, timeout)) for each in endpoints]
        except (ImportError, ValueError):
            raise ValueError("the proxy that ALL_PROXY or HTTPS_PROXY names cannot be used for LLM_BASE_URL") from None
        self._learned = {each: Learned() for each in endpoints}
        self._asked_for_window: set[Endpoint] = set()
        self._preparing = asyncio.Lock()

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

    @property
    def longest(self) -> float:
        """Seconds that one question may take at most, with every endpoint tried."""
        return self._timeout * len(self._endpoints)

    @property
    def window(self) -> int:
        """Tokens that every endpoint reads at once, as far as is known."""
        return min(self._window, *(self._reads(each) for each, _ in self._endpoints))

    async def prepare(self) -> None:
        """Ask endpoints, once each, for the context window of their model. Never raises for what they answer."""
        async with self._preparing:  # the second caller waits for what the first finds out
            for endpoint, client in self._endpoints:
                if endpoint in self._asked_for_window:
                    continue
                self._asked_for_window.add(endpoint)
                try:
                    async with asyncio.timeout(WINDOW_SECONDS):
                        body = await _get(client.models.with_streaming_response.list())
                    self._learned[endpoint].narrow(window_in(json.loads(body), endpoint.model) or 0)
                except Exception as error:  # noqa: BLE001 - few servers say it, and nothing depends on it
                    log.debug("context window not told", extra={"why": type(error).__name__})

    async def fill(self, system: str, user: str, parts: Sequence[TextField]) -> LLMAnswer:
        """Have a model fill `parts`, trying endpoints in order. Raises the first ModelError if all fail.

        Without `parts` it answers freely (FREE); without `system` only the user's message is sent.
        """
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

    def _reads(self, endpoint: Endpoint) -> int:
        return self._learned[endpoint].window or self._window

    async def _ask(
        self, endpoint: Endpoint, client: AsyncOpenAI, system: str, user: str, parts: Sequence[TextField]
    ) -> LLMAnswer:
        """Ask one endpoint, without request parameters that it rejects. Raises ModelError."""
        learned, prompt_tokens = self._learned[endpoint], estimate(system) + estimate(user)
        bare = learned.bare
        for rejected in range(MOST_REJECTED + 1):
            room = min(self._window, self._reads(endpoint)) - prompt_tokens - SLACK
            if room < LEAST_TOKENS:
                break
            try:
                parameters = learned.parameters(parts, room, bare=bare)
                answer = await self._complete(endpoint, client, learned.messages(system, user), parts, parameters)
            except _ErrorStatus as error:
                fault = status_error(error.code, error.body, error.headers, endpoint.key)
                form = isinstance(fault, RejectedError)
                if rejected == MOST_REJECTED or not (form or error.code >= 500):
                    raise fault from None
                if learned.learn(str(error)):
                    continue
                limit = context_limit(str(error)) or (ContextLimit(0, 0) if error.code == 413 else None)
                if limit is not None and (form or limit.window):  # an outage tells of no window without its number
                    learned.narrow(limit.window or self._reads(endpoint) // 2)
                    prompt_tokens = limit.prompt_tokens or prompt_tokens
                    continue
                if bare or not form:
                    raise fault from None
                bare = True
            else:
                learned.bare = bare
                return answer
        raise ContextExceededError(
            f"the question does not fit the model's context window ({self._reads(endpoint)} tokens): "
            "raise it at the server, or use a model that reads at least 8192"
        )

    async def _complete(
        self,
        endpoint: Endpoint,
        client: AsyncOpenAI,
        messages: list[Any],
        parts: Sequence[TextField],
        parameters: Mapping[str, Any],
    ) -> LLMAnswer:
        body = await self._request(endpoint, client, messages, parameters)
        made = completion(body)
        asked = sum(len(each["content"]) for each in messages)
        if made is None:
            message = "the LLM endpoint answers with something else than a completion; check LLM_BASE_URL"
            raise ModelError(message, misconfigured=True)
        if not isinstance(made, Completion):
            code = str(made.get("code"))
            raise _ErrorStatus(int(code) if re.fullmatch("[45][0-9]{2}", code) else 200, made, {})
        tokens = made.tokens or estimate("".join(each["content"] for each in messages) + made.content + made.thoughts)
        found = read(made, [part.name for part in parts]) if parts else {FREE: said} if (said := words(made)) else {}
        if 1_000 <= made.prompt_tokens < asked // CUT_PROMPT:
            # Ollama cuts a question that is too long without a word, and answers what is left of it.
            self._learned[endpoint].narrow(made.prompt_tokens)
            raise ContextExceededError(
                f"the LLM endpoint read only {made.prompt_tokens} tokens of the question: raise its context window"
                " (OLLAMA_CONTEXT_LENGTH, --max-model-len) or lower LLM_WINDOW",
                tokens=tokens,
            )
        if len(found) < max(len(parts), 1) and made.is_cut:
            message = (
                "the model's answer was cut off (finish_reason=length): its context window or its limit of tokens "
                f"is too small, or it thinks too long; {MOST_TOKENS} tokens are wanted for thoughts and answer"
            )
            raise AnswerCutError(message, about_text=True, tokens=tokens)
        if not found:
            raise no_answer(made, tokens, endpoint.key)
        return LLMAnswer(found, tokens, endpoint.model)

    async def _request(
        self, endpoint: Endpoint, client: AsyncOpenAI, messages: list[Any], parameters: Mapping[str, Any]
    ) -> str:
        """The body of the answer. Raises _ErrorStatus for an error status, else ModelError."""
        import openai

        try:
            # The client's own timeout restarts with every byte.
            async with asyncio.timeout(self._timeout):
                return await _get(
                    client.chat.completions.with_streaming_response.create(
                        model=endpoint.model, messages=messages, **parameters
                    )
                )
        except openai.APIStatusError as error:
            raise _ErrorStatus(error.status_code, error.body, error.response.headers, error.message) from None
        except (openai.APITimeoutError, TimeoutError):
            message = f"the LLM endpoint did not answer within {self._timeout:.0f} seconds (LLM_TIMEOUT)"
            raise ModelError(message) from None
        except openai.APIConnectionError:
            raise ModelError("the LLM endpoint cannot be reached: check LLM_BASE_URL") from None
        except Exception as error:  # noqa: BLE001 - of whatever HTTP client the library uses, while a body is read
            raise ModelError(f"the LLM endpoint's answer cannot be read ({type(error).__name__})") from None


async def _get(opening: Any) -> str:
    """The beginning of a response's body, at most MOST_BYTES."""
    body = bytearray()
    async with opening as response:
        async for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                break
    return body[:MOST_BYTES].decode("utf-8", "replace")


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
