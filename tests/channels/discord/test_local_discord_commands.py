"""Commands at the local Discord: what may be registered, and who is offered them."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.discord_server import Channel, DiscordServer, NotOfferedError, Person, UnansweredError
from tests.support.discord_server.commands import is_name
from tests.support.discord_server.errors import CODES
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.messages import EPHEMERAL, Json
from tests.support.local_discord_bot import BUTTON, PAPERS, ROWS, Bot


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.guild("Readers", locale="ja")


# What people are offered


@pytest.mark.parametrize(
    ("command", "options", "says"),
    [
        ("/nothing", {}, "not offered"),
        ("/papers", {}, "goes on"),
        ("/papers tomorrow", {}, "none of"),
        ("/papers date", {}, "required"),
        ("/papers today", {"loud": True}, "no options"),
        ("/papers subscribe", {"channel": "x"}, "nothing for"),
        ("/papers date", {"day": 1}, "nothing for"),
        ("/papers subscribe", {"channel": None, "language": "fr"}, "none of"),
        ("/papers subscribe", {"channel": None, "max_papers": 31}, "out of range"),
        ("/papers subscribe", {"channel": None, "max_papers": True}, "nothing for"),
        ("/papers subscribe", {"channel": None, "topic": "a"}, "too long or too short"),
        ("/admin", {}, "not offered"),
    ],
)
async def test_what_is_not_registered_cannot_be_used(
    bot: Bot, papers: Channel, ada: Person, *, command: str, options: Json, says: str
) -> None:
    filled = {name: papers if value is None else value for name, value in options.items()}
    with pytest.raises(NotOfferedError, match=says):
        await ada.uses(command, **filled)


async def test_where_commands_are_not_offered(
    bot: Bot, server: DiscordServer, guild: Guild, papers: Channel, ada: Person
) -> None:
    eve, group = server.person("eve"), server.group("friends", ada)
    with pytest.raises(NotOfferedError, match="no member"):
        await eve.uses("/papers today", in_=papers)
    with pytest.raises(NotOfferedError, match="not offered"):
        await ada.uses("/papers today", in_=group)
    with pytest.raises(NotOfferedError, match="not offered"):
        await eve.uses("/papers today", in_=eve.direct)
    assert (await bot.says(ada.uses("/papers today", in_=ada.direct))).content == "Hello"
    assert (await bot.says(ada.installs().uses("/papers today", in_=group))).content == "Hello"
    with pytest.raises(NotOfferedError, match="not offered"):
        await ada.uses("/admin", in_=group)
    assert (await bot.says(ada.can(guild, "manage_guild").uses("/admin", in_=papers))).content == "Hello"
    papers.deny(guild.everyone, "use_application_commands")
    with pytest.raises(NotOfferedError, match="not offered"):
        await ada.uses("/papers today", in_=papers)
    with pytest.raises(NotOfferedError, match="type 2"):
        await ada.uses("/papers subscribe", in_=guild.text("t"), channel=guild.voice("v"))
    hidden = guild.text("hidden")
    hidden.deny(guild.everyone, "view_channel")
    with pytest.raises(NotOfferedError, match="does not see"):
        await ada.uses("/papers subscribe", channel=hidden)
    with pytest.raises(NotOfferedError, match="does not see"):
        await ada.uses("/papers today", in_=hidden)


async def test_what_cannot_be_tapped(bot: Bot, server: DiscordServer, guild: Guild, ada: Person) -> None:
    off = BUTTON | {"label": "Off", "custom_id": "off", "disabled": True}
    rows = [*ROWS, {"type": 1, "components": [off]}]
    reply = await bot.says(ada.uses("/papers today"), components=rows, flags=EPHEMERAL)
    for wanted in ("Nothing", "Open", "Off"):
        with pytest.raises(NotOfferedError):
            await ada.taps(reply, wanted)
    for named, *values in [("Style", "Medium"), ("Other", "Long"), ("Style", "Long", "Short")]:
        with pytest.raises(NotOfferedError):
            await ada.selects(reply, named, *values)
    with pytest.raises(NotOfferedError, match="only another"):
        await server.person("bob").can(guild).taps(reply, "Next")
    reply.message.deleted = True
    with pytest.raises(NotOfferedError, match="gone"):
        await ada.taps(reply, "Next")
    with pytest.raises(UnansweredError):
        assert reply.modal


def test_a_locale_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no locale"):
        DiscordServer().person("ada", locale="kr")


# Commands as they are registered


def option(**more: Any) -> Json:
    return {"type": 3, "name": "o", "description": "d"} | more


def command(*options: Json, **more: Any) -> Json:
    return {"name": "c", "description": "d", "options": list(options)} | more


MANY = [{"name": str(each), "value": "v" * 100} for each in range(25)]
LARGE = [option(name=f"o{each}", choices=MANY) for each in range(4)]
BAD_COMMANDS = [
    (command(name="Papers"), "name"),
    (command(name="two words"), "name"),
    (command(name="x" * 33), "name"),
    (command(name=""), "name"),
    (command(name_localizations={"kr": "논문"}), "name_localizations"),
    (command(name_localizations={"ko": "논 문"}), "name_localizations.ko"),
    (command(description=""), "description"),
    (command(description="x" * 101), "description"),
    (command(description_localizations={"ja": "x" * 101}), "description_localizations.ja"),
    (command(description_localizations={"jp": "x"}), "description_localizations"),
    (command(*(option(name=f"o{each}") for each in range(26))), "options"),
    (command(option(name="O")), "options.0.name"),
    (command(option(), option()), "options.1.name"),
    (command(option(), option(name="p", required=True)), "options.1"),
    (command(option(), {"type": 1, "name": "s", "description": "d"}), "options"),
    (command(option(choices=[*MANY, {"name": "x", "value": "v"}])), "options.0.choices"),
    (command(option(choices=[{"name": "x" * 101, "value": "v"}])), "options.0.choices.0.name"),
    (command(option(choices=[{"name": "x", "value": "v" * 101}])), "options.0.choices.0.value"),
    (command(option(choices=[MANY[0], MANY[0]])), "options.0.choices.1"),
    (command(option(choices=MANY, autocomplete=True)), "options.0"),
    (command(option(type=5, autocomplete=True)), "options.0"),
    (command(*LARGE), ""),
    (
        command(
            {
                "type": 2,
                "name": "g",
                "description": "d",
                "options": [{"type": 2, "name": "h", "description": "d", "options": []}],
            }
        ),
        "options.0.options.0",
    ),
    (
        command(
            {"type": 1, "name": "s", "description": "d", "options": [{"type": 1, "name": "t", "description": "d"}]}
        ),
        "options.0.options",
    ),
]


@pytest.mark.parametrize(("body", "place"), BAD_COMMANDS, ids=[f"{n}-{p}" for n, (_, p) in enumerate(BAD_COMMANDS)])
@pytest.mark.parametrize("described", [True, False])
async def test_a_command_that_is_refused(
    bot: Bot, server: DiscordServer, body: Json, place: str, described: bool
) -> None:
    server.service.validate = described
    before = server.registry.listed(None)
    path = f"/applications/{server.application_id}/commands"
    one, whole = await bot.raw("POST", path, body), await bot.raw("PUT", path, [PAPERS, body])
    assert (one.code, whole.code) == (50035, 50035)
    assert any(each.startswith(place) for each in one.faults), one.faults
    assert any(each.startswith(f"1.{place}".rstrip(".")) for each in whole.faults), whole.faults
    assert server.registry.listed(None) == before


async def test_too_many_commands(bot: Bot, server: DiscordServer) -> None:
    path = f"/applications/{server.application_id}/commands"
    many = [command(name=f"c{each}") for each in range(101)]
    assert (await bot.raw("PUT", path, many)).code == 50035
    assert (await bot.raw("PUT", path, [many[0], many[0]])).code == 50035
    assert (await bot.raw("PUT", path, many[:100])).status == 200
    assert (await bot.raw("POST", path, many[100])).code == 30032
    assert (await bot.raw("PUT", path, [command(name=f"d{each}") for each in range(100)])).code == 30034
    assert (await bot.raw("PUT", path, many[:100])).code == 30034
    server.clock.move(86_400)
    assert (await bot.raw("PUT", path, many[:100])).status == 200


async def test_commands_of_one_guild(bot: Bot, server: DiscordServer, guild: Guild, ada: Person) -> None:
    path = f"/applications/{server.application_id}/guilds/{guild.id}/commands"
    made = (await bot.raw("POST", path, command(name="local"))).body
    assert made["guild_id"] == str(guild.id)
    assert (await bot.raw("PATCH", f"{path}/{made['id']}", {"description": "new"})).body["description"] == "new"
    assert (await bot.raw("GET", f"{path}/{made['id']}")).body["name"] == "local"
    again = (await bot.raw("POST", path, command(name="local"))).body
    assert (again["id"], len((await bot.raw("GET", path)).body)) == (made["id"], 1)
    assert (await bot.raw("PATCH", f"{path}/{made['id']}", {"name": "No"})).code == 50035
    assert (await bot.says(ada.uses("/local"))).content == "Hello"
    with pytest.raises(NotOfferedError):
        await ada.uses("/local", in_=ada.direct)
    assert (await bot.raw("DELETE", f"{path}/{made['id']}")).status == 204
    assert (await bot.raw("PUT", path, [])).body == []
    assert CODES[(await bot.raw("GET", f"{path}/{made['id']}")).code][0] == 404


async def test_the_description_knows_the_fields_of_commands(bot: Bot, reference: Path, server: DiscordServer) -> None:
    path = f"/applications/{server.application_id}/commands"
    assert "colour" in (await bot.raw("POST", path, command(colour=1))).faults
    assert "0.contexts.0" in (await bot.raw("PUT", path, [command(contexts=[7])])).faults


@pytest.mark.parametrize("name", ["papers", "논문", "論文", "أوراق", "a-b_c'd", "पेपर", "เอกสาร", "x" * 32])
def test_names_that_commands_may_have(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a.b", "x" * 33, "논 문", "é́", "a/b", "İ", "😀"])
def test_names_that_commands_may_not_have(name: str) -> None:
    assert not is_name(name)
