"""Labels of a page's layout, and its footer: who wrote the texts, where the data comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.channel import About, Page
from bot.model import Source, Style
from bot.render.words import Words

USUAL_SOURCES = {Style.HEADLINE: Source.FEED, Style.BRIEF: Source.FEED, Style.ABSTRACT: Source.AUTHORS}
"""Who usually writes a style's texts; a model for all other styles."""


def labels(w: Words, style: Style) -> Mapping[str, str]:
    """Labels by name. `said_by_…` is empty for the style's usual source, which the footer names."""
    usual = USUAL_SOURCES.get(style, Source.MODEL)
    says = {
        Source.FEED: w.gettext("source.feed"),
        Source.AUTHORS: w.gettext("source.abstract_sentence"),
        Source.MODEL: w.gettext("source.model"),
    }
    return {
        "product": w.gettext("newsletter.name"),
        "votes": w.gettext("paper.label_votes"),
        "paper": w.gettext("paper.label_paper"),
        "organisation": w.gettext("paper.label_organisation"),
        "authors": w.gettext("paper.label_authors"),
        "links": w.gettext("paper.label_links"),
        "abstract": w.gettext("paper.label_abstract"),
        "more": w.gettext("papers.more_button"),
        "settings": w.gettext("settings.title"),
        "back": w.gettext("papers.back"),
        "cite": w.gettext("paper.copy_citation"),
        "share": w.gettext("edition.share"),
        "listen": w.gettext("audio.listen"),
        **{f"said_by_{source}": "" if source is usual else says[source] for source in Source},
        **_of_styles(w),
    }


def _of_styles(w: Words) -> Mapping[str, str]:
    """Headings of the parts of texts, by style and part."""
    return {
        "style_headline": w.gettext("section.summary"),
        "style_brief": w.gettext("section.summary"),
        "style_abstract": w.gettext("paper.label_abstract"),
        "style_highlights": w.gettext("section.key_points"),
        "style_plain": w.gettext("style.plain"),
        "style_translation": w.gettext("style.translation"),
        "style_review": w.gettext("style.review"),
        "instead": w.gettext("source.shorter_stand_in"),
        "highlights_sentence": w.gettext("section.summary"),
        "highlights_points": w.gettext("section.key_points"),
        "highlights_figure": w.gettext("section.figure"),
        "plain_input_output": w.gettext("section.input_output"),
        "plain_problem": w.gettext("section.problem"),
        "plain_idea": w.gettext("section.idea"),
        "original_abstract": w.gettext("section.original_abstract"),
        "original_title": w.gettext("section.original_title"),
        "review_introduction": w.gettext("section.introduction"),
        "review_method": w.gettext("section.method"),
        "review_results": w.gettext("section.results"),
        "review_limitations": w.gettext("section.limitations"),
        "review_conclusion": w.gettext("section.conclusion"),
        "review_unknown": w.gettext("section.not_enough"),
    }


def footer(
    w: Words, style: Style, sources: Collection[Source], *, counted: bool, sample: bool, counted_at: str = ""
) -> list[str]:
    """The lines of a page's footer; `sources` wrote its texts, `counted` says whether the feed counts votes.

    `counted_at` is the day and hour of the count, empty where it is not told.
    """
    if sample:
        whose = w.gettext("source.note_sample")
    elif style is Style.ABSTRACT:
        whose = w.gettext("source.note_authors")
    elif style not in USUAL_SOURCES and Source.MODEL not in sources:
        whose = w.gettext("source.note_sentences")
    elif style not in USUAL_SOURCES:
        whose = w.gettext("source.note_model")
    elif counted:
        whose = w.gettext("source.note_hugging_face")
    else:
        whose = w.gettext("source.note_feed")
    if not counted:
        return [whose, w.gettext("source.data_feed")]
    data = w.gettext("source.data_hugging_face")
    if counted_at:
        told = w.gettext("edition.votes_as_of", moment=counted_at)
        data = f"{data.rstrip('.。')} · {told}"
    return [whose, data]


def plain_page(w: Words, heading: str, lead: str = "", notes: Sequence[str] = (), *, slug: str = "") -> Page:
    """A page without papers."""
    words = labels(w, Style.HEADLINE)
    return Page(w.language, w.direction, heading, lead, blocks=[], labels=words, notes=notes, about=About(slug))
