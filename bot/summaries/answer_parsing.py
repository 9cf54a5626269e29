"""Reads the answer of an LLM endpoint: one JSON object or a stream of events, thoughts removed, the fields of a style.

Everything here is untrusted: sizes are bounded, and nothing raises for what a server or a model wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_ANSWER = 60_000
"""Characters of an answer without its thoughts; a longer one is rejected. The longest valid text has a tenth."""
DEEPEST = 3
"""Levels of nested objects that are searched for the fields."""
MOST_TRIES = 2_000
"""Opening braces that are tried as the beginning of an object; drafts and formulas hold many that begin none."""

_END_OF_THOUGHTS = re.compile(
    r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>", re.IGNORECASE
)
"""What models write between their thoughts and their answer, where the server does not take the thoughts out."""
_LINE_END = re.compile(r"\r\n|\n|\r")
"""What ends a line of server-sent events; the answer itself may hold other separators of lines."""
_BEGINNING_OF_THOUGHTS = re.compile(r"<(?:think|thinking|thought|reasoning)>|\[THINK\]|◁think▷", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Completion:
    """What an endpoint answered: the model's words and thoughts, why it stopped, and the tokens used (0: not said)."""

    content: str = ""
    thoughts: str = ""
    finish: str = ""
    refusal: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    broke_off: bool = False
    """A stream that ended before the model said that it was done."""

    @property
    def is_cut(self) -> bool:
        """Whether the answer ends where a limit of tokens was reached."""
        return self.finish in {"length", "max_tokens"}


def completion(body: str) -> Completion | Mapping[str, Any] | None:
    """An answer of the chat completions API, whole or as server-sent events (sent even where nobody asked for them).

    A mapping is the error that a server reported with status 200. None: the body is neither.
    """
    text = body.lstrip("\ufeff").strip()
    streamed = text.startswith(("data:", ":", "event:", "id:", "retry:"))
    data = [line[5:].strip() for line in _LINE_END.split(text) if line.startswith("data:")] if streamed else [text]
    chunks = [each for each in map(_decoded, data) if isinstance(each, dict)]
    if not chunks:
        return None
    if not streamed and "choices" not in chunks[0]:
        return _error(chunks[0]) or _error({"error": chunks[0].get("message") or chunks[0].get("detail")})
    content, thoughts, finish, refusal, tokens, prompt_tokens = "", "", "", "", 0, 0
    for chunk in chunks:
        if error := _error(chunk):
            return error
        usage = chunk.get("usage")
        if isinstance(usage, dict):
            tokens = _count(usage.get("total_tokens")) or tokens
            prompt_tokens = _count(usage.get("prompt_tokens")) or prompt_tokens
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            continue
        if error := _error(choices[0]):  # of the provider behind OpenRouter
            return error
        said = choices[0].get("message") or choices[0].get("delta")
        if isinstance(said, dict):
            content += _text(said.get("content"))
            thoughts += _text(said.get("reasoning_content") or said.get("reasoning"))
            refusal += _text(said.get("refusal"))
        finish = str(choices[0].get("finish_reason") or finish)
    broke_off = streamed and not finish and "[DONE]" not in data
    return Completion(content, thoughts, finish, refusal, tokens, prompt_tokens, broke_off)


def read(answer: Completion, names: Sequence[str]) -> dict[str, str]:
    """The fields `names` as the model filled them, as plain text; empty if it did not.

    It is the last complete object behind the model's thoughts that counts: what comes before is a draft. Thoughts that
    a server put in the place of the answer are read too, but only if the model came to its end.
    """
    content = answer.content
    ends = list(_END_OF_THOUGHTS.finditer(content))
    if ends:
        found = _last(content[ends[-1].end() :], names)
        if found:
            return found
    if answer.is_cut and _BEGINNING_OF_THOUGHTS.search(content) and not ends:
        return {}  # it was still thinking
    found = _last(content, names)
    if not found and not content.strip() and not answer.is_cut:
        found = _last(answer.thoughts, names)
    return found


def words(answer: Completion) -> str:
    """What the model says behind its thoughts, as it stands; empty if it was still thinking."""
    ends = list(_END_OF_THOUGHTS.finditer(answer.content))
    if not ends and answer.is_cut and _BEGINNING_OF_THOUGHTS.search(answer.content):
        return ""
    return answer.content[ends[-1].end() if ends else 0 :].strip()[:LONGEST_ANSWER]


def _last(text: str, names: Sequence[str]) -> dict[str, str]:
    """The fields of the last object in a text that has all of them, else of the last that has any."""
    if len(text) > LONGEST_ANSWER:
        return {}
    decoder = json.JSONDecoder(strict=False)  # models break lines within their strings
    whole: dict[str, str] = {}
    some: dict[str, str] = {}
    at, tries = text.find("{"), 0
    while at >= 0 and tries < MOST_TRIES:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        found = _fields(value, names)
        some = found or some
        whole = found if len(found) == len(names) else whole
        at = text.find("{", end)
    return whole or some


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


def _text(value: object) -> str:
    """A message's content, which may be a list of pieces of which only the text is the answer."""
    if isinstance(value, list):
        pieces = [each for each in value if isinstance(each, dict) and each.get("type", "text") == "text"]
        return "".join(each["text"] for each in pieces if isinstance(each.get("text"), str))
    return value if isinstance(value, str) else ""


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _error(chunk: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that an answer with status 200 reports; None if it reports none."""
    error = chunk.get("error")
    return None if not error else error if isinstance(error, dict) else {"message": str(error)}


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 10_000_000 else 0
