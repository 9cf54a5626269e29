"""The parameters of a request to an LLM endpoint, and what is learned about the endpoint from its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.render.styles import TextField

MOST_TOKENS = 8_000
"""Tokens that an answer may have, thoughts included."""
LEAST_TOKENS = 1_500
"""Tokens that must be left for an answer; with fewer the question is asked with less of the source."""
SLACK = 64
"""Tokens that a server counts for the frame around messages."""
WINDOWS = ("max_model_len", "context_length", "context_window", "max_context_length", "max_context_tokens")
"""Names under which servers say a model's context window in `/models`: vLLM, OpenRouter, Groq, LM Studio, others."""
OPTIONAL = ("max_tokens", "temperature", "response_format")
"""Parameters that can be left out, `max_tokens` for `max_completion_tokens`."""

_STREAM = re.compile(r"\bstream", re.IGNORECASE)
_SCHEMA = re.compile(r"json.?(?:schema|mode)|grammar|guided.decoding|structured.output", re.IGNORECASE)
"""How servers speak of `response_format` without naming it."""
_SYSTEM = re.compile(r"(?:system|developer) (?:role|message|prompt|instruction)\W.{0,24}\bnot\b", re.IGNORECASE)
_ANSWER_TOKENS = re.compile(r"max_?(?:completion_?|output_?)?tokens|maximum tokens|completion tokens", re.IGNORECASE)
_MOST_TOKENS = re.compile(
    r"(?:at most|less than(?: or equal to)?|lower than|max_tokens (?:is|should be) \[1,|\(inclusive\) to)"
    r"\W{0,3}(\d{3,6})\b|> (\d{3,6}), which is the maximum allowed"
)
"""How servers say how many tokens an answer may have at most."""
_DENSE = re.compile(r"[\u0600-\u06ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(slots=True)
class Learned:
    """What an endpoint's answers have taught: parameters that it rejects, its window in tokens, whether it streams."""

    rejected: set[str] = field(default_factory=set)
    window: int | None = None
    streams: bool = False
    most_tokens: int = MOST_TOKENS
    """Tokens that an answer may have at most."""
    bare: bool = False
    """It rejects some optional parameter without naming it, so none is sent."""

    def parameters(self, parts: Sequence[TextField], room: int, *, bare: bool = False) -> dict[str, object]:
        """The parameters beside model and messages; `room` is tokens for the answer, `bare` leaves out what can be.

        Without `parts` the answer is free, and always the same.
        """
        given: dict[str, object] = {}
        if parts and not bare and "response_format" not in self.rejected:
            given["response_format"] = schema(parts)
        if not bare and "temperature" not in self.rejected:
            given["temperature"] = 0.2 if parts else 0.0
        if not bare:
            name = "max_completion_tokens" if "max_tokens" in self.rejected else "max_tokens"
            given[name] = min(self.most_tokens, room)
        if self.streams:
            # Not an argument of the library, which would then parse the stream itself.
            options = {} if "stream_options" in self.rejected else {"stream_options": {"include_usage": True}}
            given["extra_body"] = {"stream": True, **options}
        return given

    def messages(self, system: str, user: str) -> list[dict[str, str]]:
        """The messages of a question, in one where the model knows no system messages (Gemma)."""
        if "system" in self.rejected:
            system, user = "", f"{system}\n\n{user}".strip()
        return [{"role": role, "content": said} for role, said in (("system", system), ("user", user)) if said]

    def learn(self, message: str) -> bool:
        """Learn from an error that names what it rejects. Returns whether there is something else to try."""
        limit = _MOST_TOKENS.search(message) if _ANSWER_TOKENS.search(message) else None
        if limit and (most := int(limit[1] or limit[2])) < self.most_tokens:
            self.most_tokens = most
            return True
        if self.streams and "stream_options" in message and "stream_options" not in self.rejected:
            self.rejected.add("stream_options")
            return True
        if not self.streams and _STREAM.search(message):
            self.streams = True
            return True
        said = {name for name in OPTIONAL if name in message}
        said |= {"response_format"} if _SCHEMA.search(message) else set()
        said |= {"system"} if _SYSTEM.search(message) else set()
        named = next((name for name in (*OPTIONAL, "system") if name in said - self.rejected), None)
        if named is not None:
            self.rejected.add(named)
        return named is not None

    def narrow(self, window: int) -> None:
        """Remember a window if it is smaller than the one known."""
        if window > 0 and (self.window is None or window < self.window):
            self.window = window


def schema(parts: Sequence[TextField]) -> dict[str, object]:
    """The `response_format` that asks for exactly these fields."""
    properties = {part.name: {"type": "string"} for part in parts}
    inner = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "text", "strict": True, "schema": inner}}


def estimate(text: str) -> int:
    """Roughly the tokens of a text, rather too many: three characters of Latin script each, one of denser scripts."""
    dense = len(_DENSE.findall(text))
    return (len(text) - dense) // 3 + dense + 1


def window_in(models: Any, name: str) -> int | None:
    """The context window that a list of models (`/models`) gives for a model, in tokens; None if it does not say."""
    listed = models.get("data") if isinstance(models, Mapping) else models
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping) and _bare_name(each.get("id", "")) == _bare_name(name):
            found = [each[key] for key in WINDOWS if isinstance(each.get(key), int)]
            return next((window for window in found if 500 <= window <= 100_000_000), None)
    return None


def _bare_name(name: object) -> str:
    return str(name).removeprefix("models/")
