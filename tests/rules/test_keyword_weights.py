"""Keywords in a picture: counted whole however they are written, by papers and votes, stronger where they are new."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules.keyword_weights import LONGEST, MOST_ALONE, fold, weigh

LLM, RL = "large language models", "reinforcement learning"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vision-Language Models", "vision language model"),
        ("Chain‑of‑Thought", "chain of thought"),
        ("KV caches", "KV cache"),
        ("policies", "policy"),
        ("scaling laws", "Scaling Law"),
    ],
)
def test_two_ways_to_write_a_keyword_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize("keyword", ["loss", "consensus", "synthesis", "GPS"])
def test_what_only_looks_like_a_plural_stays(keyword: str) -> None:
    assert fold(keyword) == keyword.casefold()


def test_keywords_weigh_by_papers_and_votes() -> None:
    found = weigh([([LLM, RL], 100), ([LLM], 3), (["world models"], 0)], [], most=9)
    assert [each.text for each in found] == [LLM, RL, "world models"]
    assert found[0].weight == 1.0
    assert found[1].weight > found[2].weight
    assert not any(each.is_new for each in found)


def test_what_is_new_weighs_more_and_is_marked() -> None:
    papers = [([LLM, "latent worlds"], 5), ([LLM], 5)]
    before = [[LLM]] * 30 + [[RL]] * 30
    weights = {each.text: each for each in weigh(papers, before, most=9)}
    assert weights["latent worlds"].is_new
    assert not weights[LLM].is_new
    unchanged = {each.text: each for each in weigh(papers, [], most=9)}
    assert weights["latent worlds"].weight > unchanged["latent worlds"].weight


def test_aliases_count_as_one_keyword_written_as_mostly() -> None:
    papers = [(["LLMs"], 1), ([LLM], 1), ([LLM], 1)]
    (found,) = weigh(papers, [], most=9, aliases={"llm": "large language model"})
    assert (found.text, found.folded) == (LLM, "large language model")


def test_keywords_without_meaning_and_half_sentences_are_left_out() -> None:
    assert weigh([(["benchmarks", "x" * (LONGEST + 1), "", "a"], 1)], [], most=9) == []


def test_no_paper_fills_the_picture() -> None:
    papers = [([f"alone {n}x" for n in range(20)], 90), (["other"], 1)]
    assert len(weigh(papers, [], most=50)) == MOST_ALONE + 1


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.lists(st.text(max_size=12), max_size=5), st.none() | st.integers(0, 10**9)), max_size=8),
    st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=8),
)
def test_whatever_the_feed_says_weights_are_from_0_to_1(
    papers: list[tuple[list[str], int | None]], before: list[list[str]]
) -> None:
    found = weigh(papers, before, most=5)
    assert len(found) <= 5
    assert all(0 < each.weight <= 1 for each in found)
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)
