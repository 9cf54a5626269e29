"""Why an LLM endpoint gave no usable answer, in one sentence with the server's own words but without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.runtime.http import retry_after
from bot.runtime.text import printable
from bot.summaries.answer_parsing import Completion

LONGEST_WAIT = 600.0
"""Seconds; a longer Retry-After of the endpoint is shortened to these."""
MOST_QUOTED = 200
"""Characters of a server's own words that are shown."""

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAIL = re.compile(r"\S+@\S+")
_SECRET = re.compile(
    r"\b(?:bearer\s+\S+|(?:sk|gsk|hf|key|AIza|org|proj)[-_A-Za-z0-9*.]{8,}|[-_A-Za-z0-9*]{28,})", re.IGNORECASE
)
"""What looks like a key, a token or an account in a server's words, which it may quote back."""
_CONTEXT = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|maximum (?:context|number of tokens|model length)|max_model_len"
    r"|(?:prompt|input) (?:is )?too long|too many (?:input )?tokens|exceeds? the (?:available )?context"
    r"|exceeds? the maximum number of tokens|exceeds? (?:the )?max(?:imum)? length|maximum prompt length"
    r"|(?<!daily )(?<!monthly )token limit(?! per)"
    r"|inputs?` (?:tokens|must have less)|reduce the length|string too long|n_ctx",
    re.IGNORECASE,
)
_NUMBER = r"(\d[\d,]{2,9})"
_WINDOWS = (
    re.compile(rf"(?:context|prompt) (?:length|window|size)[^\d]{{0,30}}{_NUMBER}", re.IGNORECASE),
    re.compile(rf"(?:n_ctx|max_model_len|num_ctx)\D{{0,12}}{_NUMBER}", re.IGNORECASE),
    re.compile(
        rf"(?:number of tokens allowed|token limit|limit of|maximum of|less than|<=|> )\D{{0,12}}{_NUMBER}",
        re.IGNORECASE,
    ),
    re.compile(rf"{_NUMBER} maximum context length", re.IGNORECASE),
)
_PROMPT = (
    re.compile(rf"{_NUMBER} (?:tokens )?(?:in|of|from) the (?:messages|prompt|input)", re.IGNORECASE),
    re.compile(rf"{_NUMBER} input tokens", re.IGNORECASE),
    re.compile(
        rf"(?:n_prompt_tokens|prompt_tokens|prompt is too long:|(?:prompt|request) contains)\D{{0,12}}{_NUMBER}",
        re.IGNORECASE,
    ),
)
_FILTERED = re.compile(
    r"content[ _]?(?:filter|policy|management)|data.?inspection|content exists risk|safety (?:system|filter)|flagged",
    re.IGNORECASE,
)
FILTERS = frozenset({"content_filter", "safety", "recitation", "prohibited_content", "sensitive"})
"""Reasons for which filters stop an answer: OpenAI's, Gemini's, Zhipu's."""
_QUOTA = re.compile(r"quota|billing|balance|credit|insufficient|plan\b", re.IGNORECASE)
_SPENT = re.compile(
    r"balance (?:is )?too low|insufficient (?:balance|credit|funds|quota)|budget has been exceeded",
    re.IGNORECASE,
)
"""How servers say with other statuses than 402 and 429 that nothing is left to pay with (Anthropic, LiteLLM)."""


class ModelError(Exception):
    """The endpoint gave no usable answer. The message is one sentence without secrets.

    `retry_after` is how many seconds the endpoint asked us to wait. `misconfigured`: retrying is useless until somebody
    changes something (a wrong key, an unknown model, a quota). `about_text`: only this text is concerned, others may
    succeed. `tokens` were spent all the same.
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


class FilteredError(ModelError):
    """The endpoint's content filter rejected the text: asking again is useless."""


class RejectedError(ModelError):
    """The endpoint rejected the request's form: it may take it with other parameters."""


class EmptyAnswerError(ModelError):
    """The endpoint answered nothing at all, which some do now and then: asking again may help."""


class ContextExceededError(ModelError):
    """The question does not fit the model's context window: it has to be asked with less of the source."""


class AnswerCutError(ModelError):
    """The answer ends in the middle (finish_reason=length): it has to be asked for shorter."""


@dataclass(frozen=True, slots=True)
class ContextLimit:
    """What a server said about a question that is too long: its window and the question's tokens, 0 where unsaid."""

    window: int
    prompt_tokens: int


def context_limit(words: str) -> ContextLimit | None:
    """What an error says about the context window; None if it is about something else."""
    if not _CONTEXT.search(words):
        return None
    return ContextLimit(_first(_WINDOWS, words), _first(_PROMPT, words))


def server_words(body: object, *secrets: str) -> str:
    """A server's own words about an error, on one line, quoted and safe to show; empty if it gave none.

    Addresses and whatever looks like a key are left out.
    """
    found = _message(body)
    for secret in secrets:
        if secret:
            found = found.replace(secret, "…")
    found = _SECRET.sub("…", _MAIL.sub("…", _URL.sub("…", found)))
    found = " ".join(printable(found).split()).strip(" .")
    return found if len(found) <= MOST_QUOTED else found[: MOST_QUOTED - 1] + "…"


def status_error(code: int, body: object, headers: Mapping[str, str], *secrets: str) -> ModelError:
    """What an error status of HTTP means for the text and for the endpoint."""
    raw, words = _message(body), server_words(body, *secrets)
    wait = retry_after(headers, longest=LONGEST_WAIT)
    said = f': "{words}"' if words else ""
    no_rate = code == 429 and _QUOTA.search(raw) and "rate" not in raw.casefold()
    if code == 402 or no_rate or (code in {400, 403} and _SPENT.search(raw)):
        message = f"the LLM endpoint's quota is used up (HTTP {code}){said}; top it up or set another LLM_API_KEY"
        return ModelError(message, retry_after=wait, misconfigured=True)
    if code == 429:
        return ModelError(f"the LLM endpoint is rate limited (HTTP 429){said}", retry_after=wait)
    if code == 404:
        message = f"the LLM endpoint has no such model or address (HTTP 404){said}; check LLM_MODEL and LLM_BASE_URL"
        return ModelError(message, misconfigured=True)
    if code in {401, 403}:
        message = f"the LLM endpoint denies access (HTTP {code}){said}; check LLM_API_KEY, LLM_MODEL and LLM_BASE_URL"
        return ModelError(message, misconfigured=True)
    if code in {400, 413, 422}:
        if _FILTERED.search(str(body)[:5_000]):
            message = f"the LLM endpoint's content filter rejected the text (HTTP {code}){said}"
            return FilteredError(message, about_text=True)
        return RejectedError(f"the LLM endpoint rejected the request (HTTP {code}){said}", misconfigured=True)
    return ModelError(f"the LLM endpoint failed (HTTP {code}){said}", retry_after=wait)


def no_answer(answer: Completion, tokens: int, *secrets: str) -> ModelError:
    """Why a completion, which cost `tokens`, has none of the fields that were asked for."""
    if answer.broke_off:
        return ModelError("the LLM endpoint's answer broke off in the middle", tokens=tokens)
    if refusal := server_words(answer.refusal, *secrets):
        return ModelError(f'the model refused: "{refusal}"', about_text=True, tokens=tokens)
    if answer.finish.casefold() in FILTERS:
        message = f"the LLM endpoint's content filter stopped the answer (finish_reason={answer.finish})"
        return FilteredError(message, about_text=True, tokens=tokens)
    if answer.content.strip():
        message = "the model's answer has no JSON with the requested fields"
        return ModelError(message, about_text=True, tokens=tokens)
    if answer.thoughts.strip():
        return ModelError("the model's answer is empty: it only thought", about_text=True, tokens=tokens)
    return EmptyAnswerError("the model's answer is empty", tokens=tokens)


def _message(body: object) -> str:
    """The message in the body of an error, whatever shape a server gives it."""
    for _ in range(4):
        if isinstance(body, list) and body:  # Gemini's
            body = body[0]
        elif isinstance(body, Mapping):
            inner: Any = next((body[name] for name in ("error", "message", "detail", "msg") if body.get(name)), "")
            body = inner
    return body[:5_000] if isinstance(body, str) and not body.lstrip().startswith("<") else ""


def _first(patterns: tuple[re.Pattern[str], ...], words: str) -> int:
    found = next((match for pattern in patterns if (match := pattern.search(words))), None)
    return int(found[1].replace(",", "")) if found else 0
