"""Every oddity of the feed that docs/feed.md describes, one test each."""

import json
import logging
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model import Media, MediaKind, Paper
from bot.publishing.feed import FeedError
from bot.publishing.feed.cleaning import HIGHEST_COUNT, LONGEST_LINK, MOST_MEDIA
from bot.publishing.feed.huggingface import parse

REFERENCE = os.environ.get("PAPERS_REFERENCE")
RECORDINGS = Path(REFERENCE or ".") / "data" / "daily_papers"
DAY = date(2026, 4, 16)
ABSTRACT = "We put a question to many models. They answer it. We count what they say and report the sums."
UPLOADS = "https://cdn-uploads.huggingface.co/production/uploads/a"


def row(number: str = "2604.07429", *, outer: dict[str, Any] | None = None, **inner: Any) -> dict[str, Any]:
    """A row as small as one can be; `inner` goes into the paper, `outer` around it."""
    paper = {
        "id": number,
        "title": "GameWorld",
        "summary": ABSTRACT,
        "authors": [{"name": "Ada Example", "hidden": False}],
        "publishedAt": "2026-04-08T00:00:00.000Z",
        "submittedOnDailyAt": "2026-04-16T02:11:09.013Z",
        "upvotes": 42,
    }
    around = {"title": "GameWorld", "publishedAt": "2026-04-07T20:00:00.000Z", "numComments": 2}
    return {"paper": paper | inner, **around, **(outer or {})}


def parse_all(*rows: Any, day: date | None = DAY) -> list[Paper]:
    return parse(json.dumps(rows).encode(), day)


def one(**inner: Any) -> Paper:
    (paper,) = parse_all(row(**inner))
    return paper


# Answers that are no list of papers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Sign in</title>",
        b"42",
        b'"2511.00001"',
        b"null",
        b"true",
        b'{"error": "too many requests"}',
        b'["2511.00001", "2511.00002"]',
        b"[1, [], null]",
        b'[{"error": "too many requests"}]',
        b'[{"paper": null}]',
        json.dumps([row()]).encode()[:-40],
        b"[NaN]",
        b'[{"paper": {"id": "2604.07429", "title": "GameWorld", "upvotes": NaN}}]',
        b'[{"paper": {"id": "2604.07429", "title": "GameWorld", "upvotes": -Infinity}}]',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'[{"paper": {"upvotes": ' + b"9" * 5_000 + b"}}]",
        b"\0" * 4_096,
        b"\xff\xfe\xfd",
    ],
)
def test_an_answer_that_is_no_list_of_papers_is_one_error(body: bytes) -> None:
    with pytest.raises(FeedError, match="the feed's answer is") as caught:
        parse(body, DAY)
    assert "\n" not in str(caught.value)
    assert caught.value.retry_after is None


def test_an_empty_list_is_a_day_without_papers() -> None:
    assert parse(b"[]", DAY) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_any_unicode_encoding_is_read(encoding: str) -> None:
    assert parse(json.dumps([row()]).encode(encoding), DAY)[0].id == "2604.07429"


# Rows that are no papers


BAD_ROWS: list[Any] = [
    None,
    7,
    "2604.07429",
    [],
    {},
    {"paper": []},
    row(id=None),
    row(id=7),
    row(id="2604.074290"),
    row(id="cs/0112017"),
    row(id="２６０４.０７４２９"),
    row(title=" \n", outer={"title": ""}),
    row(title=None, outer={"title": ["GameWorld"]}),
    {"paper": {"id": None, "title": 7, "authors": "nobody", "upvotes": "many"}, "title": []},
]


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_one_bad_row_never_sinks_a_day(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "bot.publishing.feed"):
        papers = parse_all(row("2604.14142"), bad, row("2604.07429"))
    assert [paper.id for paper in papers] == ["2604.14142", "2604.07429"]
    assert [paper.position for paper in papers] == [0, 2]
    (record,) = caplog.records
    assert record.getMessage() == "rows skipped"
    assert vars(record)["skipped"] == 1
    assert vars(record)["rows"][0].startswith("1: ")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("place", ["upvotes", "githubStars", "organization"])
def test_what_is_not_json_costs_its_row_and_not_the_day(constant: str, place: str) -> None:
    value: Any = {"fullname": "x", "n": float(constant)} if place == "organization" else float(constant)
    body = json.dumps([row("2604.14142"), row("2604.00001", **{place: value}), row("2604.07429")]).encode()
    assert [paper.id for paper in parse(body, DAY)] == ["2604.14142", "2604.07429"]


def test_a_list_without_one_readable_paper_is_no_empty_day() -> None:
    with pytest.raises(FeedError, match="without one readable paper"):
        parse_all(row(id=None), "x")
    assert parse(json.dumps([row(id=None)]).encode(), DAY, 100) == []  # the end of a long list


def test_many_bad_rows_are_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert len(parse_all(row(), row(id=None), *["x"] * 5_000)) == 1
    (record,) = caplog.records
    assert vars(record)["skipped"] == 5_001
    assert len(vars(record)["rows"]) == 10


def test_wrong_types_in_one_field_cost_that_field_only() -> None:
    odd: list[Any] = [None, True, 7, -1.5, "", "text", [], [None, 7, [], {}], {}, {"name": 7}]
    names = "summary authors organization ai_summary ai_keywords githubRepo githubStars projectPage thumbnail"
    names += " mediaUrls mediaUrl publishedAt submittedOnDailyAt upvotes"
    for name in names.split():
        for value in odd:
            assert one(**{name: value}).title == "GameWorld", (name, value)


# Identity


def test_the_same_paper_twice_in_one_answer_counts_once() -> None:
    papers = parse_all(row("2506.01920", upvotes=3), row("2506.01920", upvotes=2), row())
    assert [(paper.id, paper.votes) for paper in papers] == [("2506.01920", 3), ("2604.07429", 42)]


def test_a_version_is_no_part_of_the_id() -> None:
    assert one(id="2604.07429v3").id == "2604.07429"


def test_positions_go_on_from_the_page_before() -> None:
    papers = parse(json.dumps([row("2604.14142"), row()]).encode(), DAY, start=100)
    assert [paper.position for paper in papers] == [100, 101]


# Titles and abstracts


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        (
            "Xmodel-VLM: A Simple Baseline\n  for Multimodal Models",
            "Xmodel-VLM: A Simple Baseline for Multimodal Models",
        ),
        ("a\t b\r\n\u2028c\u00a0d", "a b c d"),
        ("LLäMmlein", "LLäMmlein"),
        ("LLa\u0308Mmlein", "LLäMmlein"),
        ("Grey\u202eeldruH", "GreyeldruH"),
        ("Grey\u2066Hurdle\u2069", "GreyHurdle"),
        ("Bell\x07 and\x00 null\x1b", "Bell and null"),
        ("lone \ud83d half", "lone half"),
        ("می\u200cخواهم 👩\u200d🔬", "می\u200cخواهم 👩\u200d🔬"),
        ("in\u00advisible \u200bhyphen\ufeff", "invisible hyphen"),
        ("hidden \U000e0069\U000e0067words", "hidden words"),
        ("Q&amp;A &lt;think&gt; caf&eacute; &#960; &#x3c0;", "Q&A <think> café π π"),
        ("&amp;amp;lt;", "<"),
        ("This&That; AT&T; &section; &unknown; R&D", "This&That; AT&T; &section; &unknown; R&D"),
    ],
)
def test_a_title_is_one_clean_line(written: str, clean: str) -> None:
    assert one(title=written).title == clean


@pytest.mark.parametrize(
    "title",
    [
        "\\$OneMillion-Bench: How Far are Language Agents from Human Experts?",  # 2603.07980
        "Can You Earn $1 Million?",  # money, as in 2502.12115
        "A Minimal Denoising Network\\ for Time Series",  # 2604.17388
        "Notes on Salt \\& Pepper",  # as in 2508.15881
        "Consistency^2 and SL^{2}A-INR",  # 2406.11202, 2409.10836
        "texttt{D}ual and R^textbf{2AI}",  # 2505.07675, 2509.06786
        "π_RL",  # 2510.25889
        "S* and 0.5M* and [IDK] and GPT-[n]",  # 2502.14382, 2602.12099, 2412.06676, 2502.01081
        "The `tick` and P(y|x)",  # 2503.10357, 2604.14142
        "LMK > CLS, <1 GB, <think>, This&That",  # 2601.21525, 2607.27205, 2504.07128, 2407.05530
        "He said \"no'' and left",  # 2607.23514
        "μ τ π^3 Ψ Δ Ω ζ 360° Lectūra",  # 2406.00153, …, 2606.16428
        "Olmo 3",  # 2512.13961, the shortest
        "x" * 175,  # the longest
    ],
)
def test_what_authors_write_stays_text(title: str) -> None:
    assert one(title=title).title == title


def test_the_inner_title_wins_over_raw_latex_outside() -> None:
    (paper,) = parse_all(row("2406.14347", title="nabla^2DFT", outer={"title": "$\\nabla^2$DFT"}))
    assert paper.title == "nabla^2DFT"


def test_the_outer_title_serves_where_the_inner_is_missing() -> None:
    (paper,) = parse_all(row(title=None, outer={"title": "LLM$\\times$MapReduce"}))
    assert paper.title == "LLM$\\times$MapReduce"


def test_an_endless_title_is_cut_between_words() -> None:
    title = one(title="word " * 100_000).title
    assert len(title) <= 500
    assert title.endswith("word…")


def test_an_abstract_is_one_paragraph() -> None:
    assert one(summary="We find\nthat it  works.\n\n  It does.").abstract == "We find that it works. It does."


def test_an_abstract_keeps_its_commands_links_and_pseudo_tags() -> None:
    words = "\\benchmarkName holds <answer>, </a>, <subject, object>, **bold**, [a link](x.org), ~145 and 2.78~%."
    assert one(summary=words).abstract == words  # 2407.03321, 2503.19855, 2507.03745, 2511.15948, 2508.11203


def test_an_abstract_on_the_outer_level_will_do() -> None:
    (paper,) = parse_all(row(summary=None, outer={"summary": ABSTRACT}))
    assert paper.abstract == ABSTRACT


def test_arxivs_longest_abstract_is_kept_whole() -> None:
    assert len(one(summary="a" * 1_923).abstract) == 1_923


# The feed's own sentence


def test_the_feeds_sentence_is_kept() -> None:
    assert one(ai_summary=" A benchmark\nof games. ").sentence == "A benchmark of games."


@pytest.mark.parametrize(
    "words",
    [
        None,
        "",
        7,
        "None.",
        ABSTRACT,  # 2601.11354 and others: the abstract itself
        ABSTRACT[:33],  # its first sentence is the authors' too
        "A way to guide what models make in DECOMPOSED GUIDANCE COMPONENTS",  # 2606.06601
        "A way to guide what models make in DECOMPOSED GUIDANCE COMPONENTS.",
        "A sentence that breaks off in the",
        "A sentence that breaks off in the...",
        "A sentence that breaks off in the…",
        "Another sentence follows, and so it goes on and on. " * 20,  # 2601.05823: 1,606 characters
    ],
)
def test_what_is_no_sentence_is_left_out(words: Any) -> None:
    assert one(ai_summary=words).sentence is None


@pytest.mark.parametrize(
    "words",
    [
        "A model that is best on MMLU, AIME, and GPQA.",
        "Trains faster on COCO, LVIS and ADE.",
        'Shows that models "think".',
        "Is a larger model better at this?",
        "X" + "x" * 598 + ".",
    ],
)
def test_a_sentence_with_names_in_capitals_is_one(words: str) -> None:
    assert one(ai_summary=words).sentence == words


def test_weeks_without_the_feeds_sentence_have_none() -> None:
    assert one().sentence is None  # absent on every weekday 2026-07-15 … 2026-08-11
    assert one().keywords == ()


# Counts


def test_no_votes_are_nought_votes() -> None:
    assert one(upvotes=0).votes == 0
    assert one(githubStars=0, githubRepo="https://github.com/a/b").stars == 0


@pytest.mark.parametrize("written", [None, "12", True, [], -3, 1e999, 10**400, HIGHEST_COUNT + 1])
def test_votes_that_are_no_number_are_nought(written: Any) -> None:
    body = json.dumps([row(upvotes=written)]).replace("Infinity", "1e999").encode()
    assert parse(body, DAY)[0].votes == 0


def test_stars_may_be_missing_though_there_is_code() -> None:
    assert one(githubRepo="https://github.com/a/b").stars is None
    assert one(githubStars=79_408).stars == 79_408


def test_comments_are_counted_outside() -> None:
    assert one().comments == 2


# Days


def test_the_list_day_is_utc() -> None:
    paper = one(submittedOnDailyAt="2026-04-15T23:30:00-02:00")
    assert (paper.listed_on, paper.listed_at) == (date(2026, 4, 16), datetime(2026, 4, 16, 1, 30, tzinfo=UTC))


def test_midnight_is_all_that_is_told_since_may_2026() -> None:
    paper = one(submittedOnDailyAt="2026-05-14T00:00:00.000Z")
    assert (paper.listed_on, paper.listed_at) == (date(2026, 5, 14), datetime(2026, 5, 14, tzinfo=UTC))


def test_a_row_that_does_not_tell_its_day_has_the_day_asked_for() -> None:
    paper = one(submittedOnDailyAt=None)
    assert (paper.listed_on, paper.listed_at) == (DAY, datetime(2026, 4, 16, tzinfo=UTC))


def test_a_row_that_tells_its_day_is_believed() -> None:
    (paper,) = parse_all(row(), day=date(2026, 4, 10))  # 2604.07429 moved on, rewritten
    assert paper.listed_on == date(2026, 4, 16)


def test_asked_without_a_day_the_outer_time_is_the_last_resort() -> None:
    (paper,) = parse_all(row(submittedOnDailyAt=None), day=None)
    assert paper.listed_at == datetime(2026, 4, 7, 20, tzinfo=UTC)


def test_a_row_without_any_day_is_skipped() -> None:
    bare = row("2604.14142", submittedOnDailyAt="soon", outer={"publishedAt": "0001-01-01T00:00:00+14:00"})
    assert [paper.id for paper in parse_all(bare, row(), day=None)] == ["2604.07429"]


def test_published_is_the_inner_date() -> None:
    assert one(publishedAt="2026-04-29T17:59:59.000Z").published == date(2026, 4, 29)  # 2405.13729: a revision
    assert one(publishedAt="lately").published is None


# People and organisations


def test_a_paper_may_have_664_authors() -> None:
    names = [f"Author {n}" for n in range(664)]  # 2501.14249
    assert one(authors=[{"name": name} for name in names]).authors == tuple(names)


def test_one_author_is_enough_and_none_is_no_fault() -> None:
    assert one(authors=[{"name": "Ada Example"}]).authors == ("Ada Example",)  # 2406.07188
    assert one(authors=[]).authors == ()


def test_hidden_and_blank_authors_are_left_out() -> None:
    people = [{"name": "Ada"}, {"name": "Bo", "hidden": True}, {"name": " \n"}, {"name": None}, None, {}]
    assert one(authors=people).authors == ("Ada",)  # hidden: 2406.06263


def test_two_people_may_share_a_name() -> None:
    assert one(authors=[{"name": "Kun Xu"}] * 2).authors == ("Kun Xu", "Kun Xu")  # 2410.05954


@pytest.mark.parametrize(
    "name", ["Team GLM", "o3 contributors", "GLM-4. 5 Team", "Guillaume.Jean", "Yu", "YY", "Ö" * 55]
)
def test_names_of_every_kind_stay_as_they_are(name: str) -> None:
    assert one(authors=[{"name": name}]).authors == (name,)


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ({"fullname": "shanghai ailab "}, "shanghai ailab"),
        ({"fullname": " IST Austria"}, "IST Austria"),
        (
            {"fullname": "university of science and technology  of china"},
            "university of science and technology of china",
        ),
        ({"fullname": "Mistral AI_"}, "Mistral AI"),  # 2601.08584
        ({"fullname": "Texas A&M University"}, "Texas A&M University"),  # 2602.09084
        ({"fullname": "台灣大學"}, "台灣大學"),  # 2512.04356
        ({"fullname": " _ ", "name": "alibaba-inc"}, "alibaba-inc"),
        ({"fullname": None, "name": "alibaba-inc"}, "alibaba-inc"),
        ({"fullname": "", "name": ""}, None),
        ("alibaba-inc", None),
        (None, None),
    ],
)
def test_organisations_are_trimmed(written: Any, clean: str | None) -> None:
    assert one(organization=written).organisation == clean
    assert parse_all(row(outer={"organization": written}))[0].organisation == clean


def test_keywords_are_clean_and_few() -> None:
    words = ["Fr\\'echet distance", "$\\mathsf{TC}^0$", "AIME24 & 25 scores", " ", "", None, "a\nb", "a b"]
    assert one(ai_keywords=words).keywords == ("Fr\\'echet distance", "$\\mathsf{TC}^0$", "AIME24 & 25 scores", "a b")
    assert len(one(ai_keywords=[f"word {n}" for n in range(44)]).keywords) == 44
    assert len(one(ai_keywords=[f"word {n}" for n in range(4_000)]).keywords) == 50


# Links


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("https://github.com/a/b", "https://github.com/a/b"),
        ("https://github.com/ServiceNow/GroundCUA/", "https://github.com/ServiceNow/GroundCUA"),  # 2511.07332
        ("https://github.com/a/b/tree/main/c", "https://github.com/a/b/tree/main/c"),  # 2503.14504
        ("https://github.com/Tencent-Hunyuan", "https://github.com/Tencent-Hunyuan"),  # 2505.19973
        ("https://github.com/MYVAE/SmartSearch?tab=readme-ov-file", "https://github.com/MYVAE/SmartSearch"),
        ("https://github.com/seanie12/ThinkSafe.git", "https://github.com/seanie12/ThinkSafe"),  # 2601.23143
        ("https://github.com/a/b.git/", "https://github.com/a/b"),
        ("\nhttps://github.com/a/b", "https://github.com/a/b"),  # 2510.05342
        ("https://github.com/a\n/b #readme", "https://github.com/a/b"),  # 2510.18940
        ("HTTPS://GitHub.com/A/B", "https://github.com/A/B"),
        ("http://github.com/a/b", "http://github.com/a/b"),
        ("https://github.com/", None),
        ("https://me:secret@github.com/a/b", None),
        ("https://github.com\\@evil.example/a", None),
        ("git@github.com:a/b.git", None),
        ("github.com/a/b", None),
        ("javascript:alert(1)", None),
        ("https:///a/b", None),
        ("https://[::1/a", None),
        ("https://github.com:99999/a", None),
        ("https://github.com/" + "a" * LONGEST_LINK, None),
        ('https://github.com/a/"><b>', "https://github.com/a/%22%3E%3Cb%3E"),
        ("https://github.com/ä b", "https://github.com/%C3%A4b"),
    ],
)
def test_links_to_code_are_normalised(written: str, clean: str | None) -> None:
    assert one(githubRepo=written).code == clean


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        (" https://a.github.io/b/", "https://a.github.io/b/"),  # 2503.11646
        ("http://a.example/b", "http://a.example/b"),
        ("https://kululumi.github.io/PRFL/#", "https://kululumi.github.io/PRFL/"),
        ("https://www.youtube.com/watch?v=abc", "https://www.youtube.com/watch?v=abc"),  # the query is the page
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://me@a.example", None),
        ("ftp://a.example", None),
        ("soon", None),
    ],
)
def test_project_pages_lead_somewhere(written: str, clean: str | None) -> None:
    assert one(projectPage=written).project == clean


# Media


def test_media_are_typed_by_their_suffix() -> None:
    kinds = dict.fromkeys(("png", "jpeg", "gif", "webp", "JPG"), MediaKind.IMAGE)
    kinds |= dict.fromkeys(("mp4", "qt", "webm", "mov"), MediaKind.VIDEO)
    urls = [f"{UPLOADS}/{n}.{suffix}" for n, suffix in enumerate(kinds)]
    expected = tuple(Media(kind, url) for kind, url in zip(kinds.values(), urls, strict=True))
    assert one(mediaUrls=[*urls, f"{UPLOADS}/x.exe", f"{UPLOADS}/png", urls[0], "x.png", None]).media == expected


def test_media_of_either_level_and_of_either_age() -> None:
    film, expected = f"{UPLOADS}/1.mp4", (Media(MediaKind.VIDEO, f"{UPLOADS}/1.mp4"),)
    assert parse_all(row(outer={"mediaUrls": [film]}))[0].media == expected
    assert parse_all(row(mediaUrls=[], outer={"mediaUrl": film}))[0].media == expected  # before 2024-06
    assert one(mediaUrls=[film]).media == expected
    assert one(mediaUrls=[]).media == ()  # 2406.10615


def test_media_are_bounded() -> None:
    urls = [f"{UPLOADS}/{n}.png" for n in range(13)]  # 2510.06219
    assert len(one(mediaUrls=urls).media) == 13
    assert len(one(mediaUrls=[f"{UPLOADS}/{n}.png" for n in range(500)]).media) == MOST_MEDIA


def test_a_thumbnail_is_a_link() -> None:
    picture = "https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2604.07429.png"
    assert parse_all(row(outer={"thumbnail": picture}))[0].thumbnail == picture
    assert parse_all(row(outer={"thumbnail": "/avatars/a.svg"}))[0].thumbnail is None


# The recordings


@pytest.mark.skipif(REFERENCE is None, reason="PAPERS_REFERENCE is not set")
def test_all_recorded_days_are_read_without_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    files = sorted(RECORDINGS.glob("*.json"))
    days = {date.fromisoformat(file.stem): parse(file.read_bytes(), None) for file in files}
    assert (len(days), sum(map(len, days.values()))) == (127, 2_363)
    assert all(paper.listed_on == day for day, papers in days.items() for paper in papers)
    assert all(papers == sorted(papers, key=lambda paper: -(paper.votes or 0)) for papers in days.values())
    papers = {paper.id: paper for papers in days.values() for paper in papers}
    assert all(paper.authors and paper.abstract and paper.thumbnail for paper in papers.values())
    assert papers["2603.19835"].votes == 250
    assert papers["2604.07429"].votes == 42
    assert papers["2601.08584"].organisation == "Mistral AI"
    assert {n for n in papers if papers[n].sentence is None} >= {"2601.05823", "2603.24755", "2602.18940"}
    rows = [row for file in files for row in json.loads(file.read_bytes())]
    said = {row["paper"]["id"] for row in rows if row["paper"].get("ai_summary")}
    unsaid = {number for number in said if papers[number].sentence is None}
    assert unsaid == {"2601.05823", "2601.11354", "2601.21181", "2602.18940", "2603.23499", "2603.24755"}
    assert sum(len(paper.media) for papers in days.values() for paper in papers) == sum(
        len(set(row.get("mediaUrls", ()))) for row in rows
    )
    assert sum(bool(row["paper"].get("githubRepo")) for row in rows) == sum(
        paper.code is not None for papers in days.values() for paper in papers
    )
    assert not caplog.records
