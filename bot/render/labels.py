"""Labels of a page's layout, and its footer: who wrote the texts, where the data comes from."""

from __future__ import annotations

from collections.abc import Mapping

from bot.model import Source, Style
from bot.render.words import Words

USUAL_SOURCES = {Style.HEADLINE: Source.FEED, Style.ABSTRACT: Source.AUTHORS}
"""Who usually writes a style's texts; a model for all other styles."""


def labels(w: Words, style: Style) -> Mapping[str, str]:
    """Labels by name. `said_by_…` is empty for the style's usual source, which the footer names."""
    usual = USUAL_SOURCES.get(style, Source.MODEL)
    says = {
        Source.FEED: w.gettext("feed’s summary"),
        Source.AUTHORS: w.gettext("from the abstract"),
        Source.MODEL: w.gettext("by a language model"),
    }
    return {
        "product": w.gettext("Morning Papers"),
        "votes": w.gettext("Votes"),
        "paper": w.gettext("Paper"),
        "organisation": w.gettext("Organisation"),
        "authors": w.gettext("Authors"),
        "links": w.gettext("Links"),
        "abstract": w.gettext("Abstract"),
        "more": w.gettext("More papers"),
        "settings": w.gettext("Settings"),
        "share": w.gettext("Share"),
        **{f"said_by_{source}": "" if source is usual else says[source] for source in Source},
        **_of_styles(w),
    }


def _of_styles(w: Words) -> Mapping[str, str]:
    """Headings of the parts of texts, by style and part."""
    return {
        "instead": w.gettext("shorter, for want of the whole text"),
        "highlights_sentence": w.pgettext("over one sentence on a paper", "Summary"),
        "highlights_points": w.pgettext("over three points on a paper", "Key points"),
        "highlights_figure": w.pgettext("over a figure of a paper", "Figure"),
        "plain_input_output": w.pgettext("over what goes in and comes out", "Input → output"),
        "plain_problem": w.pgettext("over what could not be done before", "Problem"),
        "plain_idea": w.pgettext("over the idea, told plainly", "Idea"),
        "original_abstract": w.gettext("Original abstract"),
        "original_title": w.gettext("Original title"),
        "review_introduction": w.pgettext("a section of a review", "Introduction"),
        "review_method": w.pgettext("a section of a review", "Method"),
        "review_results": w.pgettext("a section of a review", "Results"),
        "review_limitations": w.pgettext("a section of a review", "Limitations"),
        "review_conclusion": w.pgettext("a section of a review", "Conclusion"),
        "review_unknown": w.gettext("Not enough information."),
    }


def footer(w: Words, style: Style, *, counted: bool, sample: bool) -> list[str]:
    """The lines of a page's footer; `counted` says whether the feed counts votes."""
    if sample:
        whose = w.gettext("The summaries were written for this sample.")
    elif style is Style.ABSTRACT:
        whose = w.gettext("The abstracts are the authors’ own words, unchanged.")
    elif style not in USUAL_SOURCES:
        whose = w.gettext(
            "The texts were written by a language model and held against the papers by the program; "
            "read the paper before you rely on them."
        )
    elif counted:
        whose = w.gettext(
            "The summaries are Hugging Face’s, written by a language model; “from the abstract” marks the "
            "first sentence of the authors’ abstract."
        )
    else:
        whose = w.gettext(
            "The summaries are the feed’s own; “from the abstract” marks the first sentence of the authors’ abstract."
        )
    if counted:
        return [
            whose,
            w.gettext("Papers and votes: Hugging Face Daily Papers (https://huggingface.co/papers)."),
        ]
    return [whose, w.gettext("Papers: in the order of the feed that this newsletter follows.")]
