"""Settings of the site channel: its folder, git, and the front matter of posts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator


def split_tags(written: object) -> object:
    """Parse `papers, ai`. Raises ValueError."""
    if not isinstance(written, str):
        return written
    found = tuple(tag.strip() for tag in written.split(",") if tag.strip())
    if not all(re.fullmatch(r"[\w .+#-]{1,40}", tag) for tag in found):
        raise ValueError("must be tags of letters, digits and spaces, separated by commas")
    return found


class Settings(BaseModel):
    """Settings of the site channel; a field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    folder: Path = Field(Path("site"), alias="SITE_DIR")
    """The folder of all sites; relative to the program's home unless absolute."""
    git: Literal["commit", "push"] | None = Field(None, alias="SITE_GIT")
    author: str = Field("morning-papers", alias="SITE_AUTHOR")
    """The author in front matter and commits: "Name" or "Name <address>"."""
    tags: Annotated[tuple[str, ...], BeforeValidator(split_tags)] = Field((), alias="SITE_TAGS")
    """Tags in front matter; empty: each layout's own."""
    title: str = Field("", alias="SITE_TITLE")
    """Title of a day's page, in which {date} becomes the day; empty: each layout's own."""
    time: str = Field("08:15", alias="SITE_TIME")
    """Time of day in front matter, HH:MM, whenever the page was written."""
    offset: str = Field("+0000", alias="SITE_TIMEZONE")
    """UTC offset of `time`, such as +0900."""
    permalink: Literal["yes", "no"] = Field("no", alias="SITE_PERMALINK")
    url: str = Field("", alias="SITE_URL")
    """Where readers can follow or subscribe, for the layouts that link to it."""

    @property
    def configured(self) -> bool:
        """Whether the operator set up a site."""
        return "folder" in self.model_fields_set

    @property
    def name(self) -> str:
        """The author without an address."""
        return self.author.partition("<")[0].strip() or self.author

    @field_validator("title")
    @classmethod
    def _pattern(cls, title: str) -> str:
        if title and "{date}" not in title:
            raise ValueError("must be a title in which {date} stands for the day")
        return title

    @field_validator("time")
    @classmethod
    def _clock(cls, time: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time):
            raise ValueError("must be a time of day from 00:00 to 23:59, such as 08:15")
        return time

    @field_validator("offset")
    @classmethod
    def _offset(cls, offset: str) -> str:
        if not re.fullmatch(r"[+-](0\d|1[0-4])[0-5]\d", offset):
            raise ValueError("must be an offset from UTC, such as +0900 or -0330")
        return offset

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/-]*)?", url):
            raise ValueError("must be a web address that starts with https:// (or http://)")
        return url
