"""What a model is asked: the prompt of a text, put together from the templates, and its hash.

For each language there is a manner (register, punctuation, terms), for each style an example with its answer. Its paper
does not exist, so that whatever a model copies from it is not in the source and is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache

from bot.model import Style
from bot.render import folder
from bot.render.styles import MISSING, TEXT_FIELDS
from bot.render.templates import prompt
from bot.render.words import english_name

EXAMPLES = {
    Style.HIGHLIGHTS: {
        "sentence": "FeatherGrip slows a robot's fingers down as soon as a camera sees an edge bend.",
        "problem": "Sorting robots often drop thin objects.",
        "proposal": "The authors tie the speed of the fingers to what a camera sees of the object's edge.",
        "result": "On 6 kinds of paper it may reduce drops by 18% on average (up to 31%) compared with a fixed speed, "
        "at 0.4 seconds more per object.",
    },
    Style.PLAIN: {
        "input_output": "The robot gets camera pictures of a sheet that it is about to lift, and sets the speed of its "
        "fingers by them.",
        "problem": "Robots that sort things often let thin ones fall.",
        "idea": "When the edge begins to bend, the fingers slow down. It is like reaching for a soap bubble: "
        "whoever sees it give way moves more gently.",
    },
    Style.TRANSLATION: {
        "title": "FeatherGrip: Slowing Down at the Edge (in your language, the name as it is)",
        "abstract": "(every sentence in your language, in order, with its “may”, both numbers and the comparison)",
    },
    Style.REVIEW: {
        "goal": "The authors want sorting robots to drop fewer thin objects.",
        "motivation": "Thin objects are often dropped, and a fixed speed does not fit them all.",
        "contribution": "FeatherGrip ties the speed of the fingers to what a camera sees.",
        "method": "A camera watches the edge of the object. When it bends, the fingers slow down.",
        "results": "On 6 kinds of paper it may reduce drops by 18% on average (up to 31%) compared with a fixed speed, "
        "at 0.4 seconds more per object.",
        "limitations": "The authors leave wet paper to future work.",
        "conclusion": "Watching the edge may make gripping thin objects safer, at a small loss of speed.",
    },
}
"""The answer to the example for each style; the paper that it is about is in templates/prompts/example.j2."""

_FENCE = re.compile("={3,}")


def question(
    style: Style,
    language: str,
    *,
    title: str,
    organisation: str,
    source: str,
    fields: Sequence[str],
    faults: Sequence[str] = (),
) -> tuple[str, str]:
    """The system's and the user's part of the prompt that asks for these fields of a text about a paper.

    `faults` say what was wrong with an earlier answer. Text from outside cannot end its part of the prompt.
    """
    name = english_name(language)
    user = prompt(
        "paper",
        task=prompt(style.value, language=name, missing=MISSING),
        example=prompt("example", language=name, fields=fields, answer=_example(style, language)),
        title=_fenced(title),
        organisation=_fenced(organisation),
        source=_FENCE.sub("==", source),
        faults=faults,
    )
    return prompt("system", language=name, fields=fields, manner=_of_language("manner", language)), user


@cache
def fingerprint(style: Style, language: str) -> str:
    """A hash of the prompt and fields of a style in a language: with another one, a rejected text counts as missing."""
    fields = [part.name for part in TEXT_FIELDS[style]]
    asked = question(style, language, title="T", organisation="O", source="S", fields=fields, faults=["F"])
    return hashlib.sha256("\n".join([*asked, repr(TEXT_FIELDS[style])]).encode()).hexdigest()[:16]


def _example(style: Style, language: str) -> Mapping[str, str]:
    """The answer to the example; of a translation in its language, where there is one."""
    translated = _of_language("translated", language) if style is Style.TRANSLATION else ""
    if not translated:
        return EXAMPLES[style]
    title, _, abstract = translated.partition("\n")
    return {"title": title, "abstract": abstract}


def _of_language(name: str, language: str) -> str:
    """A prompt that is written for one language, such as `manner.ko.j2`; empty if there is none."""
    return prompt(f"{name}.{language}") if (folder() / "prompts" / f"{name}.{language}.j2").is_file() else ""


def _fenced(text: str) -> str:
    """Text from outside on one line that cannot end its part of the prompt."""
    return _FENCE.sub("==", " ".join(text.split()))
