"""Kinds of LLM servers, each with the habits that it is known for: what a local `ModelServer` is given to answer.

Every kind is a function that makes an author; the author says what a question is answered with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from tests.support.authors import good
from tests.support.model_server import Asked, Author, completion


def count(text: str) -> int:
    """Tokens of a text as these servers count them: four characters each."""
    return len(text) // 4 + 1


def prompt_tokens(asked: Asked) -> int:
    return count(asked.system) + count(asked.user)


def fault(status: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"error": {"message": message, **more}}, status=status)


def ended(content: str | None, asked: Asked, finish: str = "stop", **message: Any) -> web.Response:
    """An answer with its own finish_reason, and more fields in its message."""
    made: Any = completion(content, prompt_tokens(asked) + 100)
    made["usage"]["prompt_tokens"] = prompt_tokens(asked)
    made["choices"][0]["finish_reason"] = finish
    made["choices"][0]["message"].update(message)
    return web.json_response(made)


def events(content: str, asked: Asked, *, usage: bool = False) -> web.Response:
    """An answer as server-sent events, a few characters each, with comments between."""
    lines = [": keep-alive", ""]
    pieces = [content[at : at + 7] for at in range(0, len(content), 7)]
    for piece in pieces:
        chunk = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": piece}}]}
        lines += [f"data: {json.dumps(chunk)}", ""]
    lines += ['data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}', ""]
    if usage:
        total = {"prompt_tokens": prompt_tokens(asked), "completion_tokens": 100, "total_tokens": 700}
        lines += [f"data: {json.dumps({'choices': [], 'usage': total})}", ""]
    lines += ["data: [DONE]", ""]
    return web.Response(text="\n".join(lines), content_type="text/event-stream")


def ollama(author: Author = good, *, window: int = 4096) -> Author:
    """Cuts a question that is longer than its window without a word, and answers what is left."""

    def answer(asked: Asked) -> Any:
        made: Any = completion(author(asked), 1000)
        read = min(prompt_tokens(asked), window)
        made["usage"] = {"prompt_tokens": read, "completion_tokens": 100, "total_tokens": read + 100}
        return web.json_response(made)

    return answer


def vllm(author: Author = good, *, window: int = 8192, old: bool = True) -> Author:
    """Rejects a request whose question and answer do not fit the window together."""

    def answer(asked: Asked) -> Any:
        given = prompt_tokens(asked)
        wanted = int(asked.body.get("max_tokens") or asked.body.get("max_completion_tokens") or window - given)
        if given + wanted > window or given >= window:
            limit = f"This model's maximum context length is {window} tokens"
            message = (
                f"{limit}. However, you requested {given + wanted} tokens ({given} in the messages, {wanted} in the "
                "completion). Please reduce the length of the messages or completion."
                if old
                else f"'max_tokens' or 'max_completion_tokens' is too large: {wanted}. {limit} and your request has "
                f"{given} input tokens ({wanted} > {window} - {given})."
            )
            return web.json_response(
                {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400},
                status=400,
            )
        return author(asked)

    return answer


def deepseek(author: Author = good) -> Author:
    """Knows no schemas, and sends empty lines while it works."""

    def answer(asked: Asked) -> Any:
        if asked.body.get("response_format", {}).get("type") == "json_schema":
            return fault(400, "This response_format type is unavailable now", type="invalid_request_error")
        made = json.dumps(completion(f"```json\n{author(asked)}\n```", 900))
        return web.Response(text=f"\n\n\n{made}", content_type="application/json")

    return answer


def gemini(author: Author = good, *, needs: int = 4000) -> Author:
    """Wraps errors in a list, and thinks at the cost of the answer: with few tokens nothing is left for it."""

    def answer(asked: Asked) -> Any:
        if "strict" in json.dumps(asked.body.get("response_format", {})):
            message = 'Invalid JSON payload received. Unknown name "strict" at response_format: Cannot find field.'
            return web.json_response(
                [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}], status=400
            )
        if int(asked.body.get("max_tokens", needs)) < needs:
            return ended(None, asked, "length")
        return author(asked)

    return answer


DRAFT = '{"sentence": "draft", "problem": "draft", "proposal": "draft", "result": "draft"}'
THOUGHTS: Mapping[str, Callable[[str], str]] = {
    "closed": lambda said: f"<think>Maybe {DRAFT}? No.</think>\n{said}",
    "unopened": lambda said: f"Let me see. {DRAFT} \\frac{{a}}{{b}}\n</think>\n\n{said}",
    "unclosed": lambda said: f"<think>First {DRAFT}. Better: {said}",
}
"""The forms in which thoughts come with an answer: whole, without their beginning, without their end."""


def reasoning(form: str, author: Author = good) -> Author:
    """Gives its thoughts, with a draft in them, in the place of the answer."""
    return lambda asked: THOUGHTS[form](str(author(asked)))


def streaming_only(author: Author = good, *, usage: bool = True) -> Author:
    """Answers only as a stream."""

    def answer(asked: Asked) -> Any:
        if not asked.body.get("stream"):
            return fault(
                400, "This model only support stream mode, please enable the stream parameter to access the model."
            )
        if not usage and "stream_options" in asked.body:
            return fault(400, "stream_options is not supported")
        return events(str(author(asked)), asked, usage=usage)

    return answer


def sse_unasked(author: Author = good) -> Author:
    """Answers as a stream though nobody asked for one."""
    return lambda asked: events(str(author(asked)), asked)


def groq(author: Author = good, *, most: int = 4096) -> Author:
    """Limits the tokens of an answer, and speaks of the context window while it says so."""

    def answer(asked: Asked) -> Any:
        if int(asked.body.get("max_tokens", most)) > most:
            return fault(
                400,
                f"`max_tokens` must be less than or equal to `{most}`, the maximum value for `max_tokens` is less than "
                "the `context_window` for this model",
            )
        return author(asked) if "max_tokens" in asked.body else ended(good(asked)[:40], asked, "length")

    return answer


def openai_thinking(author: Author = good) -> Author:
    """Takes neither `max_tokens` nor a temperature."""

    def answer(asked: Asked) -> Any:
        if "max_tokens" in asked.body:
            return fault(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                "instead.",
                param="max_tokens",
            )
        if "temperature" in asked.body:
            return fault(
                400,
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is "
                "supported.",
            )
        return author(asked)

    return answer


def gemma(author: Author = good) -> Author:
    """Knows no system messages."""

    def answer(asked: Asked) -> Any:
        if any(each["role"] == "system" for each in asked.body["messages"]):
            return fault(400, "Developer instruction is not enabled for models/gemma-3-27b-it")
        return author(asked)

    return answer


def llama_cpp(author: Author = good) -> Author:
    """Makes a grammar of a schema, and fails where it cannot."""
    return lambda asked: fault(500, "failed to parse grammar", code=500) if asked.structured else author(asked)


def azure_stream(author: Author = good) -> Author:
    """Streams unasked, as Windows ends lines, after what its filter found; the last event is missing."""

    def answer(asked: Asked) -> Any:
        said = str(author(asked)).replace(". ", ".\u2028")
        chunks: list[Any] = [{"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}]
        chunks += [{"choices": [{"index": 0, "delta": {"content": said}}]}]
        chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
        lines = [f"data: {json.dumps(each, ensure_ascii=False)}\r\n\r\n" for each in chunks]
        return web.Response(body="".join([": OPENROUTER PROCESSING\r\n\r\n", *lines]).encode("utf-8-sig"))

    return answer


def thoughts_apart(author: Author = good) -> Author:
    """Puts the answer where thoughts belong and nothing in its own place."""
    return lambda asked: ended(None, asked, reasoning_content=str(author(asked)))


def broken_lines(author: Author = good) -> Author:
    """Breaks lines within the strings of its JSON."""
    return lambda asked: str(author(asked)).replace(". ", ".\n").replace(": ", ":\t")


def now_and_then_empty(author: Author = good) -> Author:
    """Answers the first question of each paper with nothing."""
    seen: set[str] = set()

    def answer(asked: Asked) -> Any:
        if asked.title in seen:
            return author(asked)
        seen.add(asked.title)
        return web.json_response({"choices": []})

    return answer


def broken_gzip(asked: Asked) -> web.Response:
    """Says that it compresses, and does not."""
    return web.Response(body=b"\x1f\x8bno", headers={"Content-Encoding": "gzip"})


def breaks_off(asked: Asked) -> web.Response:
    """A stream that ends in the middle."""
    chunk = {"choices": [{"index": 0, "delta": {"content": '{"sentence": "It is'}}]}
    return web.Response(text=f"data: {json.dumps(chunk)}\n\n", content_type="text/event-stream")


def provider_failed(asked: Asked) -> web.Response:
    """OpenRouter's answer where the provider behind it failed."""
    error = {"code": 502, "message": "Provider returned error"}
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "error", "error": error}
    return web.json_response({"id": "gen-1", "choices": [choice]})


def quota_used_up() -> Author:
    """Has no money left."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return lambda asked: fault(429, message, type="insufficient_quota", code="insufficient_quota")


KINDS: Mapping[str, Author] = {
    "Ollama": ollama(),
    "vLLM with 8k": vllm(),
    "vLLM with 8k, newer words": vllm(old=False),
    "DeepSeek": deepseek(),
    "Gemini": gemini(),
    "thoughts, closed": reasoning("closed"),
    "thoughts, unopened": reasoning("unopened"),
    "thoughts, unclosed": reasoning("unclosed"),
    "streaming only": streaming_only(),
    "streaming only, no usage": streaming_only(usage=False),
    "SSE unasked": sse_unasked(),
    "Groq": groq(),
    "OpenAI, thinking": openai_thinking(),
    "Gemma": gemma(),
    "llama.cpp": llama_cpp(),
    "Azure, streaming": azure_stream(),
    "thoughts apart": thoughts_apart(),
    "broken lines": broken_lines(),
}
"""Servers with which every text is accepted in the end."""


def models(*windows: tuple[str, int]) -> Sequence[Mapping[str, object]]:
    """What vLLM lists at /models."""
    return [{"id": name, "object": "model", "max_model_len": window} for name, window in windows]
