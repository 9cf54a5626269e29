"""The topic filter: which papers a reader's topics let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Paper
from bot.rules.topics import LONGEST_TOPIC, MOST_TOPICS, TopicFilter, TopicsError, matching, parse
from tests.support.pages import paper

DIFFUSION = paper(
    1,
    title="Diffusion world models for RL",
    abstract="A policy learns in a dream.",
    keywords=("latent diffusion", "model-based RL"),
    authors=("Kaiming He", "Ada Lovelace"),
    organisation="Google DeepMind",
)
VIDEO = paper(
    2,
    title="Video generation",
    abstract="한국어 논문을 위한 확산 모델. 潜在扩散模型。拡散モデル。",
    authors=("何恺明",),
)


def found(topics: str, *papers: Paper) -> list[str]:
    return [each.id for each in matching(papers or (DIFFUSION, VIDEO), parse(topics))]


@pytest.mark.parametrize(
    ("topics", "ids"),
    [
        ("", [1, 2]),
        ("diffusion", [1]),
        ("DIFFUSION", [1]),
        ("ＤＩＦＦＵＳＩＯＮ", [1]),  # full width
        ("rl", [1]),
        ("orl", []),  # inside "world"
        ("world model", []),  # whole words: "models" is another
        ("world models", [1]),
        ("models for", [1]),
        ("model-based", [1]),
        ("based RL", [1]),
        ("RL latent", []),  # no phrase spans two texts
        ("video, diffusion", [1, 2]),
        ("diffusion, -video", [1]),
        ("-video", [1]),
        ("-diffusion, -video", []),
        ("diffusion, -RL", []),
        ("author:Kaiming He", [1]),
        ("author:kaiming", [1]),
        ("author:diffusion", []),
        ("org:DeepMind", [1]),
        ("keyword:latent diffusion", [1]),
        ("keyword:dream", []),
        ("-author:Ada Lovelace", [2]),
        ("확산", [2]),
        ("확산 모델", [2]),
        ("논문", [2]),  # with its particle, 논문을
        ("扩散", [2]),
        ("拡散モデル", [2]),
        ("author:何恺明", [2]),
        ('"world models"', [1]),
        ("「拡散」", [2]),
        ("#diffusion", [1]),
        ("−video", [1]),  # a real minus sign
    ],
)
def test_topics_let_matching_papers_through(topics: str, ids: list[int]) -> None:
    assert found(topics) == [f"2604.{number:05}" for number in ids]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" diffusion ,, diffusion;- video\nRL ", ("diffusion", "-video", "RL")),
        ("扩散模型、强化学习，视频", ("扩散模型", "强化学习", "视频")),
        ("author: Kaiming  He", ("author:Kaiming He",)),
        ("http://x", ("http://x",)),
        ("-, --, !!!, :, author:", ()),
    ],
)
def test_topics_are_stored_in_one_form(written: str, kept: tuple[str, ...]) -> None:
    assert parse(written) == kept
    assert parse(", ".join(kept)) == kept


def test_topics_are_limited_in_number_and_length() -> None:
    with pytest.raises(TopicsError) as caught:
        parse(", ".join(f"topic{number}" for number in range(MOST_TOPICS + 1)))
    assert caught.value.limit == MOST_TOPICS
    with pytest.raises(TopicsError) as caught:
        parse("x" * (LONGEST_TOPIC + 1))
    assert caught.value.limit == LONGEST_TOPIC


@given(st.text(max_size=200))
def test_parsed_topics_parse_to_themselves(written: str) -> None:
    try:
        kept = parse(written)
    except TopicsError:
        return
    assert parse(", ".join(kept)) == kept
    TopicFilter(kept).lets_through(DIFFUSION)


@given(st.lists(st.sampled_from(["diffusion", "video", "RL", "dream", "확산"]), unique=True, min_size=1))
def test_a_topic_and_its_exclusion_are_opposites(words: list[str]) -> None:
    wanted = set(found(", ".join(words)))
    unwanted = set(found(", ".join(f"-{word}" for word in words)))
    assert wanted | unwanted == {DIFFUSION.id, VIDEO.id}
    assert not wanted & unwanted
