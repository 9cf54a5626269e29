"""The core's settings: read once from the environment and `.env`, validated, and passed on.

Nothing is read at import. Each channel has a settings class of its own, read by the same `read`, so that every mistake
is reported in the same way: one sentence that names the setting and says how to correct it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.model import Address
from bot.runtime.files import whole_path
from bot.runtime.text import one_line
from bot.runtime.written_times import clock_time, duration, seconds

DEFAULT_FEED = "https://huggingface.co/api/daily_papers"
SHORTEST_KEY = 32
"""Characters that a signing key must have at least."""


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that names it and says how to correct it."""


def addresses(written: object) -> object:
    """Read `telegram:1, email:ada@example.org`. Raises ValueError."""
    if not isinstance(written, str):
        return written
    try:
        return tuple(Address.parse(each) for each in written.split(",") if each.strip())
    except ValueError:
        raise ValueError("must be addresses written channel:recipient, separated by commas") from None


def patterns(written: object) -> object:
    """Read `telegram:42, email:*@lab.example`: addresses in which `*` matches anything. Raises ValueError."""
    found = addresses(written)
    return tuple(map(str, found)) if isinstance(found, tuple) else found


class Settings(BaseModel):
    """The core's settings; each field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    feed_url: SecretStr = Field(SecretStr(DEFAULT_FEED), alias="FEED_URL")
    """URL of the feed. Secret, because it may contain a key."""
    poll_interval: Annotated[timedelta, BeforeValidator(duration)] = Field(
        timedelta(minutes=15), alias="POLL_INTERVAL", ge=timedelta(minutes=1), le=timedelta(hours=6)
    )
    edition_closes: Annotated[time, BeforeValidator(clock_time)] = Field(time(22), alias="EDITION_CLOSES")
    database_url: SecretStr = Field(SecretStr("sqlite:///subscribers.db"), alias="DATABASE_URL")
    default_language: str = Field(
        "en",
        alias="DEFAULT_LANGUAGE",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="must be a language tag, such as en, ko or zh-Hant",
    )
    default_timezone: str = Field("UTC", alias="DEFAULT_TIMEZONE")
    newsletter_name: str = Field("", alias="NEWSLETTER_NAME", max_length=60)
    logo: str = Field("", alias="LOGO", max_length=500)
    brand_colour: str = Field(
        "", alias="BRAND_COLOUR", pattern=r"^(#?[0-9A-Fa-f]{6})?$", description="must be a colour such as #a8410b"
    )
    """Name, path of a logo and colour of the newsletter, for pages, mails and Discord; empty for ours."""
    log_format: Literal["auto", "human", "json"] = Field("auto", alias="LOG_FORMAT")
    admins: Annotated[tuple[Address, ...], BeforeValidator(addresses)] = Field((), alias="ADMINS")
    llm_base_url: SecretStr | None = Field(None, alias="LLM_BASE_URL")
    """URL of an OpenAI-compatible endpoint. Secret, because it may contain a key."""
    llm_api_key: SecretStr | None = Field(None, alias="LLM_API_KEY")
    llm_model: str = Field("", alias="LLM_MODEL", max_length=200)
    llm_concurrency: int = Field(4, alias="LLM_CONCURRENCY", ge=1, le=64)
    llm_timeout: Annotated[timedelta, BeforeValidator(seconds)] = Field(
        timedelta(seconds=120), alias="LLM_TIMEOUT", ge=timedelta(seconds=5), le=timedelta(minutes=10)
    )
    llm_window: int = Field(32_768, alias="LLM_WINDOW", ge=4_096, le=10_000_000)
    llm_budget_tokens: int = Field(1_000_000, alias="LLM_BUDGET_TOKENS", ge=0)
    llm_fallback_base_url: SecretStr | None = Field(None, alias="LLM_FALLBACK_BASE_URL")
    llm_fallback_api_key: SecretStr | None = Field(None, alias="LLM_FALLBACK_API_KEY")
    llm_fallback_model: str = Field("", alias="LLM_FALLBACK_MODEL", max_length=200)
    check_base_url: SecretStr | None = Field(None, alias="CHECK_BASE_URL")
    """URL of the endpoint that gives a second opinion on texts."""
    check_api_key: SecretStr | None = Field(None, alias="CHECK_API_KEY")
    check_model: str = Field("", alias="CHECK_MODEL", max_length=200)
    access: Literal["open", "invite", "list"] = Field("open", alias="ACCESS")
    invite_codes: SecretStr | None = Field(None, alias="INVITE_CODES")
    allowed: Annotated[tuple[str, ...], BeforeValidator(patterns)] = Field((), alias="ALLOWED")
    keep_unsubscribed: int = Field(180, alias="KEEP_UNSUBSCRIBED", ge=1, le=3650)
    media_dir: Annotated[Path, BeforeValidator(whole_path)] = Field(Path("media"), alias="MEDIA_DIR")
    """The folder of pictures and recordings; below the program's home unless absolute."""
    public_url: str = Field("", alias="PUBLIC_URL", max_length=200)
    """URL at which readers reach the web server."""
    secret_key: SecretStr | None = Field(None, alias="SECRET_KEY")
    heartbeat_url: SecretStr | None = Field(None, alias="HEARTBEAT_URL")
    """URL that is called after each successful poll. Secret, because anybody who knows it could pretend to be us."""

    @field_validator("feed_url", "heartbeat_url", "llm_base_url", "llm_fallback_base_url", "check_base_url")
    @classmethod
    def _web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not is_address(url.get_secret_value(), "https?", needs_host=True):
            raise ValueError("must be a web address that starts with https:// (or http://)")
        return url

    @field_validator("newsletter_name")
    @classmethod
    def _name(cls, name: str) -> str:
        if name != one_line(name) or set(name) & set('<>"@'):
            raise ValueError('must be one line without <, >, @ and ", such as Vision Papers')
        return name

    @field_validator("public_url")
    @classmethod
    def _public(cls, url: str) -> str:
        if url and not re.fullmatch(r"(?i:https?)://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~-]+)*/?", url):
            raise ValueError("must be a web address without a query, such as https://papers.example.org")
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        # As browsers write it in Origin (RFC 6454 section 6.2).
        usual = {"https": ":443", "http": ":80"}.get(scheme.lower(), "")
        return f"{scheme.lower()}://{host.lower().removesuffix(usual)}{slash}{path}".rstrip("/") if url else url

    @field_validator("secret_key")
    @classmethod
    def _keys(cls, written: SecretStr | None) -> SecretStr | None:
        if written is not None and any(len(key) < SHORTEST_KEY for key in _listed(written)):
            raise ValueError(f"must be keys of at least {SHORTEST_KEY} characters, separated by commas")
        return written

    @field_validator("invite_codes")
    @classmethod
    def _codes(cls, written: SecretStr | None) -> SecretStr | None:
        codes = [] if written is None else _listed(written)
        if any(not re.fullmatch(r"[A-Za-z0-9_]{6,64}", code) for code in codes):
            raise ValueError("must be codes of 6 to 64 letters, digits and underscores, separated by commas")
        return written

    @model_validator(mode="after")
    def _models_have_names(self) -> Self:
        if self.llm_base_url is not None and not self.llm_model:
            raise ValueError("LLM_BASE_URL needs a model's name in LLM_MODEL")
        if self.llm_fallback_base_url is not None and not (self.llm_base_url and self.llm_fallback_model):
            raise ValueError("LLM_FALLBACK_BASE_URL needs LLM_BASE_URL, and a model's name in LLM_FALLBACK_MODEL")
        if self.check_base_url is not None and not (self.llm_base_url and self.check_model):
            raise ValueError("CHECK_BASE_URL needs LLM_BASE_URL, and a model's name in CHECK_MODEL")
        return self

    @model_validator(mode="after")
    def _somebody_gets_in(self) -> Self:
        if self.access == "invite" and not self.codes:
            raise ValueError("ACCESS=invite needs codes in INVITE_CODES")
        if self.access == "list" and not self.allowed:
            raise ValueError("ACCESS=list needs addresses in ALLOWED")
        return self

    @property
    def endpoints(self) -> list[tuple[str, str, str]]:
        """Endpoints of language models as (URL, key, model), the fallback last."""
        given = [
            (self.llm_base_url, self.llm_api_key, self.llm_model),
            (self.llm_fallback_base_url, self.llm_fallback_api_key, self.llm_fallback_model),
        ]
        return [_endpoint(url, key, name) for url, key, name in given if url]

    @property
    def check_endpoints(self) -> list[tuple[str, str, str]]:
        """The endpoint of the second opinion, if there is one, as (URL, key, model)."""
        url = self.check_base_url
        return [] if url is None else [_endpoint(url, self.check_api_key, self.check_model)]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys for signed links: the first signs, all verify."""
        return () if self.secret_key is None else tuple(_listed(self.secret_key))

    @property
    def codes(self) -> tuple[str, ...]:
        """The invite codes."""
        return () if self.invite_codes is None else tuple(_listed(self.invite_codes))

    @field_validator("database_url")
    @classmethod
    def _database(cls, url: SecretStr) -> SecretStr:
        written = url.get_secret_value()
        if not is_address(written, r"sqlite(?=:///\S)|postgresql\+psycopg"):
            raise ValueError("must start with sqlite:/// or postgresql+psycopg://, followed by a whole address")
        if written.startswith("sqlite") and (":memory:" in written or "?" in written or "/file:" in written):
            raise ValueError("must name a plain file, such as sqlite:///subscribers.db: memory forgets everybody")
        return url

    @field_validator("default_timezone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be the name of a time zone, such as Asia/Seoul or Europe/Berlin") from None
        return zone


def _endpoint(url: SecretStr, key: SecretStr | None, model: str) -> tuple[str, str, str]:
    return url.get_secret_value(), key.get_secret_value() if key else "", model


Read = TypeVar("Read", bound=BaseModel)


def home(environ: Mapping[str, str]) -> Path:
    """The folder of `.env`, `subscribers.db` and `outbox/`: PAPERS_HOME, else the working directory.

    Raises SettingsError.
    """
    folder = Path(environ.get("PAPERS_HOME") or os.curdir).resolve()
    if not folder.is_dir():
        raise SettingsError(f"PAPERS_HOME is {folder}, which is not a folder; create it or name another.")
    return folder


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings as written: `.env` in `folder`, overridden by the process's environment. Raises SettingsError."""
    path = folder / ".env"
    try:
        if path.is_dir():
            raise SettingsError(f"{path} is a folder; it must be a file of settings, or not be there.")
        written = dotenv_values(path, encoding="utf-8", interpolate=False) if path.is_file() else {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text; save it as that.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); run this as its owner, or chown it.") from error
    return {name: value for name, value in written.items() if value is not None} | dict(environ)


def read(model: type[Read], environ: Mapping[str, str]) -> Read:
    """Read `model` from `environ`. Every secret may come from a file named by `NAME_FILE` instead.

    An empty setting counts as not set. Raises SettingsError about the first setting that is wrong.
    """
    given: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        alias = field.alias or name
        value = environ.get(alias, "").strip()
        if not value and _is_secret(field.annotation):
            value = _from_file(alias, environ.get(f"{alias}_FILE", "").strip())
        if value:
            given[alias] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        fits = next((field.description for field in model.model_fields.values() if field.alias in first["loc"]), None)
        raise SettingsError(_sentence(first, fits or "")) from None  # the cause would show the value: a secret, maybe


def names(model: type[BaseModel]) -> list[str]:
    """The environment variables that `model` is read from."""
    found = []
    for name, field in model.model_fields.items():
        found.append(field.alias or name)
        if _is_secret(field.annotation):
            found.append(f"{field.alias or name}_FILE")
    return found


def secrets(settings: BaseModel) -> list[str]:
    """The parts of `settings` that must never be shown: secret values, and of a URL its password and query."""
    found: list[str] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            if "://" in secret:
                parts = urlsplit(secret)
                found += [part for part in (parts.password, parts.query) if part]
                found += [unquote(parts.password)] if parts.password else []
                # In a web address the user name may be a token.
                found += [parts.username] if parts.username and parts.scheme.startswith("http") else []
                if name == "heartbeat_url":  # its path is the key
                    found.append(parts.path)
            elif name in {"invite_codes", "secret_key", "tokens"}:
                found += _listed(value)
            elif secret:
                found.append(secret)
    return found


def _listed(written: SecretStr) -> list[str]:
    return [code.strip() for code in written.get_secret_value().split(",") if code.strip()]


def is_address(url: str, schemes: str, *, needs_host: bool = False) -> bool:
    """Whether `url` is a URL with a scheme that matches `schemes` and, if it has a port, a valid one."""
    if not re.fullmatch(rf"(?:{schemes})://\S+", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.port != 0 and (bool(parts.hostname) or not needs_host)
    except ValueError:
        return False


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _from_file(name: str, path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{name}_FILE names a file that cannot be read ({why}).") from error


def _sentence(error: Any, fits: str) -> str:
    """One sentence about a wrong setting; `fits` says what its pattern is for."""
    name = str(error["loc"][0]) if error["loc"] else ""
    context = error.get("ctx") or {}
    says = str(context["error"]) if "error" in context else ""
    if not name:  # it is about several settings, and names them itself
        return f"{says}; see .env.example."
    if not says:
        says = {
            "string_too_long": f"is too long, {context.get('max_length')} characters at most",
            "int_parsing": "must be a whole number",
            "literal_error": f"must be one of {context.get('expected', '')}".replace("'", ""),
            "string_pattern_mismatch": fits,
            "greater_than_equal": f"must be at least {context.get('ge')}",
            "less_than_equal": f"must be at most {context.get('le')}",
            "missing": "is not set",
        }.get(error["type"], error["msg"][:1].lower() + error["msg"][1:])
    return f"{name} {says}; see .env.example."
