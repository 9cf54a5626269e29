"""What does not belong into a reader's sentences: links, markup, and what is said about the task itself. Pure.

Each is a pattern over one part. Nothing in them can backtrack far: a repetition is bounded or cannot match in two ways.
"""

from __future__ import annotations

import re

from bot.render.styles import TEXT_FIELDS

LINK = re.compile(
    r"(?i)(?:https?|ftp)\s?:\s?//|\bwww\.[a-z0-9]|\]\(|\bdoi\s?[:.]\s?(?:org|10\.)|\b10\.\d{4,9}/\S|\barxiv\.org\b"
    r"|(?<![\w@.-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,24}/[\w~%-]"
    r"|[\w.+-]{1,64}@[a-z0-9-]{1,63}\.[a-z]{2}"
    r"|(?<![\w@.-])[a-z0-9-]{2,63}(?:\.[a-z0-9-]{1,63}){0,4}\.(?:com|org|net|edu|gov|io)(?![\w-])"
)
TAG = re.compile(
    r"(?i)</?(?:a|abbr|b|blockquote|body|br|center|cite|code|div|em|figure|font|h[1-6]|head|hr|html|i|iframe|img|li|link"
    r"|mark|meta|ol|p|pre|q|s|script|section|small|span|strong|style|sub|sup|svg|table|tbody|td|th|thead|tr|tt|u|ul"
    r"|video)(?:\s[^<>]{0,300})?/?>|&(?:nbsp|lt|gt|amp|quot|apos|#\d{1,6}|#x[0-9a-f]{1,5});|<!--"
)
MARKDOWN = re.compile(
    r"(?m)^\s{0,3}#{1,6}\s+\S|```|~~~|\*\*\S|\S\*\*|(?<!\w)__\S[^_\n]{0,200}__(?!\w)|^\s{0,3}\|[^|\n]{0,500}\|"
    r"|\|\s?:?-{3,}|^\s{0,3}>\s|!\[|\\(?:textbf|textit|emph|cite[pt]?|ref|begin|end|section|footnote|url|href)\s?\{"
)
_ENGLISH = (
    r"\bas an? (?:artificial|large|language)\b[^.]{0,20}(?:model|assistant|ai)|\bas an ai\b|\bi(?: am|'m|’m) an ai\b",
    r"\bhere(?:'s|’s| is| are) (?:the|a|your|my) (?:\w+ )?(?:summary|translation|json|answer|response|output|review)",
    r"\bi(?: am|'m|’m) (?:sorry|unable)|\bi (?:cannot|can't|can’t|could not) (?:provide|help|access|translate|comply)",
    r"\b(?:sure|certainly|of course)[,!]|\blet me know if|\bhope this helps|\bfeel free to",
    r"\b(?:ignore|disregard|forget) (?:all |any |the ){0,2}(?:previous|prior|above|earlier) (?:instruct|prompt|text)",
    r"\b(?:translate|summari[sz]e|rewrite) the (?:following|above|text|abstract|paper)\b|\b(?:system|user) prompt\b",
    r"\b(?:in|as|to|into) (?:valid )?json\b|\bjson (?:object|format|schema|output)",
    r"\bthe (?:provided|given) (?:text|abstract|source|title)\b|\b(?:provided|given) (?:text|abstract) (?:above|below)",
    r"\byour (?:task|answer|response|reply|output) (?:is|should|must)\b",
    r"\b(?:do not|don't) (?:add|include|invent|mention|use) any",
    r"\b(?:answer|respond|reply|write|output) (?:only )?in (?:english|korean|japanese|chinese|arabic|json|plain)\b",
    r"\bat most \d+ (?:characters|sentences)|\bmax(?:imum)? (?:of )?\d+ characters",
    r"<\|[a-z_]{1,40}\|>|\[/?inst\]|</?think>|\{\s?[\"“]\w+[\"”]\s?:|[\"“]\w+[\"”]\s?:\s?[\"“]",
)
_KOREAN = (
    r"(?:다음은|아래는) .{0,20}(?:요약|번역|결과|답변)|요약(?:은|하면|해) (?:다음과 같|드리)",
    r"(?:번역|요약)해 ?(?:주세요|드리|줘)",
    r"(?:저는|나는) .{0,12}(?:AI|인공지능|언어 ?모델)|이전 (?:지시|명령|지침).{0,6}(?:무시|잊)|JSON (?:형식|객체)",
    r"다음 (?:글|텍스트|초록|논문|내용)[을를] .{0,12}(?:번역|요약)(?:해|하)|도움이 되(?:었|셨|길|기를)",
)
_CHINESE = (
    r"以下[是为為](?:对|對|该|該|本)?[^，。]{0,12}(?:摘要|总结|總結|翻译|翻譯|译文|譯文)",
    r"作为(?:一个|一名)?(?:AI|人工智能|大?语言模型)|作為(?:一個|一名)?(?:AI|人工智慧|大?語言模型)",
    r"(?:忽略|无视|無視)[^。]{0,8}(?:之前|以上|先前|上述|前面)[^。]{0,6}(?:指令|指示|提示|说明|說明)",
    r"(?:以下|下列|下面)[^。]{0,8}(?:翻译|翻譯)(?:成|为|為)|JSON ?(?:格式|对象|物件)",
    r"[请請](?:将|將|把|对|對|用|以|根据|根據|注意|提供|按)|希望(?:这|這|以上|对您|對您)[^。]{0,10}(?:帮助|幫助)",
)
_JAPANESE = (
    r"以下[はに]、?[^。]{0,16}(?:要約|翻訳|日本語訳)(?:です|になり|を示)|(?:翻訳|要約)して(?:ください|下さい)",
    r"(?:私は|わたしは)[^。]{0,8}(?:AI|人工知能|言語モデル)|(?:AI|言語モデル)として[、,]|JSON ?(?:形式|オブジェクト)",
    r"(?:以前|これまで|上記|前)の(?:指示|命令|プロンプト)[^。]{0,6}(?:無視|忘れ)|お役に立|ご参考にな",
)
_ARABIC = (
    r"(?:إليك|فيما يلي|هذا هو) .{0,16}(?:ملخص|الملخص|ترجمة|الترجمة)|(?:بصفتي|كوني|أنا) .{0,12}(?:نموذج|ذكاء)",
    r"تجاهل .{0,20}(?:التعليمات|الأوامر)|(?:ترجم|لخص|لخّص) (?:النص|ما يلي|الملخص)",
    r"(?:بصيغة|بتنسيق) JSON|آمل أن (?:يكون|يفيد)",
)
ABOUT_THE_TASK = re.compile("(?i)" + "|".join((*_ENGLISH, *_KOREAN, *_CHINESE, *_JAPANESE, *_ARABIC)))
_FIELDS = {part.name.replace("_", "[_ ]") for parts in TEXT_FIELDS.values() for part in parts}
ECHO = re.compile(
    rf"(?im)^\W{{0,3}}(?:{'|'.join(sorted(_FIELDS))}|summary|tl;?dr|translation)\W{{0,3}}[:：=]|\binput_output\b"
)
"""The name of a field in front of what belongs into it."""


def first(pattern: re.Pattern[str], text: str, allowed: str = "") -> str:
    """The first match that `allowed`, a source in small letters, does not hold as well; empty where there is none.

    A paper may be about a tag or a prompt; what leads somewhere else is a link all the same.
    """
    matches = (found[0] for found in pattern.finditer(text))
    return next((each for each in matches if each.casefold() not in allowed or (pattern is LINK and "/" in each)), "")
