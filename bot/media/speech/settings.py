"""Settings of speech and of the podcast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.model import Style
from bot.settings import is_address

VOICE = "voice_"
"""What the names of the fields with the voice of one language begin with."""


def listed(written: object) -> object:
    """Read `ko, en`: a list separated by commas."""
    return tuple(each.strip() for each in written.split(",") if each.strip()) if isinstance(written, str) else written


def voice_name(written: object) -> object:
    """Check the name of a voice, which may become an option of a program. Raises ValueError."""
    if isinstance(written, str) and (written.startswith("-") or not written.isprintable()):
        raise ValueError("must be the name of a voice")
    return written


def style(written: object) -> object:
    """Read the name of a style. Raises ValueError."""
    try:
        return Style(str(written))
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Style)}") from None


Voice = Annotated[str, BeforeValidator(voice_name)]


class SpeechSettings(BaseModel):
    """Which voices read editions aloud, for whom, and how much they may say a day."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    tts: Literal["edge", "espeak"] | None = Field(None, alias="TTS")
    """The voices where no endpoint is named."""
    base_url: SecretStr | None = Field(None, alias="TTS_BASE_URL")
    """URL of an endpoint with OpenAI's `/audio/speech`. Secret, because it may contain a key."""
    model: str = Field("", alias="TTS_MODEL", max_length=200)
    api_key: SecretStr | None = Field(None, alias="TTS_API_KEY")
    budget: int = Field(200_000, alias="TTS_BUDGET", ge=0)
    """Characters that may be spoken on a UTC day; 0: no limit."""
    voice: Voice = Field("", alias="TTS_VOICE", max_length=200)
    """The voice of every language that has none of its own below."""
    voice_ar: Voice = Field("", alias="TTS_VOICE_AR", max_length=200)
    voice_de: Voice = Field("", alias="TTS_VOICE_DE", max_length=200)
    voice_en: Voice = Field("", alias="TTS_VOICE_EN", max_length=200)
    voice_es: Voice = Field("", alias="TTS_VOICE_ES", max_length=200)
    voice_fr: Voice = Field("", alias="TTS_VOICE_FR", max_length=200)
    voice_hi: Voice = Field("", alias="TTS_VOICE_HI", max_length=200)
    voice_ja: Voice = Field("", alias="TTS_VOICE_JA", max_length=200)
    voice_ko: Voice = Field("", alias="TTS_VOICE_KO", max_length=200)
    voice_pt_br: Voice = Field("", alias="TTS_VOICE_PT_BR", max_length=200)
    voice_ru: Voice = Field("", alias="TTS_VOICE_RU", max_length=200)
    voice_zh_hans: Voice = Field("", alias="TTS_VOICE_ZH_HANS", max_length=200)
    voice_zh_hant: Voice = Field("", alias="TTS_VOICE_ZH_HANT", max_length=200)
    podcast: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field((), alias="PODCAST")
    """Languages with a podcast feed."""
    podcast_style: Annotated[Style, BeforeValidator(style)] = Field(Style.HEADLINE, alias="PODCAST_STYLE")

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not is_address(url.get_secret_value(), "https?", needs_host=True):
            raise ValueError("must be a web address that starts with https:// (or http://)")
        return url

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.base_url is not None and not self.model:
            raise ValueError("TTS_BASE_URL needs a model's name in TTS_MODEL")
        if self.podcast and not self.configured:
            raise ValueError("PODCAST needs a voice: set TTS_BASE_URL, TTS=edge or TTS=espeak")
        return self

    @property
    def configured(self) -> bool:
        """Whether there is a voice."""
        return self.base_url is not None or self.tts is not None

    @property
    def voices(self) -> Mapping[str, str]:
        """The operator's voices by language tag; "" is every other language."""
        named = {name: getattr(self, name) for name in type(self).model_fields if name.startswith(VOICE)}
        found = {_tag(name.removeprefix(VOICE)): voice for name, voice in named.items() if voice}
        return found | ({"": self.voice} if self.voice else {})


def _tag(name: str) -> str:
    """The language tag of a field: `zh_hans` is zh-Hans, `pt_br` is pt-BR."""
    language, _, rest = name.partition("_")
    return "-".join(filter(None, (language, rest.title() if len(rest) == 4 else rest.upper())))
