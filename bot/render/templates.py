"""Loads and renders the templates with Jinja, which only this module imports. Escaping cannot be forgotten.

Every value goes through the channel's own escape function: there is no `safe` filter, and markup can be printed and
joined but not formatted or cut. HTML alone has a filter `json`, for data between script tags. Templates run in Jinja's
sandbox and can read nothing but each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment as AnyEnvironment
from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound, nodes, pass_eval_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from markupsafe import escape as html

from bot.channel import Escape, Page, Template
from bot.render import folder
from bot.render.branding import branding
from bot.render.catalogue import DEFAULT, locale_name
from bot.render.keyword_names import keyword_in
from bot.render.words import words
from bot.runtime.text import display_width

FILTERS = frozenset(
    """
    abs batch capitalize default first groupby int last length list lower map max min reject rejectattr round
    select selectattr slice sort string sum trim unique upper
    """.split()  # noqa: SIM905 — a list of words reads best as words
)
"""Jinja's filters that neither produce nor split markup."""


def template(name: str, escape: Escape | None) -> Template:
    """A template by its path below templates/ (see `bot.channel.Kit`). Raises at once if it does not compile."""
    # Compiled here, so that a broken template stops the start and not the first delivery.
    _environment(folder(), DEFAULT, escape).get_template(name)
    return partial(_fill, name, escape)


def prompt(name: str, **values: object) -> str:
    """Render a prompt below templates/prompts/. Nothing is escaped, since a model reads it."""
    return _environment(folder(), DEFAULT, str).get_template(f"prompts/{name}.j2").render(**values).strip()


def _fill(name: str, escape: Escape | None, page: Page, **more: object) -> str:
    environment = _environment(folder(), words(page.language).language, escape)
    return environment.get_template(name).render(page=page, **more)


@cache
def _environment(where: Path, language: str, escape: Escape | None) -> _Environment:
    return _Environment(where, language, escape)


class _Environment(ImmutableSandboxedEnvironment):
    """A Jinja environment for one language and one escape function."""

    intercepted_binops = frozenset({"+", "%", "*"})

    def __init__(self, where: Path, language: str, escape: Escape | None) -> None:
        def safe(value: object) -> Markup:
            if value is None:
                return Markup()
            if isinstance(value, Markup):
                return value
            return html(str(value)) if escape is None else Markup(escape(str(value)))  # noqa: S704

        # Taking the context keeps Jinja from escaping constants at compile time, by HTML's rules.
        @pass_eval_context
        def finalize(_: EvalContext, value: object) -> Markup:
            return safe(value)

        super().__init__(
            autoescape=True,
            finalize=finalize,
            keep_trailing_newline=True,
            loader=_Loader(where, language),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
            auto_reload=False,
            cache_size=-1,
        )
        self._safe = safe
        w = words(language)
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters |= {"join": self.join, "number": w.number, "isolated": w.isolated, "width": display_width}
        if escape is None:
            self.filters["json"] = _json
        self.filters["keyword"] = partial(keyword_in, language)
        self.filters["locale"] = locale_name
        self.globals = {"range": self.globals["range"], "namespace": self.globals["namespace"]}
        # Plain functions, since Jinja's i18n tags escape by HTML's rules only.
        self.globals |= {"gettext": w.gettext, "ngettext": w.ngettext, "accent": branding.current_accent}

    def join(self, values: Iterable[object], between: str = "") -> object:
        """Join values; if one of them is markup, the others are escaped by our escape function."""
        parts = list(values)
        if any(isinstance(part, Markup) for part in (*parts, between)):
            return self._safe(between).join(map(self._safe, parts))
        return str(between).join(map(str, parts))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, Markup) or isinstance(right, Markup):
            if operator == "+":
                return self.join((left, right))
            raise TypeError(f"markup cannot be used with {operator}; print it")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not isinstance(obj, Markup) and super().is_safe_attribute(obj, attr, value)


def _json(value: object) -> Markup:
    """Plain data as JSON that may stand between HTML's script tags: nothing in it can end the element."""
    return htmlsafe_json_dumps(value, ensure_ascii=False)


class _Generator(CodeGenerator):
    """Jinja's code generator, except that `~` escapes by the environment's rules instead of HTML's."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 — Jinja's name
        self.write("environment.join((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


_Environment.code_generator_class = _Generator


class _Loader(FileSystemLoader):
    """Loads `edition.ko.html` before `edition.html` where the language is Korean."""

    def __init__(self, where: Path, language: str) -> None:
        super().__init__(where)
        self._language = language

    def get_source(self, environment: AnyEnvironment, template: str) -> Any:
        for name in self._names(template):
            try:
                return super().get_source(environment, name)
            except TemplateNotFound:
                continue
        raise TemplateNotFound(template)

    def _names(self, template: str) -> Iterator[str]:
        stem, dot, kind = template.rpartition(".")
        yield f"{stem}.{self._language}{dot}{kind}"
        yield template
