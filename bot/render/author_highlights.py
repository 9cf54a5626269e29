"""Highlights in the authors' own words: the sentences of an abstract that state the problem, the proposal, the result.

Pure, and kept per abstract. Sentences are chosen by words that authors use in such places and by where they stand;
where nothing speaks for a sentence, the point is left out. Out of its place a sentence loses the words that only tie it
to the one before ("However,", "To bridge this gap,"); one that is about "these methods" brings that one along.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from bot.runtime.latex import plain_math
from bot.runtime.text import sentences

LONGEST_SENTENCE = 420
"""Characters of a sentence beyond which it is no highlight."""
LEAST_WORDS = 5
"""Words of the shortest sentence that is one; less is a piece of one."""
LEAST_FOR_PROBLEM = 1.0
"""Score of a sentence that states a problem; a first sentence that only sets the scene has less."""
LEAST_FOR_HEADLINE = 3
"""Score of a sentence that stands for a whole paper: it says that the authors propose, introduce, present or show."""
LONGEST_POINT = 380
"""Characters up to which a point has a second sentence."""
LONGEST_PAIR = 480
"""Characters of a sentence together with the one without which it cannot be understood."""
NEVER = -9
"""Score of a sentence that is not taken whatever it says."""

Cues = Sequence[tuple[re.Pattern[str], float]]


def _cues(*rows: tuple[float, str]) -> Cues:
    return [(re.compile(rf"(?i)(?:{words})"), weight) for weight, words in rows]


_PROPOSAL = _cues(
    (5, (
        r"\b(?:we|this (?:paper|work|study|article|report)|the (?:paper|authors?)|our (?:paper|"
        r"work)) (?:\w+ ){0,2}?(?:propos|introduc|present|develop|design|devis|describ|releas|reformulat|"
        r"reframe|formulat|unveil|put forward)"
        r"|\bwe\b[^.;:]{0,120}?(?: and|,) (?:introduc|present)"
        r"|\bthis (?:paper|work|study|article|report) (?:\w+ )?(?:evaluat|compar|assess|examin|analy[sz]|survey"
        r"|investigat)"
    )),
    (3, (
        r"\bwe (?:\w+ ){0,2}?(?:build|construct|create|train|extend|adapt|address|tackle|aim|study|explor|"
        r"investigat|examin|ask|leverag|consider|use|conduct|bridge|close|fill|formali[sz]|question|answer|challenge)"
    )),
    (3, (
        r"\b(?:in this (?:paper|work|study|article|report|letter)|to (?:this end|address|tackle|overcome|"
        r"solve|fill|bridge|mitigate)|here,? we)\b"
    )),
    (1.5, (
        r"\b(?:novel|new) (?:\w+[ -]){0,4}(?:framework|method|approach|model|architecture|benchmark|dataset|"
        r"algorithm|network|system|paradigm|task|technique|strategy|module|pipeline|loss)"
    )),
    (1, r"\b(?:framework|method|approach|model|benchmark|dataset|algorithm|system|toolkit|library|platform|suite)\b"),
    (-3, (
        r"\b(?:outperform|state-of-the-art (?:results|performance)|experiment|results (?:show|demonstrate|"
        r"indicate)|code (?:is|will)|available at)"
    )),
    (-2, r"\A(?:however|existing|previous|recent|prior|current|while|although|despite|many|most)\b"),
    (-3, (
        r"\A(?:finally|moreover|additionally|furthermore|besides|secondly?|thirdly?|building (?:up)?on)\b"
        r"|\bwe (?:further|also)\b|\Awe (?:\w+ )?evaluate\b"
    )),
    (-9, r"\bwe use the term\b|\bto refer to\b|\A(?:these|our|the) (?:\w+ )?(?:findings?|results?)\b"),
)  # fmt: skip
_RESULT = _cues(
    (3, (
        r"\b(?:outperform|surpass|exceed|superior|state[- ]of[- ]the[- ]art (?:performance|results?|"
        r"accuracy)|new state[- ]of[- ]the[- ]art)"
    )),
    (3, (
        r"\b(?:results?|experiments?|evaluations?|stud(?:y|ies)|analys[ei]s|"
        r"findings?) (?:\w+[ ,-]+){0,8}?(?:show|demonstrat|indicat|suggest|reveal|confirm|verif|validat|"
        r"prove|highlight)"
    )),
    (2, (
        r"\b(?:achiev|attain|reach|obtain|yield|improv|reduc|increas|gain|accelerat|speed|faster|better|"
        r"competitive|effective|efficacy|significant)"
    )),
    (2, (
        r"\bwe (?:\w+ ){0,2}?(?:show|demonstrate|find|found|observe|prove|validate|verify|evaluate|discover|"
        r"report|conclude)"
    )),
    (2, r"\d(?:\.\d+)?\s?(?:%|\\%|percent|points|x\b|times\b|×|dB|fps)|\bfrom \d[\d.,]*%? to \d"),
    (1, (
        r"\b(?:extensive|comprehensive|experiment|experimental|empirical|benchmarks?|datasets?|accuracy|"
        r"performance|compared (?:to|with)|on average)\b"
    )),
    (-4, (
        r"\b(?:code|data(?:set)?s?|models?|project page|videos?|demos?|"
        r"weights)(?:\W+\w+){0,6}?\W+(?:available|released?|found at|open[- ]sourced?)|https?:|github|\bmade public"
    )),
    (-2, r"\bwe (?:\w+ )?(?:propose|introduce|present)\b|\bin this (?:paper|work)\b|\bto (?:this end|address)\b"),
    (-2, r"\A(?:however|existing|previous|recent|prior|current|although|despite)\b"),
    (-6, (
        r"\bwe (?:hope|aim)\b|\bpav(?:e|es|ing) the way\b|\A(?:this|our) \w+ (?:deepens|advances|opens|paves)\b"
        r"|\breleas(?:ing|ed?) (?:the |our |all )?(?:code|model weights)"
    )),
)  # fmt: skip
_PROBLEM = _cues(
    (4, r"\A(?:however|but|yet|unfortunately|nevertheless|nonetheless|still)\b|[,;] (?:but|yet)\b|\bhowever,"),
    (3, (
        r"\b(?:challeng|suffer|fail|limit(?:ed|s|ation|ing)|lack|difficult|hinder|struggl|bottleneck|"
        r"expensive|costly|inefficien|prohibit|drawback|shortcoming|insufficien|infeasib|intractab|"
        r"impractic)"
    )),
    (2, (
        r"\b(?:while|although|despite|though|whereas|remains?|little|hard to|under-?explored|unexplored|"
        r"overlook|ignor|neglect|rarely|scarce|not (?:\w+ ){0,2}(?:well|able|been|clear)|unclear|unknown|"
        r"cannot|can't|require[sd]?|rely|relies|heavy|heavily|burden|tedious|time-consuming|labor|"
        r"error-prone|degrad|poor|problem|issue|gap|crucial|open question|at the cost|prone|restrict|"
        r"sub-?optimal|unstable|mismatch|ambigu|complex|sensitive|vulnerab|risk|bias)"
    )),
    (1, (
        r"\b(?:existing|previous|prior|current|traditional|conventional|most|"
        r"recent) (?:\w+[ -]){0,4}(?:methods?|approach\w*|works?|models?|techniques?|studies|systems?|"
        r"benchmarks?|algorithms?|datasets?|evaluations?|metrics?|research)|\btoo (?:easy|slow|small|large|simple)"
    )),
    (-4, (
        r"\b(?:we|this (?:paper|work)) (?:\w+ ){0,2}?(?:propos|introduc|present|develop|show|demonstrat)|"
        r"\bin this (?:paper|work)\b|\bour (?:method|approach|model|framework|results?|experiments?)\b"
    )),
)  # fmt: skip
_PAPER = r"(?:\w+ )?(?:paper|work|study|article|report|letter|survey|thesis)\b"
_POINTS_BACK = rf"(?:this|these|those|such)\b(?! as\b)(?! {_PAPER})"
"""Words for what the sentence before names: not "this paper", not "such as"."""
_DEED = re.compile(
    r"(?i)\A(?:here|it (?:\w+ )?(?:introduc|us|employ|appl)e?s|to (?:this end|(?:\w+ ){1,3}?(?:this|these|that)\b))"
    r"|\A(?:then|next),? we\b"
    r"|\bwe (?:\w+ )?(?:employ|adopt|apply|use|leverage|releas|propos|introduc|present|fine-?tun|formali[sz]|replace)"
)
"""What the authors did: no second sentence of a problem or a result, however near it stands."""
_BY_AUTHORS = re.compile(
    r"(?i)\A(?:[^,.;:()]{0,80}, )?"
    r"we (?!(?:\w+ )?(?:find|found|observ|argu|show|not[ei]|believe|see|identif|reveal)\w*)"
)
"""Begins with what the authors do and no finding: no sentence of a problem."""
_MOTIVE = (
    r"(?:to|in light of|based (?:up)?on|buil(?:ding|t) (?:up)?on|(?:motivated|inspired|guided|driven) by|leveraging"
    r"|following|recognizing)\b"
)
_CLAIM = (
    r"(?:\w+ly |first |also |further )?(?:(?:need|requir|achiev|reach|obtain|attain|outperform|surpass|exceed|improv"
    r"|reduc|gain)(?:e?s|ed?)?|find|found|shows?|observed?|demonstrates?|proves?|reports?|believe|argue|must|can|could|have)\b"
)
"""What was found or is needed: true only under what stands before it."""
_STEP = (
    rf"(?:we\b(?! {_CLAIM})|(?:this|our) {_PAPER}(?! {_CLAIM})|an? (?:novel|new)\b"
    r"|(?-i:[A-Z])\S* (?:introduc|propos|present|adopt|employ|formulat|consist|combin|integrat|leverag|decompos|focus)"
    r"e?s\b|(?:inspired by|motivated by|based on|drawing|in this) [^,.;:()]{1,80}, we\b)"
)
"""What the authors, or the system they name, do: as true without the purpose they give."""
_NARROWS = r"%|\d|\b(?:only|none|no|not|without|few|half|most|disabled|removed)\b"
"""Words that narrow a claim down; a clause with one of them is never cut."""
_PLAIN = rf"(?:(?!{_NARROWS})[^.;:()])"
_TIES = re.compile(
    r"(?i)\A(?:(?:however|nevertheless|nonetheless|unfortunately|therefore|thus|hence|consequently|accordingly|"
    r"as a result|moreover|furthermore|in addition|additionally|besides|meanwhile|in contrast|conversely|"
    r"in response|to this end|to that end|notably|importantly|most importantly|specifically|in particular|"
    r"overall|finally|lastly|first(?:ly)?|second(?:ly)?|third(?:ly)?|then|next|still|yet),\s+|(?:yet|but)\s+"
    rf"|{_MOTIVE}{_PLAIN}{{0,50}}?\b{_POINTS_BACK}{_PLAIN}{{0,60}}?(?:,| --| [–—])\s+"
    rf"(?={_STEP}))"
)
"""How a sentence is tied to the one before it. Without these words it says the same, and can begin.

A purpose or a motive may go ("To bridge this gap, we propose"). A condition may not: without "In such settings," a
claim would be wider than what was found.
"""
_LEANS = re.compile(
    r"(?i)\A(?:(?:(?:all|both|most|many|some) (?:of )?)?(?:"
    rf"th(?:is|at)\b(?! {_PAPER})|these\b|those\b|such\b(?! as\b)|"
    r"they\b|their\b|them\b|its\b|it\b(?! (?:is|has been|remains|was) (?:\w+ ){0,3}?(?:that|to|whether|how|what)\b)|"
    r"(?:the )?(?:former|latter)\b)"
    rf"|(?:by|with(?:in|out)?|in|for|from|considering|given)\b[^,.;:()]{{0,80}}?\b{_POINTS_BACK})"
)
"""Begins with a pronoun, or with a condition that has one: can only be understood behind the sentence before it."""
_FURTHER = re.compile(r"(?i)\Awe (?:further|also|then|next|additionally)\b")
"""Adds something to the sentence before it."""
_SPEAKS_OF = re.compile(
    r"(?i)\A(?:[^,.;:]{0,30}\b(?:these|this) (?:method|approach|model|problem|challenge|issue|limitation|setting|task"
    r"|premise|assumption|gap|dilemma|trade-?off|bottleneck|mismatch|discrepancy|paradigm|phenomenon)"
    rf"|(?:{_MOTIVE}|(?:on|under|at|across|among|through|during|using|when|if|once|powered by)\b)"
    rf"[^,.;:()]{{0,80}}?\b{_POINTS_BACK})"
)
"""Names something of the sentence before it, and is better understood behind that."""
_FINDINGS = re.compile(r"(?i)\A(?:these|our) (?:\w+ )?(?:findings?|results?|experiments?|analys[ei]s|insights?)\b")
"""Sums up what was found, and is understood without it."""


@lru_cache(maxsize=2048)
def author_highlights(abstract: str) -> Mapping[str, str]:
    """The points `problem`, `proposal` and `result` of an abstract: one or two of its sentences, TeX as plain text.

    A second sentence stands with the first if both fit into LONGEST_POINT characters. A point that cannot be told is
    missing, and no sentence is used twice.
    """
    said = sentences(plain_math(" ".join(abstract.split())))
    last = len(said) - 1
    if last < 1:
        return {}
    proposals = [_score(each, _PROPOSAL) - 0.25 * n for n, each in enumerate(said)]
    pivot = max(range(last + 1), key=lambda n: proposals[n])
    proposals = [score + (1.5 if 0 <= n - pivot < 3 else 0) for n, score in enumerate(proposals)]
    problems = [_score(each, _PROBLEM) + 0.5 * n for n, each in enumerate(said)]
    results = [_score(each, _RESULT) + max(-2, 1.5 - 0.75 * (last - n)) for n, each in enumerate(said)]
    begun = [_begun(each) for each in said]
    steps = frozenset(n for n, each in enumerate(said) if _DEED.search(each) or _DEED.search(begun[n]))
    by_authors = frozenset(n for n, each in enumerate(begun) if _BY_AUTHORS.search(each))
    before = [NEVER if n >= max(pivot, 1) or n in steps | by_authors else score for n, score in enumerate(problems)]
    problem = _best(said, before, least=LEAST_FOR_PROBLEM, least_second=0)
    after = [score if n > pivot else NEVER for n, score in enumerate(results)]
    result = _best(said, after, least=0.5, least_second=0.5, never_second=steps)
    taken = {*problem, *result}
    # Where the sentence that proposes is too long, another has to say so as well.
    least = 1 if len(said[pivot]) <= LONGEST_SENTENCE else LEAST_FOR_HEADLINE
    background = frozenset(n for n in range(pivot) if proposals[n] < LEAST_FOR_HEADLINE)
    proposals = [NEVER if n in taken else score for n, score in enumerate(proposals)]
    proposal = _best(said, proposals, least=least, least_second=least, never_second=background)
    points = {"problem": problem, "proposal": proposal, "result": result}
    return {name: _told(said, places) for name, places in points.items() if places}


@lru_cache(maxsize=2048)
def proposal_sentence(abstract: str) -> str:
    """The sentence of an abstract that says what the paper proposes; its first where none does."""
    said = sentences(plain_math(" ".join(abstract.split())))
    scores = [_score(each, _PROPOSAL) for each in said]
    place = max(range(len(said)), key=lambda n: scores[n] - 0.25 * n, default=None)
    if place is None:
        return ""
    is_told = scores[place] >= LEAST_FOR_HEADLINE and len(said[place]) <= LONGEST_SENTENCE
    return _begun(said[place]) if is_told else said[0]


def leans(sentence: str) -> bool:
    """Whether a sentence is about something that only the one before it names.

    Args:
        sentence: A sentence of an abstract, with its ties or without them.

    Returns:
        True for "It is faster" and "In such settings, …", not for "These results show …".
    """
    begun = _begun(sentence)
    return _hangs(begun) or bool(_SPEAKS_OF.search(begun) and not _FINDINGS.search(begun))


def _best(
    said: Sequence[str],
    scores: Sequence[float],
    *,
    least: float,
    least_second: float,
    never_second: Collection[int] = frozenset(),
) -> list[int]:
    """The places of the one or two best sentences, in their order; none where no score reaches `least`.

    A sentence that leans on the one before it comes with that one. Where both are too long, another is taken, or the
    sentence alone if it begins without a pronoun.
    """
    ranked = sorted((n for n in range(len(said)) if scores[n] > NEVER), key=lambda n: -scores[n])
    ranked = [n for n in ranked if len(said[n]) <= LONGEST_SENTENCE and len(said[n].split()) >= LEAST_WORDS]
    opens = {n for n in ranked if not leans(said[n])}
    sums_up = {n for n in opens if _LEANS.search(_begun(said[n]))}
    # A sentence with the figures is worth more than "These results show …" behind it.
    for best in sorted((n for n in ranked if scores[n] >= least), key=lambda n: n in sums_up):
        begun = _begun(said[best])
        fits = best - 1 in opens and _room(said, best - 1, best) >= LONGEST_POINT - LONGEST_PAIR
        if fits and (best not in opens or _FURTHER.search(begun)):
            return [best - 1, best]
        if _hangs(begun) or _FURTHER.search(begun):
            continue
        seconds = [n for n in ranked if scores[n] >= least_second and n not in {best, *never_second}]
        seconds = [n for n in seconds if (n in opens or n == best + 1) and _room(said, best, n) > 0]
        return sorted([best, *seconds[:1]])
    return []


def _room(said: Sequence[str], first: int, second: int) -> int:
    """Characters that are left of a point with these two sentences; negative where they are too long."""
    return LONGEST_POINT - len(said[first]) - len(said[second])


def _hangs(begun: str) -> bool:
    """Whether nobody can understand a sentence, without its ties, where it stands alone."""
    return bool(_LEANS.search(begun) and not _FINDINGS.search(begun))


def _told(said: Sequence[str], places: Sequence[int]) -> str:
    """Sentences as one point: the first begins, and so does any that does not follow the one before it."""
    return " ".join(said[n] if n - 1 in places else _begun(said[n]) for n in places)


def _begun(sentence: str) -> str:
    """A sentence without the words that tie it to another."""
    rest = sentence
    while found := _TIES.match(rest):
        rest = rest[found.end() :]
    word = rest.split(maxsplit=1)[0] if rest.strip() else ""
    return rest[:1].upper() + rest[1:] if word.islower() and rest != sentence else rest


def _score(sentence: str, cues: Cues) -> float:
    return sum(weight for pattern, weight in cues if pattern.search(sentence))
