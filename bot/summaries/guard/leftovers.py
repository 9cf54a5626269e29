"""Finds what does not belong into a reader's sentences: links, markup, and talk about the task itself. Pure.

Each is a pattern over one part; `repair` cuts what it can, and what is still there is a ground to refuse the
part. Nothing in them can backtrack far: a repetition is bounded or cannot match in two ways.
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
_TASK = (
    r"\bas an? (?:ai|artificial intelligence|large language|language) (?:language )?(?:model|assistant)?,? i\b",
    r"\bi(?: am|'m|’m) (?:an ai\b|sorry\b|unable to\b)|\bi (?:cannot|can't|can’t) (?:provide|help|translate|comply)",
    r"\b(?:ignore|disregard|forget) (?:all |any |the ){0,2}(?:previous|prior|above|earlier) (?:instruct|prompt|text)",
    r"(?:\A|[.!?:]\s)(?:translate|summari[sz]e|rewrite) the (?:following|above|text|abstract|paper)\b",
    r"<\|[a-z_]{1,40}\|>|\[/?inst\]|</?think>|\{\s?[\"“]\w+[\"”]\s?:|[\"“]\w+[\"”]\s?:\s?[\"“]",
    r"JSON ?(?:형식|객체|格式|对象|物件|形式|オブジェクト)",
    r"이전 (?:지시|명령|지침).{0,6}(?:무시|잊)|도움이 되(?:었|셨)",
    r"作[为為](?:一[个個名])?(?:AI|人工智[能慧]|大?[语語]言模型|AI[语語]言模型)[^。]{0,4}[，,]\s?我(?![们們])",
    r"(?:\A|[。！？\n]\s*)[请請](?:将|將|把|用|以)[^。]{0,14}(?:翻[译譯]|中文|回答|[总總][结結]|摘要)",
    r"(?:忽略|无视|無視)[^。]{0,8}(?:之前|以上|先前|上述|前面)[^。]{0,6}(?:指令|指示|提示)|希望(?:这|這|以上)[^。]{0,10}(?:帮助|幫助)",
    r"(?:翻訳|要約)して(?:ください|下さい)|(?:私は|わたしは)[^。]{0,8}(?:AI|人工知能|言語モデル)|(?:AI|言語モデル)として[、,]",
    r"(?:以前|これまで|上記|前)の(?:指示|命令|プロンプト)[^。]{0,6}(?:無視|忘れ)|お役に立て",
    r"(?:بصفتي|كوني|أنا) .{0,12}(?:نموذج|ذكاء)|تجاهل .{0,20}(?:التعليمات|الأوامر)|(?:بصيغة|بتنسيق) JSON|آمل أن يفيد",
)
ABOUT_THE_TASK = re.compile("(?i)" + "|".join(_TASK))
LEAD_IN = re.compile(
    r"(?i)\A\s*(?:(?:sure|certainly|of course)[,!.]\s*)?(?:"
    r"here(?:'s|’s| is| are) (?:the|a|your|my) [^.:：\n]{0,60}"
    r"(?:summary|translation|json|answer|response|output|review|abstract)"
    r"[^.:：\n]{0,40}[:：.]"
    r"|(?:다음은|아래는) [^.:：\n]{0,40}(?:요약|번역|결과|답변)[^.:：\n]{0,16}[:：.]"
    r"|以下[是为為][^，。:：\n]{0,24}(?:摘要|[总總][结結]|翻[译譯]|[译譯]文)[^，。:：\n]{0,10}[:：。]"
    r"|以下[はに]、?[^。:：\n]{0,24}(?:要約|翻訳|日本語訳)[^。:：\n]{0,12}[:：。]"
    r"|(?:إليك|فيما يلي|هذا هو) [^.:：\n]{0,24}(?:ملخص|الملخص|ترجمة|الترجمة)[^.:：\n]{0,24}[:：.])\s*"
)
"""What a model says before it comes to the point: "Here is the summary:"."""
_FIELDS = {part.name.replace("_", "[_ ]") for parts in TEXT_FIELDS.values() for part in parts}
_LABELS = rf"(?:{'|'.join(sorted(_FIELDS))}|abstract|summary|tl;?dr|translation|english|korean|japanese|chinese|arabic)"
_OWN_LABELS = (
    r"(?:摘要|[标標][题題]|[译譯]文|翻[译譯]|中文|[总總][结結]|要約|翻訳|日本語|タイトル"
    r"|초록|제목|번역|요약|한국어|الملخص|العنوان|الترجمة)"
)
LABEL = re.compile(rf"(?im)^[\s\"“*\[【]{{0,3}}(?:{_LABELS}|{_OWN_LABELS})[\"”*\]】]{{0,3}}\s?[:：]\s?")
"""The name of a field, or of a language, in front of what belongs into it."""


def first(pattern: re.Pattern[str], text: str, allowed: str = "") -> str:
    """The first match that `allowed`, a source in small letters, does not hold as well; empty where there is none.

    A paper may be about a tag or a prompt; what leads somewhere else is a link all the same.
    """
    matches = (found[0] for found in pattern.finditer(text))
    return next((each for each in matches if each.casefold() not in allowed or (pattern is LINK and "/" in each)), "")
