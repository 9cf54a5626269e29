"""Repairs what a language model put around or into a true sentence: links, markup, TeX, lead-ins, labels. Pure.

What is cut carries nothing that a reader is told of the paper; the layout has links of its own.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise

from bot.runtime.latex import plain_math
from bot.runtime.text import sentence_ends, visible
from bot.summaries.guard.leftovers import LABEL, LEAD_IN, TAG

LONGEST_POINTER = 70
"""Characters beside its link that a sentence may have to be no more than a pointer ("Code is available at …")."""

_FENCE = re.compile(r"```[a-z]*\s*|~~~[a-z]*\s*")
_MARKDOWN_LINK = re.compile(r"\[([^\[\]]{1,300})\]\([^()\s]{0,500}\)")
_POINTING = re.compile(
    r"(?i)(?:the )?(?:code|here|links?|(?:project )?(?:web)?(?:page|site)|github|demo|代[码碼]"
    r"|[链鏈][接結]|项目|[这這此][里裡]"
    r"|코드|링크|여기|コード|リンク|こちら|الرابط|هنا)"
)
"""What a link is called that only points somewhere."""
_EMPHASIS = (
    (re.compile(r"\*\*|(?<!\w)__(?=\S)|(?<=\S)__(?!\w)"), ""),
    (re.compile(r"`([^`\n]{1,200})`"), r"\1"),
)
_LINE_MARK = re.compile(r"(?m)^\s{0,3}(?:#{1,6}\s+|>\s+|[-*•]\s+(?=\S))")
_BRACKETED = re.compile(r"\s?[(（\[【{]([^()（）\[\]【】{}]{0,300})[)）\]】}]")
_BRACKET = re.compile(r"\s?[(（](?:[^()（）㄀-鿿가-힣ء-ي]|[(（][^()（）]{0,80}[)）]){24,800}[)）]")
_SMALL_WORD = re.compile(
    r"(?<![\w-])(?:a|an|and|by|for|from|in|is|are|of|on|that|the|this|to|using|we|which|while|with)(?![\w-])"
)
LEAST_QUOTED = 3
"""Small English words that make a bracket in a text of another script a quotation, which is cut."""
_URL = re.compile(
    r"(?i)(?:(?:https?|ftp)\s?:\s?//|www\.)[^\s，。；、（）()<>\"“”{}一-鿿가-힣぀-ヿء-ي]+|doi\s?[:.]\s?10\.\d{4,9}/\S+|doi\.org/\S+"
    r"|[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}"
    r"|(?<![\w@.-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.(?:com|org|net|edu|gov|io|ai|co|dev|cn)(?![\w-])(?:/[\w~%./#?=&-]*)?"
)
_END_BEFORE = re.compile(r"[.!?]\s+")
_TAIL = re.compile(
    r"(?i)[\s,，、;；:：–—-]*(?:(?:is |are )?(?:available )?(?:at|on|from|via|under)|见|詳見|详见|在|于)?[\s:：]*\Z"
)
_LAST_CLAUSE = re.compile(r"[,，、;；]\s*[^,，、;；]*\Z")


def repaired(text: str, source: str = "", *, english: bool = False) -> str:
    """The text without links, markup, TeX commands, lead-in and labels; a second repair changes nothing.

    Tags that the paper's own text (`source`, in small letters) speaks of stay. From what is not meant to be `english`,
    brackets that quote English sentences are cut as well.
    """
    for _ in range(4):
        before, text = text, _repaired_once(text if english else _without_quotations(text), source)
        if before == text:
            break
    return text


def without_links(text: str) -> str:
    """The text without its links, and without the sentences, clauses and brackets that only pointed to them.

    For a source before a model is asked, and for what it answers.
    """
    if not _URL.search(text):
        return text
    text = _BRACKETED.sub(lambda found: "" if _URL.search(found[1]) else found[0], text)
    after_a_sentence = [found.end() for found in _END_BEFORE.finditer(text) if _URL.match(text, found.end())]
    places = sorted({0, *sentence_ends(text), *after_a_sentence, len(text)})
    kept = [_without_link(text[start:end]) for start, end in pairwise(places)]
    rest = "".join(kept).strip()
    return rest if any(map(str.isalnum, rest)) else _URL.sub("", text).strip()


def _without_link(sentence: str) -> str:
    found = _URL.search(sentence)
    if not found:
        return sentence
    bare = _URL.sub("", sentence)
    if len(" ".join(bare.split())) <= LONGEST_POINTER:
        return ""
    ahead, behind = sentence[: found.start()], _URL.sub("", sentence[found.end() :])
    clause = _LAST_CLAUSE.search(ahead)
    if clause and len(clause[0]) <= LONGEST_POINTER and len(behind.strip()) <= 12:
        end = re.search(r"[.。!！]\s*\Z", behind)
        return ahead[: clause.start()] + (end[0] if end else "")
    return _TAIL.sub("", ahead) + behind


def _repaired_once(text: str, source: str) -> str:
    text = visible(text)
    text = plain_math(_MARKDOWN_LINK.sub(_unlinked, _FENCE.sub("", text)))
    for mark, plain in _EMPHASIS:
        text = mark.sub(plain, text)
    text = TAG.sub(lambda found: found[0] if found[0].casefold() in source else _untagged(found[0]), text)
    text = _LINE_MARK.sub("", without_links(text))
    text = LABEL.sub("", LEAD_IN.sub("", text))
    return text.strip()


def _without_quotations(text: str) -> str:
    """The text without brackets that quote the paper's English sentences."""
    return _BRACKET.sub(lambda found: "" if len(_SMALL_WORD.findall(found[0])) >= LEAST_QUOTED else found[0], text)


def _unlinked(link: re.Match[str]) -> str:
    """What a link in Markdown is called, unless that only points somewhere."""
    return "" if _POINTING.fullmatch(link[1].strip()) else link[1]


def _untagged(tag: str) -> str:
    """The sign that an entity means; nothing for a tag."""
    return html.unescape(tag) if tag.startswith("&") else ""
