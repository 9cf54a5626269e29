"""A preference is a row of one table: commands, menus, the web form, files and options find a new row by that alone."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.channel import Requester
from bot.channel.preference import Decides, Kind, Preference
from bot.cli import subscriber_files, subscriber_import
from bot.commands import ReaderCommands, registry
from bot.commands.command import split
from bot.model import Address, Preferences, Status, Style, Subscriber
from bot.render import preference_values
from bot.render.catalogue import languages
from bot.render.words import words
from bot.rules import preferences
from bot.rules.preferences import PREFERENCES, default, filters, shaping, value, without_filters
from bot.store import Store
from bot.store.preference_columns import columns, shaping_values
from bot.web.subscriptions.forms import FormFields
from bot.web.subscriptions.settings_page import changes, settings_form
from channels.discord.post_options import POST_OPTIONS
from channels.discord.slash_commands import payload
from channels.discord.wording import Words
from tests.support.fake_channel import NOW, FakeChannel
from tests.support.pages import kit

ADA = Address("discord", "42")


@dataclass(frozen=True, slots=True)
class MorePreferences(Preferences):
    """Preferences with a field that the program does not know."""

    theory_only: bool = False


THEORY = Preference(
    "theory_only", "theory", Kind.SWITCH, "preference.rich", "help.rich",
    decides=Decides.PAPERS, examples=("on",),
)  # fmt: skip
TITLE = words("en").gettext("preference.rich")


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Preference:
    """A tenth preference, in the table and in the readers' preferences."""
    monkeypatch.setattr(preferences, "Preferences", MorePreferences)
    PREFERENCES.append(THEORY)
    return THEORY


@pytest.fixture(autouse=True)
def same_table() -> Any:
    """The table is after each test as it was before."""
    before = list(PREFERENCES)
    yield
    PREFERENCES[:] = before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_it_is_a_command_with_a_menu_and_help(store: Store, made_up: Preference) -> None:
    commands = ReaderCommands(store, [FakeChannel(name="discord")], fallback=MorePreferences(), closes=time(22))
    reader = Subscriber(1, ADA, Status.ACTIVE, MorePreferences(), NOW)
    context = replace(await commands._context(Requester(ADA), NOW), reader=reader, preferences=reader.preferences)
    command = registry.commands()["theory"]
    menu = await command.run(context, command.parse(split("theory", context.w, NOW)[1]))
    assert menu.says[0] == f"{TITLE}: off"
    assert [(each.label, each.line, each.chosen) for each in menu.options[:2]] == [
        ("on", "theory on", False),
        ("off", "theory off", True),
    ]
    rows = (await registry.commands()["settings"].run(context, "")).rows
    assert [row.value for row in rows if row.label == TITLE] == ["off"]
    assert "theory" in {row.label for row in (await commands.ask(Requester(ADA), "help", NOW)).rows}
    assert "theory on" in (await commands.ask(Requester(ADA), "help theory", NOW)).says[1]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_it_is_a_slash_command_with_an_option(store: Store, made_up: Preference, tmp_path: Path) -> None:
    discord = FakeChannel(name="discord", extras=POST_OPTIONS)
    commands = ReaderCommands(store, [discord], fallback=Preferences(), closes=time(22))
    [group] = payload(lambda language: commands.listed("discord", language), Words(kit(tmp_path)))
    in_set = next(each for each in group["options"] if each["name"] == "set")["options"]
    [found] = [each for each in in_set if each["name"] == "theory"]
    assert [option["name"] for option in found["options"]] == ["theory_only", "channel"]


def test_it_is_a_field_of_the_web_form(made_up: Preference) -> None:
    reader = Subscriber(1, ADA, Status.ACTIVE, MorePreferences(theory_only=True), NOW)
    form = settings_form(reader, tuple(Style), words("en"), NOW)
    [field] = [each for each in form.fields if each.name == "theory_only"]
    assert (field.label, field.widget) == (TITLE, "select")
    assert [(each.value, each.chosen) for each in field.options] == [("on", True), ("off", False)]
    assert changes(FormFields([("theory_only", "off")]), reader, NOW) == {"theory_only": False}
    assert changes(FormFields([("theory_only", "on")]), reader, NOW) == {}
    assert changes(FormFields([("theory_only", "perhaps")]), reader, NOW) is None


def test_it_is_a_column_of_files(made_up: Preference) -> None:
    reader = Subscriber(1, ADA, Status.ACTIVE, MorePreferences(theory_only=True), NOW)
    header, line = subscriber_files.write_csv([reader], header=True).splitlines()
    assert next(csv.DictReader([header, line]))["theory_only"] == "on"
    assert subscriber_files.as_row(reader)["theory_only"] is True
    written = subscriber_files.write_json_lines([reader]).encode()
    for read, content in [
        (subscriber_files.read_csv, f"{header}\n{line}\n".encode()),
        (subscriber_files.read_json_lines, written),
    ]:
        [row] = read(content.splitlines(keepends=True), lambda address: address, MorePreferences())
        assert isinstance(row, subscriber_files.SubscriberRow)
        assert row.preferences == reader.preferences


def test_it_is_an_option_of_add(made_up: Preference) -> None:
    def add(address: str, **given: str) -> None:
        typer.echo(f"{address} {given['theory_only']}")

    app = typer.Typer(rich_markup_mode=None)
    app.command()(subscriber_import.with_preference_options(add))
    assert "--theory-only on|off" in CliRunner().invoke(app, ["--help"]).output
    assert CliRunner().invoke(app, ["outbox:ada", "--theory-only", "on"]).output == "outbox:ada on\n"


def test_it_is_a_column_of_the_database_and_part_of_what_shapes_a_message(made_up: Preference) -> None:
    assert [each.name for each in columns(shaping=True)][-1] == "theory_only"
    chosen = MorePreferences(theory_only=True)
    assert shaping_values(chosen)["theory_only"] is True
    assert shaping(chosen) != shaping(MorePreferences())
    assert filters(chosen)
    assert without_filters(chosen) == MorePreferences()


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("preference", PREFERENCES, ids=lambda preference: preference.name)
def test_every_value_that_is_offered_is_read_back(preference: Preference, language: str) -> None:
    w, now = words(language), datetime(2026, 4, 30, tzinfo=UTC)
    offers = preference_values.offers(preference, default(preference), w, now=now, locale="en-NZ")
    for offer in offers:
        assert preference_values.is_valid(preference, offer.value)
        assert preference_values.parse(preference, preference.write(offer.value), w) == offer.value
        assert offer.label.strip()


def test_every_preference_is_a_field_and_every_field_a_preference() -> None:
    assert [each.name for each in PREFERENCES] == list(Preferences.__dataclass_fields__)
    assert all(default(each) == value(Preferences(), each) for each in PREFERENCES)
