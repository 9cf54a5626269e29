"""Highlights without a model: the authors' own sentences, word for word, and what is shown where they are missing."""

import csv
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import WITHOUT_MODEL
from bot.model import Paper, Preferences, Ranked, Source, Style, Text
from bot.render.attribution import outcome, say
from bot.render.author_highlights import author_highlights, proposal_sentence
from bot.render.edition_page import list_page
from bot.render.preference_values import styles
from bot.render.words import words
from bot.runtime.text import one_line

ABSTRACT = (
    "Robots plan routes in warehouses. However, existing planners look at every shelf and are too slow for large halls."
    " In this paper, we propose FastCart, a sparse router that looks at one tenth of the shelves."
    " It learns from logged routes. Extensive experiments show that it plans $3.2\\times$ faster and outperforms all"
    " baselines by 12.5\\%. Code is available at https://a.example/b."
)
PAPER = Paper("2601.00001", "FastCart", ABSTRACT, date(2026, 1, 5), datetime(2026, 1, 5, 8, tzinfo=UTC))


def test_problem_proposal_and_result_are_sentences_of_the_abstract() -> None:
    points = author_highlights(ABSTRACT)
    assert "too slow for large halls" in points["problem"]
    assert "we propose FastCart" in points["proposal"]
    assert "plans 3.2× faster" in points["result"]
    assert not any("https" in point for point in points.values())


def test_the_headline_is_the_sentence_that_proposes() -> None:
    assert proposal_sentence(ABSTRACT).startswith("In this paper, we propose FastCart")
    assert proposal_sentence("Nothing is proposed. It is a survey.") == "Nothing is proposed."
    assert proposal_sentence("") == ""
    assert say(PAPER, Style.HEADLINE).parts["sentence"].startswith("In this paper, we propose")
    assert say(replace(PAPER, sentence="The feed says so."), Style.HEADLINE).source is Source.FEED


def test_a_point_that_cannot_be_told_is_left_out() -> None:
    points = author_highlights("We introduce a data set of maps. It has many maps.")
    assert "proposal" in points
    assert "problem" not in points


def test_what_the_authors_did_and_hope_is_no_second_sentence_of_a_result() -> None:
    deed = "To mitigate this, we employ a schedule that improves performance significantly."
    hope = "We hope that these resources improve future benchmarks."
    points = author_highlights(f"{ABSTRACT.partition(' Extensive')[0]} {deed} Experiments show a 20x speedup. {hope}")
    assert "20x speedup" in points["result"]
    assert deed not in points["result"]
    assert hope not in points["result"]


@pytest.mark.parametrize(
    ("before", "proposal", "behind"),
    [
        ("Nobody compared tools.", "This study evaluates four tools.", "These findings suggest a novel framework."),
        (
            "Traces remain difficult.",
            "We adopt an old theory and introduce ThinkARM.",
            "We further present two studies.",
        ),
        ("Prior work lacks beliefs.", "We bridge this gap by formalizing two acts.", "Experiments show a 5% gain."),
    ],
)
def test_a_proposal_in_other_words_is_found_and_is_no_problem(before: str, proposal: str, behind: str) -> None:
    points = author_highlights(f"{before} {proposal} {behind}")
    assert points["proposal"].startswith(proposal)
    assert proposal not in points.get("problem", "")


def test_background_is_no_first_half_of_a_proposal() -> None:
    background = "Motion imitation is a promising approach for robots."
    points = author_highlights(f"{background} However, methods rely on costly data. We introduce PHUMA, a data set.")
    assert points["proposal"] == "We introduce PHUMA, a data set."


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("However, existing planners look at every shelf and fail.", "Existing planners look at every shelf and fail."),
        ("Yet existing planners remain too slow for halls.", "Existing planners remain too slow for halls."),
        ("Unfortunately, GPT-5 fails to plan in large halls.", "GPT-5 fails to plan in large halls."),
        ("Still lacking is a planner for large halls.", "Still lacking is a planner for large halls."),
    ],
)
def test_a_problem_begins_without_the_word_that_ties_it_to_the_sentence_before(sentence: str, shown: str) -> None:
    points = author_highlights(
        f"{'Robots plan routes in halls, ' * 12}as seen. {sentence} We propose FastCart, a router."
    )
    assert points["problem"] == shown


@pytest.mark.parametrize(
    "tie",
    [
        "To bridge this gap, ", "In response, ", "Guided by these insights, ", "Consequently, ", "To this end, ",
        "Therefore, to address these issues, ",
    ],
)  # fmt: skip
def test_a_proposal_begins_with_what_is_proposed(tie: str) -> None:
    abstract = f"Existing planners fail in large halls. {tie}we propose FastCart, a sparse router."
    assert author_highlights(abstract)["proposal"] == "We propose FastCart, a sparse router."
    assert proposal_sentence(abstract) == "We propose FastCart, a sparse router."
    assert proposal_sentence("It is cold. In this paper, we propose FastCart.") == "In this paper, we propose FastCart."


CONDITIONED = [
    "In only 3 of these 20 tasks, Foo outperforms humans.",
    "For none of these attacks, the filter achieves more than 12% accuracy.",
    "With this filter disabled, our model reaches state-of-the-art accuracy of 98%.",
    "In such settings, reasoning-enhanced models achieve 40% worse accuracy than their bases.",
    "To reach this accuracy, Foo requires 40% more data than GPT-4.",
    "Based on these samples, we find that Foo outperforms GPT-4 by 12%.",
]


@pytest.mark.parametrize("claim", CONDITIONED)
def test_a_claim_keeps_its_condition_and_what_that_speaks_of(claim: str) -> None:
    before = "Twenty rooms of a house were chosen by hand."
    behind = "Code is available at https://a.example/b. Weights are released at https://a.example/c."
    points = author_highlights(f"Agents remain limited in halls. We propose Foo, a router. {before} {claim} {behind}")
    assert points["result"] == f"{before} {claim}"


@pytest.mark.parametrize("claim", CONDITIONED[:4])
def test_a_claim_whose_condition_cannot_be_told_is_left_out(claim: str) -> None:
    far = f"Twenty rooms {'of a house ' * 40}were chosen."
    points = author_highlights(f"Agents remain limited in halls. We propose Foo, a router. {far} {claim}")
    assert claim.partition(", ")[2].casefold() not in points.get("result", "").casefold()


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("To bridge this gap across aspects of dataset, benchmark and model, we introduce Foo.", "We introduce Foo."),
        ("To measure this capability -- being controlled -- we introduce Foo.", "We introduce Foo."),
        ("To address these issues, inspired by ants, we propose Foo.", "Inspired by ants, we propose Foo."),
        ("To address this, we propose ShowTable, a pipeline.", "We propose ShowTable, a pipeline."),
        ("To address this, FastCart introduces a sparse router.", "FastCart introduces a sparse router."),
        ("To make such high resolution, long videos feasible, two tricks are introduced.", ""),
        ("To train such routers without labels, we propose Foo, a loss.", ""),
        ("To work with half of these labels, we propose Foo, a loss.", ""),
        ("With this in mind, we propose Foo, a loss for routers.", ""),
        ("In this technical report, we propose Foo, a loss for routers.", ""),
    ],
)
def test_only_a_whole_clause_of_purpose_or_motive_is_cut(sentence: str, shown: str) -> None:
    assert proposal_sentence(sentence) == (shown or sentence)


def test_what_these_results_show_is_a_result_where_no_other_is_told() -> None:
    background = "The agents of today are limited in every hall."
    shown = "These results show that Foo outperforms GPT-4 by 12% on WebArena."
    far = f"The router is trained {'on days and nights ' * 25}in halls."
    assert author_highlights(f"{background} We propose Foo, a router. {far} {shown}")["result"] == shown
    figures = "Foo achieves 81% accuracy on WebArena, 20% more than GPT-4."
    points = author_highlights(f"{background} We propose Foo, a router. {figures} {shown}")
    assert points["result"] == f"{figures} {shown}"


def test_the_outcome_has_the_sentence_without_which_it_is_not_understood() -> None:
    tokens = "The loss has no labels and few tokens."
    abstract = f"Agents remain slow. We propose Foo, a router. {tokens} With this loss, Foo outperforms GPT-4 by 12%."
    paper = replace(PAPER, abstract=abstract)
    assert outcome(paper, say(paper, Style.HEADLINE)).endswith(
        f"{tokens} With this loss, Foo outperforms GPT-4 by 12%."
    )
    assert outcome(PAPER, say(PAPER, Style.HEADLINE)).startswith("Extensive experiments show")


def test_what_the_authors_do_for_a_purpose_is_no_problem() -> None:
    problem = "Existing planners suffer from failures and remain slow."
    step = "To make progress on difficult halls, we study a problem of complex risk."
    points = author_highlights(f"Robots plan routes. {problem} {step} In this paper, we propose FastCart, a router.")
    assert points["problem"].endswith(problem)


def test_a_sentence_about_these_or_it_brings_the_one_before_along() -> None:
    before = "Caching keeps routes of the last days."
    lean = "However, these methods fail in halls that are rebuilt."
    proposal = "We propose FastCart, a router."
    points = author_highlights(
        f"{before} {lean} {proposal} FastCart outperforms A* in tests. It is 20% faster than A*."
    )
    assert points["problem"] == f"{before} {lean}"
    assert points["result"] == "FastCart outperforms A* in tests. It is 20% faster than A*."
    far = f"{before} {'Robots ' * 70}drive. They suffer from failures and remain limited and slow. {proposal}"
    assert "They suffer" not in author_highlights(far).get("problem", ""), "of which nobody would know who they are"


def test_a_sentence_about_this_gap_comes_behind_the_one_that_names_it() -> None:
    gap = "Planners for halls lag behind those for streets."
    lean = "Prior attempts to bridge this gap suffer from limited and costly data."
    points = author_highlights(f"Robots plan routes. {gap} {lean} We propose FastCart, a router.")
    assert points["problem"] == f"{gap} {lean}"


def test_a_scene_is_no_problem_and_a_release_no_result() -> None:
    points = author_highlights(
        "Motion is a driver of behavior. We examine whether robots move. By releasing the code, we aim to help."
    )
    assert set(points) == {"proposal"}


def test_a_proposal_that_is_too_long_is_left_out() -> None:
    endless = "This report presents FastCart, a system that " + "plans and " * 50 + "sorts."
    points = author_highlights(f"Planning remains hard. {endless} The current system holds 71 plans in Python.")
    assert "proposal" not in points


@pytest.mark.parametrize("style", [Style.HIGHLIGHTS, Style.PLAIN, Style.TRANSLATION, Style.REVIEW])
def test_the_authors_sentences_stand_in_before_the_feeds(style: Style) -> None:
    said = say(replace(PAPER, sentence="The feed says so."), style)
    assert (said.style, said.source, said.language) == ("highlights", Source.AUTHORS, "en")
    assert said.instead is (style is not Style.HIGHLIGHTS)
    assert said.parts["sentence"] == ""
    text = Text(PAPER.id, "ko", Style.REVIEW, {"goal": "목표를 세운다."})
    assert say(PAPER, style, {Style.REVIEW: text}).source is Source.MODEL


def test_a_paper_without_such_sentences_has_the_feeds() -> None:
    bare = replace(PAPER, abstract="Short.", sentence="The feed says so.")
    assert say(bare, Style.HIGHLIGHTS).source is Source.FEED


@pytest.mark.parametrize("language", ["en", "ko", "ar"])
def test_a_page_of_authors_sentences_says_whose_they_are(language: str) -> None:
    w = words(language)
    preferences = Preferences(language=language, style=Style.HIGHLIGHTS)
    page = list_page("x", "", [Ranked(1, PAPER, None)], preferences, slug="x")
    assert page.footer[0] == w.gettext("source.note_sentences")
    assert page.labels[f"said_by_{Source.AUTHORS}"]


def test_readers_of_other_languages_are_told_that_highlights_are_english() -> None:
    assert Style.HIGHLIGHTS in WITHOUT_MODEL
    korean, english = words("ko"), words("en")
    assert "영어" in styles(korean, WITHOUT_MODEL)[Style.HIGHLIGHTS][0]
    assert "영어" not in styles(korean, tuple(Style))[Style.HIGHLIGHTS][0]
    assert styles(english, WITHOUT_MODEL) == styles(english)


@settings(max_examples=50)
@given(st.text() | st.lists(st.sampled_from(ABSTRACT.split(". ")), max_size=8).map(". ".join))
def test_any_abstract_has_highlights_of_its_own_words(abstract: str) -> None:
    points = author_highlights(abstract)
    assert set(points) <= {"problem", "proposal", "result"}
    assert all(one_line(point) for point in points.values())
    proposal_sentence(abstract)


def test_labelled_sentences_are_found(reference: Path) -> None:
    file = reference / "corpora" / "highlights" / "abstract_sentences.csv"
    if not file.exists():
        pytest.skip("no labelled abstracts")
    spans: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            abstract = row["abstract"]
            name = {"idea": "proposal", "task": "proposal"}.get(row["label"], row["label"])
            spans[abstract][name].append(abstract[int(row["start_idx"]) : int(row["end_idx"])])
    for point, least in (("problem", 0.60), ("proposal", 0.68), ("result", 0.72)):
        labelled = [(abstract, each[point]) for abstract, each in spans.items() if each[point]]
        hits = sum(_touches(author_highlights(abstract).get(point, ""), wanted) for abstract, wanted in labelled)
        assert hits >= least * len(labelled), point


def _touches(point: str, wanted: list[str]) -> bool:
    """Whether a point and one of the labelled spans share a run of 20 characters, or the whole of a shorter span."""
    flat = _flat(point)
    for each in map(_flat, wanted):
        runs = [each[at : at + 20] for at in range(max(1, len(each) - 19))]
        if each and any(run in flat for run in runs):
            return True
    return False


def _flat(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
