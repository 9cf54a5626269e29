r"""Turns what is left of LaTeX in titles, abstracts and sentences into plain text ("2times" into "2×"). Pure.

Authors write abstracts for arXiv in LaTeX. The feed drops dollar signs and backslashes but keeps the names, so that
"$1.2\times$" arrives as "1.2times"; other sources pass the source on. Stored words stay as they came and are made
readable here for display and for the authors' highlights; the guard has its own reader of numbers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html.entities import html5

_MARKS = re.compile(
    r"[\\^{$]|_[\d{]|``|[\w)%]--|(?:times|sim|approx|leq|geq|pm|infty|rightarrow|cdot|mathcal|mathbb)(?![a-z])"
)
"""What a text holds at least if there is anything to do; most texts do not."""
_SIGNS = {
    "infty": "∞", "cdot": "·", "cdots": "⋯", "dots": "…", "ldots": "…", "neq": "≠", "partial": "∂", "to": "→",
    "mid": "|", "star": "⋆", "ast": "*", "circ": "∘", "bullet": "•", "sim": "~", "simeq": "≃",
    "textasciitilde": "~", "gets": "←", "ell": "ℓ", "langle": "⟨", "rangle": "⟩", "lbrace": "{", "rbrace": "}",
    "varepsilon": "ε", "epsilon": "ε", "phi": "φ", "varphi": "φ", "degree": "°", "textdegree": "°",
    "eg": "e.g.", "ie": "i.e.", "etal": "et al.", "textbackslash": "\\",
}  # fmt: skip
"""Commands by name; those that HTML has an entity of the same name for come from there."""
_SPACES = frozenset(
    {"quad", "qquad", "newline", "linebreak", "par", "noindent", "enspace", "thinspace", "hspace", "vspace"}
)
_NOTHING = frozenset(
    """
    allowbreak left right big Big bigg Bigg displaystyle textstyle limits nolimits bf it em rm tt sc sf bfseries itshape
    centering small footnotesize xspace protect nobreak mathstrut
    """.split()  # noqa: SIM905 — a list of words reads best as words
)
_DROPPED = frozenset(
    {"cite", "citep", "citet", "ref", "eqref", "cref", "label", "footnote", "hspace", "vspace", "color"}
)
"""Commands whose argument is not for readers either."""
_NOT_SIGNS = frozenset({"hat", "tilde", "bar", "vec", "dot", "ddot", "acute", "grave", "check", "breve", "not", "star"})
"""Names that are accents in LaTeX but characters in HTML."""

_ESCAPED = re.compile(r"\\([%&#_$~])")
_THIN = re.compile(r"\\[,;:! /]|\\\\")
_WITH_ARGUMENT = re.compile(r"\\([A-Za-z]+)\*?\s?(?:\[[^\[\]{}]{0,40}\])?\{([^{}\\]*)\}(?:\{([^{}\\]*)\})?")
_COMMAND = re.compile(r"\\([A-Za-z]{2,})\*?(?:\{\})?")
_MATH = re.compile(
    r"(?<![\\$\w])\$\$?(?=\S)([^$\n]{1,200}?)(?<=\S)\$\$?(?!\d)|(?<=\w)\$(?=[\\^_{])([^$\n]{1,200}?)(?<=\S)\$(?!\d)"
)
_IN_PARENTHESES = re.compile(r"\\\((.{1,200}?)\\\)|\\\[(.{1,200}?)\\\]")
_QUOTED = re.compile(r"``([^`]{1,300}?)''")
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}]{0,60})\}|(-?\d+(?![.\d]*\.\d)|[*+°∘′∞]|circ\b|star\b)|\((-\d+)\))")
_LETTER = re.compile(r"(?<![A-Za-z0-9])[^\W\d_]\Z")
_LOST = re.compile(r"(?<![\\A-Za-z])((?:textbf|textit|texttt|textsc|textrm|emph|href|url|math(?:bf|cal|rm|bb))\{)")
"""Commands that lost their backslash and kept their braces."""
_GREEK = re.compile(
    r"(?<![\\\w])(alpha|beta|gamma|delta|epsilon|theta|lambda|mu|pi|rho|sigma|tau|phi|psi|omega)(?=[_^](?:\{|\d))"
)
_URL = r"(?:https?://|www\.)[^\s{}]+|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,10}/[^\s{}]+"
_ADDRESS = re.compile(_URL)
"""Web addresses; an underscore there is no subscript."""
_HREF = re.compile(rf"\\?href\{{({_URL})(?:\}}\{{|\{{)([^{{}}]{{0,200}})\}}\}}?")
_URL_COMMAND = re.compile(rf"\\url\{{({_URL})\}}")
_LINKED = re.compile(rf"({_URL})\{{([^{{}}]{{0,200}})\}}")
"""An address and the words that it stood behind: what is left of `\\href`."""
_BRACED = re.compile(r"\{(times|sim|approx|leq|geq|pm|infty|cdot|[^{}\w\s\"':,]|(?<=\d\{),(?=\}\d))\}")
_INITIAL = re.compile(r"(?<![\\\w^{}])\{([A-Za-z])\}(?=[a-z])|(?<=[a-z])\{([A-Z]{1,5})\}")
"""A letter in braces within a word, as authors explain an acronym: "{S}ignal"."""
_NUMBER = r"\d+(?:[.,]\d+)*"
_STUCK = (
    (re.compile(r"(?<=\d)times(?![a-z])|(?<=\d)times(?=\d)|(?<![A-Za-z])times(?=\d)"), "×"),
    (re.compile(rf"(?<![A-Za-z])sim(?={_NUMBER}(?:[KMBGTkx%]|times)?(?![A-Za-z0-9_-]))"), "~"),
    (re.compile(rf"(?<![A-Za-z])approx(?={_NUMBER})"), "≈"),
    (re.compile(rf"(?<![A-Za-z])leq(?={_NUMBER})"), "≤"),
    (re.compile(rf"(?<![A-Za-z])geq(?={_NUMBER})"), "≥"),
    (re.compile(rf"(?:(?<=\d)|(?<![\w-]))pm(?={_NUMBER}(?![\w]))"), "±"),
    (re.compile(r"(?<![A-Za-z])(?:long)?rightarrow(?![A-Za-z])"), "→"),
    (re.compile(r"(?<![A-Za-z])infty(?![A-Za-z])"), "∞"),
    (re.compile(r"(?<=\d)cdot(?=\d)"), "·"),
    (re.compile(r"(?<![A-Za-z])math(?:cal|bb|bf|rm)(?:\{(\w)\}|(?=\s?[A-Z]\b))"), r"\1"),
    (re.compile(r"(?<=[\w)%])--(?=[\w(])"), "–"),
    (re.compile(r"(?<=[\w)%])---(?=[\w(])"), "—"),
    (re.compile(r"boldsymbol(?=[^\W\da-zA-Z])"), ""),
)
"""Names that lost their backslash. They count only where they stick to a number, so that words stay words."""
_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_CAN_RAISE = re.compile(r"[0-9+\-=()]+|[ni]")
_CAN_LOWER = re.compile(r"[0-9+\-=()]+")
_AS_THEY_ARE = {"*": "*", "star": "*", "⋆": "*", "°": "°", "∘": "°", "circ": "°", "′": "′", "∞": "^∞"}
"""Powers that have a sign of their own."""
_DEPTH = 6
"""Levels of braces that are opened; deeper ones stay."""
LONGEST = 100_000
"""Characters of a text that is looked at; a longer one comes back as it is."""


MOST_CACHED = 10_000
"""Characters of a text whose plain form is kept; abstracts have fewer, and pages ask for the same ones again."""


def plain_math(text: str) -> str:
    """`text` with remnants of LaTeX as plain characters: signs, Greek, powers, indices, commands, escaped marks.

    Words, web addresses, amounts of money and code identifiers stay. Idempotent, and never raises.
    """
    if len(text) > LONGEST or not _MARKS.search(text):
        return text
    return _cached(text) if len(text) <= MOST_CACHED else _converted(text)


def _converted(text: str) -> str:
    text = _LINKED.sub(_linked, _HREF.sub(_linked, _URL_COMMAND.sub(r"\1", text)))
    for _ in range(_DEPTH):  # what one round frees ("\\textbf{2times}"), the next may read
        before, at, parts = text, 0, []
        for address in _ADDRESS.finditer(text):
            parts += [_plain(text[at : address.start()]), address[0]]
            at = address.end()
        text = "".join([*parts, _plain(text[at:])])
        if text == before:
            break
    return text


_cached = lru_cache(maxsize=2_048)(_converted)


def _plain(text: str) -> str:
    if not text:
        return text
    text = _MATH.sub(_math, _IN_PARENTHESES.sub(lambda found: found[1] or found[2], text))
    text = _GREEK.sub(r"\\\1", _LOST.sub(r"\\\1", text))
    text = _THIN.sub(" ", text)
    for _ in range(_DEPTH):
        inner = _WITH_ARGUMENT.sub(_applied, _BRACED.sub(r"\1", text))
        inner = _COMMAND.sub(_named, inner)
        if inner == text:
            break
        text = inner
    text = _INITIAL.sub(lambda found: found[1] or found[2], text)
    text = _SCRIPT.sub(_script, _QUOTED.sub(r"“\1”", text))
    for stuck, sign in _STUCK:
        text = stuck.sub(sign, text)
    return _ESCAPED.sub(r"\1", text)


def _linked(found: re.Match[str]) -> str:
    address, words = found[1], found[2].strip()
    same = not words or words.startswith(("http", "www.")) or words in address
    return address if same else f"{address} ({words})"


def _math(found: re.Match[str]) -> str:
    """Replace a formula between dollar signs, unless it is an amount of money."""
    inner: str = found[1] or found[2]
    if re.search(r"[\\^_{=<>]", inner) or re.fullmatch(r"[^\W\d_]", inner):
        return inner
    return found[0]


def _applied(found: re.Match[str]) -> str:
    """A command with its argument."""
    name, first, second = found[1], found[2], found[3]
    more = "" if second is None else second
    if name in _DROPPED:
        return more
    if name == "href":
        return f"{more} ({first})" if more and more != first else first
    if name in {"frac", "dfrac", "tfrac"}:
        return f"{_grouped(first)}/{_grouped(more)}"
    if name == "sqrt":
        return f"√{_grouped(first)}{more}"
    before = _sign(name)
    after = "" if second is None else f"{{{second}}}"
    return f"{first}{after}" if before is None else f"{before} {first}{after}".rstrip()


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.isalnum() else f"({text})"


def _named(found: re.Match[str]) -> str:
    """A command without an argument; an unknown one is most often the name that authors gave their method."""
    sign = _sign(found[1])
    return found[1] if sign is None else sign


def _sign(name: str) -> str | None:
    if name in _NOTHING:
        return ""
    if name in _SPACES:
        return " "
    return _SIGNS.get(name) or (None if name in _NOT_SIGNS else html5.get(f"{name};"))


def _script(found: re.Match[str]) -> str:
    """A power or an index; where there is no such character it is written after the mark, without braces."""
    raised = found[1] == "^"
    inner = next(filter(None, (found[2], found[3], found[4])), "").strip(" ,")
    if not inner:
        return ""
    if raised and inner in _AS_THEY_ARE:
        return _AS_THEY_ARE[inner]
    if raised:
        return inner.translate(_RAISED) if _CAN_RAISE.fullmatch(inner) else f"^{_grouped_power(inner)}"
    if found.start() and _LETTER.search(found.string[max(0, found.start() - 2) : found.start()]):
        if _CAN_LOWER.fullmatch(inner):
            return inner.translate(_LOWERED)
        if re.fullmatch(r"\d+\.\d+", inner):  # "π0.5" is how people write it; there is no small full stop
            return inner
    return found[0] if found[2] is None else f"_{_grouped_power(inner)}"


def _grouped_power(text: str) -> str:
    """A power or index that has no small characters, in parentheses unless it is a word."""
    return text if text.isalnum() and not text[0].isdigit() else f"({text})"
