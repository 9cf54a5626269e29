"""The real discord.py against the local Discord, end to end; and the local Discord as a process of its own."""

import asyncio
import io
import json
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.discord_server import Channel, DiscordServer, Fault, Person, Rates

with warnings.catch_warnings():
    # discord.py imports a module for voice that Python 3.13 has no more; what the service does not use of it.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord
    from discord import app_commands

ROOT = Path(__file__).resolve().parents[3]


class Papers(discord.Client):
    """A small bot."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.01)
        self.tree = app_commands.CommandTree(self)
        group = app_commands.Group(name="papers", description="Papers")
        group.command(name="today", description="Today")(today)
        group.command(name="subscribe", description="Subscribe")(subscribe)
        date: app_commands.Command[Any, ..., None] = group.command(name="date", description="A day")(of_day)
        date.autocomplete("day")(days)
        self.tree.add_command(group)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once: the five seconds that the library waits are for the real service."""


async def today(interaction: discord.Interaction) -> None:
    await interaction.response.defer(ephemeral=True)
    await interaction.followup.send(embed=discord.Embed(title="Today"), view=Next(), ephemeral=True)


async def subscribe(interaction: discord.Interaction, channel: discord.TextChannel, language: str) -> None:
    may = isinstance(interaction.user, discord.Member) and interaction.user.guild_permissions.manage_guild
    await interaction.response.send_message(f"{channel.name} {language} {interaction.locale} {may}")


async def of_day(interaction: discord.Interaction, day: str) -> None:
    await interaction.response.send_message(day, file=discord.File(io.BytesIO(b"day"), filename="day.txt"))


async def days(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{current}-04-29", value="2026-04-29")]


class Next(discord.ui.View):
    """A button that opens a form, and a select."""

    @discord.ui.button(label="Topics", custom_id="topics")
    async def topics(self, interaction: discord.Interaction, button: "discord.ui.Button[Next]") -> None:
        await interaction.response.send_modal(Topics())

    @discord.ui.select(placeholder="Style", custom_id="style", options=[discord.SelectOption(label="Short", value="s")])
    async def style(self, interaction: discord.Interaction, select: "discord.ui.Select[Next]") -> None:
        await interaction.response.edit_message(content=select.values[0], view=None)


class Topics(discord.ui.Modal, title="Topics"):
    """A form with one field."""

    wanted: "discord.ui.TextInput[Topics]" = discord.ui.TextInput(label="Topics", custom_id="wanted")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"{self.wanted.value}!", ephemeral=True)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as started:
        with started.directed():
            yield started


@pytest.fixture
def papers(server: DiscordServer) -> Channel:
    return server.guild("Readers", locale="ko").text("papers")


@pytest.fixture
def ada(server: DiscordServer, papers: Channel) -> Person:
    assert papers.guild is not None
    person = server.person("ada", locale="ko").can(papers.guild, "manage_guild")
    person.at = papers
    return person


@pytest.fixture
async def client(server: DiscordServer, papers: Channel) -> AsyncIterator[Papers]:
    async with Papers() as started:
        await started.login(server.token)
        await started.tree.sync()
        listening = asyncio.create_task(started.connect())
        await server.gateway.until("READY")
        await started.wait_until_ready()
        yield started
        await started.close()
        await listening


async def test_a_client_logs_in_and_knows_its_places(client: Papers, server: DiscordServer, papers: Channel) -> None:
    assert client.user is not None
    assert (client.user.id, client.application_id) == (server.bot.id, server.application_id)
    assert [each.name for guild in client.guilds for each in guild.text_channels] == ["papers"]
    assert [each["name"] for each in server.registry.listed(None)] == ["papers"]


async def test_a_wrong_token(server: DiscordServer) -> None:
    async with Papers() as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")


async def test_people_use_it(client: Papers, server: DiscordServer, papers: Channel, ada: Person) -> None:
    reply = await ada.uses("/papers today")
    assert (reply.text, reply.ephemeral, reply.deferred) == ("Today", True, True)
    opened = await ada.taps(reply, "Topics")
    assert (await ada.submits(opened, wanted="agents")).content == "agents!"
    changed = await ada.selects(reply, "Style", "Short")
    assert (changed.content, changed.components, changed.updated) == ("s", [], True)
    assert (await ada.uses("/papers subscribe", channel=papers, language="ko")).content == "papers ko ko True"
    assert await ada.completes("/papers date", day="2026") == [{"name": "2026-04-29", "value": "2026-04-29"}]
    dated = await ada.uses("/papers date", day="2026-04-29")
    assert (dated.content, list(dated.files)) == ("2026-04-29", ["day.txt"])
    assert (await ada.uses("/papers today", in_=ada.direct)).text == "Today"
    assert server.violations == []


async def test_messages_are_posted_once_for_a_nonce(client: Papers, server: DiscordServer, papers: Channel) -> None:
    channel = client.get_partial_messageable(papers.id)
    quiet = discord.AllowedMentions.none()
    first, second = [await channel.send("Hi", nonce="edition-1", allowed_mentions=quiet, silent=True) for _ in range(2)]
    assert (first.id, first.nonce, len(papers.messages)) == (second.id, "edition-1", 1)
    await first.edit(content="Changed", embeds=[discord.Embed(title="T")])
    assert [each.content async for each in channel.history(limit=5)] == ["Changed"]
    await first.delete()
    assert papers.messages == []
    assert server.violations == []


async def test_forums_threads_announcements_and_direct_messages(
    client: Papers, server: DiscordServer, papers: Channel, ada: Person
) -> None:
    guild = papers.guild
    assert guild is not None
    told = client.wait_for("thread_create", timeout=5)
    places = [guild.forum("forum"), guild.announcement("news"), papers.thread("t")]
    assert (await told).parent_id == papers.id
    forum, news = client.get_channel(places[0].id), client.get_channel(places[1].id)
    assert isinstance(forum, discord.ForumChannel)
    posted = await forum.create_thread(name="Today", content="Hi", embed=discord.Embed(title="T"))
    assert posted.message.content == "Hi"
    assert isinstance(news, discord.TextChannel)
    await (await news.send("News")).publish()
    assert places[1].messages[0].crossposted
    await (await client.fetch_user(ada.id)).send("Hello")
    assert ada.direct.messages[0].content == "Hello"
    ada.closes_messages()
    with pytest.raises(discord.Forbidden) as refused:
        await (await client.fetch_user(ada.id)).send("Hello")
    assert refused.value.code == 50007
    assert server.violations == []


async def test_a_dropped_gateway_is_resumed(client: Papers, server: DiscordServer, ada: Person) -> None:
    server.gateway.drop()
    await server.gateway.until("disconnect")
    waiting = asyncio.create_task(ada.uses("/papers today"))  # asked while nobody listens, told when they resume
    await server.gateway.until("RESUMED")
    assert (await waiting).text == "Today"
    server.gateway.reconnect()
    await server.gateway.until("RESUMED", 2)
    assert server.gateway.counts["READY"] == 1
    server.gateway.invalidate()
    await server.gateway.until("READY", 2)
    assert (await ada.uses("/papers today")).text == "Today"


async def test_a_limit_is_waited_for(client: Papers, server: DiscordServer, papers: Channel) -> None:
    server.rates = Rates(routes={"POST /channels/{channel_id}/messages": (1, 0.05)})
    for number in range(3):
        await client.get_partial_messageable(papers.id).send(str(number))
    server.fails(Fault.limited(0.01, scope="shared"), times=1)
    await client.get_partial_messageable(papers.id).send("3")
    assert [each.content for each in papers.messages] == ["0", "1", "2", "3"]


async def test_directing_ends(server: DiscordServer) -> None:
    before = discord.http.Route.BASE
    with DiscordServer().directed():
        assert before != discord.http.Route.BASE
    assert before == discord.http.Route.BASE == server.api


async def test_a_process_of_its_own_is_controlled_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.discord_server", "--token", "t", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )  # fmt: skip
    assert process.stdout is not None
    try:
        url = f"http://127.0.0.1:{int(await asyncio.wait_for(process.stdout.readline(), 20))}"
        async with aiohttp.ClientSession(url) as session:

            async def does(what: str, **asked: object) -> object:
                async with session.post(f"/_/{what}", json=asked) as answer:
                    return await answer.json()

            made = await does("guilds", name="Readers", channels=[["text", "papers"], ["forum", "posts"]])
            assert isinstance(made, dict)
            channel = made["channels"][0]
            person = await does("people", name="ada", locale="ko", guild=made["id"], can=["manage_guild"])
            assert isinstance(person, dict)
            await does("says", person=person["id"], channel=channel, words="Hello")
            refused = await does("uses", person=person["id"], channel=channel, command="/papers today")
            assert "NotOfferedError" in json.dumps(refused)
            await does("faults", way="refused", code=50013, times=1, channel=channel)
            headers = {"Authorization": "Bot t", "User-Agent": "DiscordBot (test, 1)"}
            path = f"/api/v10/channels/{channel}/messages"
            for status in (403, 200):
                async with session.post(path, json={"content": "x"}, headers=headers) as answer:
                    assert answer.status == status
            async with session.get(f"/_/channels/{channel}/messages") as answer:
                assert (await answer.json())["posted"] == 2
            async with session.delete("/_/faults") as answer:
                assert answer.status == 200
            await does("clock", seconds=60)
            await does("gateway", do="drop")
            async with session.get("/_/counts") as answer:
                assert (await answer.json())["counts"]["code 50013"] == 1
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
