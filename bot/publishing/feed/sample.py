"""The built-in sample edition, shown on a first start while the feed cannot be reached.

Papers, authors and votes are those of the list of 29 April 2026; the sentences were written for this file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from bot.model import Cadence, Edition, Paper, Ranked

DAY = date(2026, 4, 29)


def edition() -> Edition:
    """Five papers of one real day, marked as a sample."""
    ranked = tuple(Ranked(place, paper, paper.votes) for place, paper in enumerate(_papers(), start=1))
    return Edition(Cadence.DAY, DAY, datetime(2026, 4, 29, 22, tzinfo=UTC), ranked, sample=True)


def _paper(
    id: str,  # noqa: A002 — the name of the field of Paper
    title: str,
    sentence: str,
    authors: str,
    *,
    votes: int,
    comments: int,
    minute: tuple[int, int],
    project: str | None = None,
    code: str | None = None,
    organisation: str | None = None,
    published: date,
) -> Paper:
    return Paper(
        id=id,
        title=title,
        abstract=sentence,
        listed_on=DAY,
        listed_at=datetime(2026, 4, 29, *minute, tzinfo=UTC),
        votes=votes,
        comments=comments,
        sentence=sentence,
        authors=tuple(authors.split(", ")),
        organisation=organisation,
        published=published,
        code=code,
        project=project,
    )


def _papers() -> tuple[Paper, ...]:
    return (
        _paper(
            "2604.25917",
            "Recursive Multi-Agent Systems",
            "Several agents think together in loops and hand each other hidden states instead of "
            "written messages, which makes the team both more accurate and cheaper to run.",
            "Xiyuan Yang, Jiaru Zou, Rui Pan, Ruizhong Qiu, Pan Lu, Shizhe Diao, Jindong Jiang, "
            "Hanghang Tong, Tong Zhang, Markus J. Buehler, Jingrui He, James Zou",
            votes=56,
            comments=2,
            minute=(0, 12),
            project="https://recursivemas.github.io",
            code="https://github.com/RecursiveMAS/RecursiveMAS",
            organisation="Stanford University",
            published=date(2026, 4, 28),
        ),
        _paper(
            "2604.25914",
            "DV-World: Benchmarking Data Visualization Agents in Real-World Scenarios",
            "A test of 260 jobs that people do with spreadsheets and charts, from first draft to "
            "changing requirements; today’s best agents solve fewer than half.",
            "Jinxiang Meng, Shaoping Huang, Fangyu Lei, Jingyu Guo, Haoxiang Liu, Jiahao Su, Sihan "
            "Wang, Yao Wang, Enrui Wang, Ye Yang, Hongze Chai, Jinming Lv, Anbang Yu, Huangjing "
            "Zhang, Yitong Zhang, Yiming Huang, Zeyao Ma, Shizhu He, Jun Zhao, Kang Liu",
            votes=35,
            comments=1,
            minute=(0, 39),
            project="https://dv-world-project.github.io/",
            code="https://github.com/DA-Open/DV-World",
            published=date(2026, 4, 28),
        ),
        _paper(
            "2604.24819",
            "Programming with Data: Test-Driven Data Engineering for Self-Improving LLMs from Raw Corpora",
            "Treats training data like a program: what the model gets wrong is a failing test, and "
            "the fix is a small patch to the data that caused it.",
            "Chenkai Pan, Xinglong Xu, Yuhang Xu, Yujun Wu, Siyuan Li, Jintao Chen, Conghui He, "
            "Jingxuan Wei, Cheng Tan",
            votes=32,
            comments=1,
            minute=(0, 20),
            project="https://openraiser.github.io/ProDa-webpage",
            code="https://github.com/OpenRaiser/ProDa",
            organisation="OpenDataLab",
            published=date(2026, 4, 27),
        ),
        _paper(
            "2604.25636",
            "Refinement via Regeneration: Enlarging Modification Space Boosts Image Refinement in "
            "Unified Multimodal Models",
            "When a generated picture misses the prompt, paint it afresh with the first try as a "
            "guide rather than editing it: the result follows the prompt better.",
            "Jiayi Guo, Linqing Wang, Jiangshan Wang, Yang Yue, Zeyu Liu, Zhiyuan Zhao, Qinglin Lu, "
            "Gao Huang, Chunyu Wang",
            votes=22,
            comments=1,
            minute=(0, 58),
            code="https://github.com/LeapLabTHU/RvR",
            organisation="Tsinghua-LeapLab",
            published=date(2026, 4, 28),
        ),
        _paper(
            "2604.25256",
            "AutoResearchBench: Benchmarking AI Agents on Complex Scientific Literature Discovery",
            "Asks agents to find one particular paper, or every paper that meets a set of conditions; "
            "even strong models succeed less than one time in ten.",
            "Lei Xiong, Kun Luo, Ziyi Xia, Wenbo Zhang, Jin-Ge Yao, Zheng Liu, Jingying Shao, Jianlyu "
            "Chen, Hongjin Qian, Xi Yang, Qian Yu, Hao Li, Chen Yue, Xiaan Du, Yuyang Wang, Yesheng "
            "Liu, Haiyu Xu, Zhicheng Dou",
            votes=22,
            comments=1,
            minute=(4, 35),
            project="https://cheryou.github.io/autoresearchbench.github.io/",
            code="https://github.com/CherYou/AutoResearchBench",
            organisation="Beijing Academy of Artificial Intelligence",
            published=date(2026, 4, 28),
        ),
    )
