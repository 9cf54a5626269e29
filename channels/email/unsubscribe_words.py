"""Recognises a request to unsubscribe that somebody writes by hand, in every language that we speak. Pure."""

from __future__ import annotations

import re
import unicodedata

WORDS = frozenset(
    """
    unsubscribe; unsubscribe me; unsubscribe please; please unsubscribe; please unsubscribe me; stop; stop it
    remove me; please remove me; cancel; cancel subscription; opt out; optout; leave; end
    수신거부; 수신 거부; 구독취소; 구독 취소; 구독해지; 구독 해지; 해지; 그만; 중지; 구독 중지; 구독 취소해 주세요
    退订; 取消订阅; 停止; 取消; 请退订; 停止订阅; 退訂; 取消訂閱; 請退訂; 停止訂閱
    配信停止; 購読解除; 登録解除; 解除; 停止; 退会; 配信停止希望; 購読停止; 購読を解除; 配信を停止
    إلغاء الاشتراك; الغاء الاشتراك; إلغاء; الغاء; توقف; إيقاف; ايقاف; قف
    abmelden; abbestellen; desabonner; désabonner; desinscription; désinscription; baja; cancelar suscripción
    """.replace("\n", ";").split(";")
)
"""What unsubscribes where it is the whole subject or the whole first line; the last row is for neighbours."""
_KNOWN = frozenset(" ".join(unicodedata.normalize("NFKC", each).casefold().split()) for each in WORDS if each.strip())
_PREFIX = re.compile(
    r"\s*(?:re|aw|sv|fw|fwd|wg|tr|rv|ynt|答复|回复|回覆|转发|轉寄|返信|転送|회신|답장|전달|رد|إعادة توجيه)"
    r"\s*(?:\[\d+\])?\s*[:：]\s*",
    re.IGNORECASE,
)
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
MAX_CHARACTERS = 60
"""Characters of a line that can be such a request."""


def asks_to_unsubscribe(line: str) -> bool:
    """Whether a subject or first line asks to unsubscribe: nothing but the word for it, after "Re:" and the like.

    "Please don't stop" is a sentence about something else, and so is anything longer.
    """
    line = unicodedata.normalize("NFKC", line[: 4 * MAX_CHARACTERS])
    while found := _PREFIX.match(line):
        line = line[found.end() :]
    line = " ".join(_EDGES.sub("", line).casefold().split())
    return len(line) <= MAX_CHARACTERS and line in _KNOWN
