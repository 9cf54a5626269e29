"""Judges what a mail system says about a failed mail: by its words first, then by its status code. Pure.

The same words mean the same on the wire and in a bounce. Nobody loses a subscription for what is said about the
sender: policy, rates and reputation are looked for first. Sources: RFC 3463, RFC 5321, and the answers that mail
systems are seen to give (docs/email.md, "What the answers mean").
"""

from __future__ import annotations

import re
from enum import StrEnum


class Verdict(StrEnum):
    """The meaning of an SMTP answer; the value is shown to operators."""

    NOBODY = "no such mailbox"
    UNSURE = "the reader's side does not take the mail"
    """A strike: perhaps no such mailbox, a disabled account, a domain without hosts."""
    FULL = "mailbox full"
    SENDER = "refused for our reputation, policy or content"
    QUOTA = "our own sending limit or account at the relay"
    LATER = "later"
    UNSAID = "no reason named"


class Spoken(StrEnum):
    """The command that an answer is to, as far as it is known."""

    CONNECT = "connecting, EHLO or MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    UNKNOWN = "unknown"


MAX_SAID = 2_000
"""Characters of an answer that are judged: it is judged between sends, and says why at its beginning."""
_NOISE = re.compile(
    r"https?://\S+|\bwww\.\S+|<[^<>\s@]*@[^<>\s]*>"
    r"|(?<![^\s<>\"'\[\]()])[^\s<>\"'\[\]()]+@[^\s<>\"'\[\]()]+"  # begins with a word, so each is read once
)
"""Addresses of the web and of mail: their words ("…/reasons#userunknown") say nothing."""
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
"""An enhanced status code (RFC 3463)."""


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in alternatives), re.IGNORECASE)


_WHO = (
    r"(?:users?|recipients?|mail ?box(?:es)?|addressee|alias|account|e-?mail address|address|"
    r"user ?id|user ?name|local[ -]part|inbox|person|customer)"
)
_QUOTA = _any(
    r"(?:daily|hourly|monthly|user|account)\b[^.;]{0,40}\bsending (?:limit|quota|rate)",
    r"sending (?:limit|quota|rate)[^.;]{0,20} exceeded",
    r"(?:exceeded|reached)[^.;]{0,40}(?:messages|e-?mails|recipients) (?:per|an?|this) (?:hour|day|month)",
    r"daily (?:message |sending |mail )?quota exceeded",
    r"throttling failure",
    r"maximum sending rate",
    r"(?:e-?mail )?address(?:es)? (?:is|are) not verified",
    r"sender (?:address )?(?:is )?not verified|unverified (?:sender|address)",
)
"""What relays say about the account that we use there."""
_RATE = _any(
    r"at a rate that",
    r"rate[ -]?limit|too (?:many|fast|frequent)(?! hops)|sent to too many",
    r"frequency (?:limited|exceeded)|limit exceeded|throttl",
    r"gr[ea]y-?list",
)
_LATER = _any(
    r"try (?:again|later)|again later|later again|plus tard|sp[äa]ter (?:erneut|noch)",
    r"temporar(?:y|ily) (?:failure|unavailable|deferred|rejected|problem|error|local|system)|timed? ?out",
    r"(?:message|envelope|queue)[ .]expired|queue too long|connection (?:refused|reset|lost)",
    r"network (?:is )?unreachable|unable to connect",
    r"service (?:is )?(?:currently |temporarily )?unavailable(?!; client)",
)
_FULL = _any(
    r"(?:over|exceed\w{0,3}|out of|above|beyond|reached)[^.;]{0,40}(?:quota|storage|disk space|allotted space)",
    r"(?:quota|storage|disk space|space)[^.;]{0,30}(?:exceed|full|reached|over)|quota violation|overquota",
    r"disk quota",
    r"(?:mail ?box|mail ?drop|inbox|folder|account|user|postfach|maildir)\b[^.;:]{0,60}\b(?:is |was )?(?:full|"
    r"exceeds? (?:the )?(?:allowed )?size)",
    r"(?:full|crowded) (?:mail ?box|inbox)|mailbox size|not enough (?:disk )?(?:space|storage)|no space left",
    r"insufficient (?:disk|storage) (?:space|available)|out of storage",
    r"postfach (?:ist )?voll|bo[iî]te (?:de r[eé]ception |aux lettres )?(?:est )?pleine",
    r"buz[oó]n (?:est[aá] )?lleno",
    r"casella [^.;]{0,20}piena|caixa [^.;]{0,20}cheia|ящик[^.;]{0,30}переполнен|превышен[^.;]{0,20}квот",
    r"メールボックス[^。]{0,20}(?:一杯|いっぱい|満杯)|容量[^。]{0,12}(?:超|不足)|邮箱[^。]{0,8}满|信箱[^。]{0,8}[滿满]|용량[^.]{0,8}초과",
)
_LISTS = re.compile(r"spamhaus|spamcop|sorbs|dnsbl|uribl|surbl|barracudacentral|cloudmark|senderbase", re.IGNORECASE)
"""Publishers of lists of bad senders; these count in web addresses too."""
_SENDER = _any(
    r"black-?list|block-?list|deny-?list|dnsbl|\brbl\b|\(BL\)|spamhaus|spamcop|sorbs|proofpoint|barracuda",
    r"blocked (?:using|by|for|due|because|ip|-|see)",
    r"(?:ip|client|host|domain|sender|network|message|mail|connection)\b[^.;]{0,50}\bblocked",
    r"reputation|\bspam\b|spammy|\bube\b|unsolicited|\bbulk\b|DT:SP[MT]|\[HM\d\d\]|suspicious|phish|malware",
    r"virus|infected",
    r"(?:local|security|site|content|administrative|our|mail|message|for) polic(?:y|ies)",
    r"policy (?:reason|violation|reject|restrict)",
    r"prohibited|banned|not (?:accept|allow)ed (?:here|from|to send|by)|forbidden",
    r"\bdmarc\b|\bspf\b|\bdkim\b|unauthenticated|authentication (?:required|information|fail)|authrequired",
    r"not authori[sz]ed|not authenticated",
    r"reverse dns|\bptr\b|\brdns\b|name lookup failed|mismatches client|does not resolve|bad helo|helo command",
    r"ehlo command",
    r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:allowed|permitted))",
    r"(?:unable|not allowed|not permitted) to relay|relaying prohibited|open relay|we do not relay",
    r"sender (?:address |verify |domain )?(?:rejected|failed|denied|invalid|unknown|refused)",
    r"(?:unroutable|invalid|bad|forged|unknown) sender|return path",
    r"content (?:rejected|filter|not allowed)",
    r"message (?:content )?(?:was |is |has been )?(?:rejected|refused|not accepted|contains)|mail rejete",
    r"weren't sent|your (?:ip|server|host|domain|network|e-?mail is)\b|client host rejected|refused to talk",
    r"not accepting connections",
    r"from: (?:header|domain|domain is)|header error|duplicate header|multiple .{0,20}from|attachment",
    r"message (?:size|too (?:large|big))|size exceeds",
)
_HOST = _any(
    r"(?:host|domain|mx)\b[^.;]{0,40}\b(?:unknown|not found|does(?: not|n't) exist|not exist|invalid|"
    r"nonexistent|couldn't be found)",
    r"(?:unknown|no such|invalid|illegal|bad|unrouteable mail|non-?existent) (?:host|domain|"
    r"destination system|mail domain)",
    r"couldn't find any host|name service error|nxdomain|null mx|no mx|mail exchanger|dns query failed",
    r"bad destination system",
    r"(?:domain|host)[^.;]{0,20} does(?: not|n't) accept (?:mail|e-?mail)|host/domain",
    r"[\w-]\.[a-z]{2,} does(?: not|n't) exist|host or domain name not found",
    r"all relevant mx records point to non-existent",
)
_DISABLED = _any(
    rf"{_WHO}\b[^.;]{{0,60}}\b(?:disabled|suspended|inactive|deactivated|discontinued|locked|blocked|"
    rf"bloqu?[eé]|on hold|closed|expired|not active|not accepting)",
    rf"(?:disabled|suspended|inactive|deactivated|expired|dormant) {_WHO}",
    r"not accepting (?:mail|messages)|sperre|gesperrt|заблокирован|отключ[её]н|アカウントは.{0,20}停止",
)
_CERTAIN = _any(
    r"does(?: not|n't|nt) have an? [\w.-]+ account|mailbox not found|non-?existent (?:account|user|mailbox)",
    r"recip(?:ient)?notfound",
    rf"{_WHO}\b[^.;]{{0,30}}\b(?:does(?: not|n't) exist|no longer (?:on|exists|valid|in use|available|active))",
    r"no mailbox here|no such (?:mailbox|account|person)",
)
"""Said of a mailbox alone, at whatever point."""
_NOBODY = _any(
    rf"{_WHO}\b[^.;]{{0,40}}\b(?:unknown|not[ -](?:found|exist\w*|known|valid|listed|recogni[sz]ed|be found|"
    rf"a valid|our customer|registered)|"
    rf"invalid|can(?:not|'t) be found|could(?: not|n't) be found|wasn't found|was not found|not in )",
    rf"(?:unknown|no such|invalid|illegal|non-?existent|undefined|unrouteable|unroutable|not a valid|"
    rf"not a known)(?: [\w-]+){{0,2}} {_WHO}\b",
    r"no (?:one|body) (?:here )?(?:by|with|of) that name|(?:user|name) +not listed|not our customer",
    r"couldn'?t be found|wasn'?t found",
    r"unknown local part|unknown recipient|unknown or illegal|bad destination mailbox",
    r"address not present in directory",
    r"existiert nicht|unbekannt|nicht (?:gefunden|bekannt)|n'existe pas|inconnu|introuvable",
    r"destinataire invalide",
    r"no existe|desconocid[oa]|inesistente|sconosciut[oa]|n[aã]o existe|не существует|не найден",
    r"пользовател\w* не",
    r"見つかりません|存在しません|宛先不明|不存在|不明なユーザ|존재하지|없는 (?:사용자|수신자)|غير موجود",
)
_VAGUE = _any(
    rf"mail ?box (?:is )?unavailable|{_WHO} (?:rejected|refused|denied)",
    r"delivery not possible|undeliverable address|access denied",
)
"""Said of missing mailboxes, and of much else: certain only as an answer to RCPT whose code says nothing else."""
_ONE_ADDRESS = re.compile(r"recipient address rejected:? access denied", re.IGNORECASE)
_FILTERS = _any(r"user unknown|unknown user")
"""What some providers, such as Japan's mobile ones, also say after DATA when a reader's own filter refuses."""

_CODES_NOBODY = {(1, 1), (1, 6), (1, 10)}
_PASSED_ON = (1, 351)
"""Microsoft's code for what another server said, at whatever point."""
_CODES_UNSURE = {_PASSED_ON, (1, 0), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1), (4, 1), (4, 4), (4, 310), (4, 312)}
"""Codes that are a strike where they are permanent. Where they are temporary, or the relay gave up (x.4.7), our own
relay's network may be at fault, for every reader at once."""


def verdict(said: str, *, spoken: Spoken = Spoken.UNKNOWN, status: tuple[int, int, int] | None = None) -> Verdict:
    """The verdict of an answer `said` to a command, with the status code that a report states beside it.

    Words win over the code in the words, and that over `status`. Only the first MAX_SAID characters are looked at.
    """
    said = said[:MAX_SAID]
    found = ENHANCED.search(said)
    code = (int(found[1]), int(found[2]), int(found[3])) if found and found[2] + found[3] != "00" else status
    words = " ".join(_NOISE.sub(" ", said).split())
    for verdict_, pattern in ((Verdict.QUOTA, _QUOTA), (Verdict.FULL, _FULL), (Verdict.LATER, _RATE)):
        if pattern.search(words):
            return verdict_
    if code is not None and code[1:] == (4, 5):
        return Verdict.QUOTA
    if spoken is Spoken.CONNECT or _LISTS.search(said):
        return Verdict.SENDER
    return _of_words(words, spoken, code) or _of_code(code, spoken)


def _of_words(words: str, spoken: Spoken, code: tuple[int, int, int] | None) -> Verdict | None:
    if _LATER.search(words) and not _SENDER.search(words):
        return Verdict.LATER
    if _DISABLED.search(words):
        return Verdict.UNSURE
    if _SENDER.search(words):
        return Verdict.SENDER
    if _HOST.search(words):
        return Verdict.UNSURE
    policy = code is not None and code[1] == 7
    known = code is not None and code[1:] in _CODES_NOBODY
    if _CERTAIN.search(words):
        return Verdict.UNSURE if policy else Verdict.NOBODY
    if _NOBODY.search(words):
        filtered = spoken is Spoken.DATA and _FILTERS.search(words)
        return (
            Verdict.NOBODY if (known or spoken is not Spoken.UNKNOWN) and not (policy or filtered) else Verdict.UNSURE
        )
    if _VAGUE.search(words):
        return _of_vague_words(words, spoken, code)
    return None


def _of_vague_words(words: str, spoken: Spoken, code: tuple[int, int, int] | None) -> Verdict | None:
    if code is None or code[1:] in {*_CODES_NOBODY, *_CODES_UNSURE, (0, 0), (5, 0)}:
        certain = spoken is Spoken.RCPT or (code is not None and code[1:] in _CODES_NOBODY)
        return Verdict.NOBODY if certain else Verdict.UNSURE
    # Postfix writes this for a rule about one recipient, with the code of a policy.
    return Verdict.UNSURE if code[1] == 7 and _ONE_ADDRESS.search(words) else None


def _of_code(code: tuple[int, int, int] | None, spoken: Spoken) -> Verdict:
    if code is None:
        return Verdict.UNSAID
    kind, detail = code[0], code[1:]
    if detail == (2, 2):  # a relay that has tried for days says 4.2.2 as well
        return Verdict.FULL
    if detail[0] == 7:
        return Verdict.SENDER
    if kind == 5 and (detail in _CODES_NOBODY or (detail == _PASSED_ON and spoken is Spoken.RCPT)):
        return Verdict.NOBODY
    return Verdict.UNSURE if kind == 5 and detail in _CODES_UNSURE else Verdict.UNSAID


def casts_doubt(words: str) -> bool:
    """Whether a mail system's own words name another reason than a missing mailbox: full, disabled."""
    return _FULL.search(words) is not None or _DISABLED.search(words) is not None
