"""Discord end to end: moderators and members use it in two languages, while the program restarts and lines drop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.model import Address, Status, Style
from bot.render.words import Words, words
from bot.store import subscriber_queries
from tests.support.discord_program import World
from tests.support.discord_server.messages import COMPONENTS_V2
from tests.support.discord_story import DAY, at, dropped, texts
from tests.support.pages import paper

pytestmark = [pytest.mark.parametrize("database", ["sqlite"], indirect=True), pytest.mark.slow]


MINUTE = timedelta(minutes=1)
IN_BOTH = pytest.mark.parametrize("language", ["en", "ko"])
LOCALES = {"en": "en-US", "ko": "ko"}


def named(w: Words, **options: Any) -> dict[str, Any]:
    """Options under the names that they have in a language."""
    return {w.gettext(f"discord.name_{name}"): value for name, value in options.items()}


def typed(w: Words, *names: str) -> str:
    """A command as somebody types it whose app is in that language."""
    return "/" + " ".join(w.gettext(f"discord.name_{name}") for name in names)


@IN_BOTH
async def test_a_moderator_sets_up_a_server(world: World, language: str) -> None:
    w, locale = words(language), LOCALES[language]
    guild = world.server.guild("Readers", locale=locale)
    papers, news, forum = guild.text("papers"), guild.announcement("news"), guild.forum("ai")
    readers = guild.role("readers")
    ada = world.server.person("ada", locale=locale).can(guild, "manage_channels")
    ada.at = papers

    async with world.life():
        reply = await ada.uses(typed(w, "papers", "subscribe"))
        assert reply.ephemeral
        assert w.gettext("subscribe.done") in reply.text
        assert (await world.reader(at(papers))).preferences.language == language
        zone = await ada.taps(reply, w.gettext("subscribe.other_zone"))
        assert zone.updated

    async with world.life():  # a restart: what is on the screen goes on working
        settings = await ada.taps(zone, w.gettext("settings.title"))
        assert settings.updated
        style = await ada.selects(settings, w.gettext("discord.pick_setting"), w.gettext("preference.style"))
        saved = await ada.taps(style, w.gettext("paper.label_abstract"))
        assert w.gettext(
            "settings.saved", preference=w.gettext("preference.style"), value=w.gettext("paper.label_abstract")
        ) in (saved.text)
        await dropped(world)
        settings = await ada.taps(saved, w.gettext("settings.title"))
        mention = await ada.selects(settings, w.gettext("discord.pick_setting"), w.gettext("preference.ping"))
        await ada.selects(mention, w.gettext("discord.pick_role"), readers)
        await ada.uses(typed(w, "papers", "set", "silent"), **named(w, on=True))
        await ada.uses(typed(w, "papers", "set", "thread"), **named(w, on=True))
        stored = await world.reader(at(papers))
        assert stored.preferences.style is Style.ABSTRACT
        assert stored.extras == {"ping": str(readers.id), "silent": "on", "thread": "on"}

        other = "ko" if language == "en" else "en"
        reply = await ada.uses(typed(w, "papers", "subscribe"), **named(w, channel=news, language=other))
        assert news.mention in reply.text
        assert w.gettext("subscribe.done") in reply.text, "in the moderator's own language"
        topics = await ada.selects(
            await ada.taps(reply, w.gettext("settings.title")),
            w.gettext("discord.pick_setting"),
            w.gettext("preference.topics"),
        )
        form = await ada.taps(topics, w.gettext("discord.type_value"))
        await ada.submits(form, text="agents, -robots")
        await ada.uses(typed(w, "papers", "set", "publish"), **named(w, channel=news, on=True))
        await ada.uses(typed(w, "papers", "subscribe"), channel=forum)
        assert (await world.reader(at(news))).preferences.language == other
        assert (await world.reader(at(news))).preferences.topics == ("agents", "-robots")

        await world.deliver()
        [message] = papers.messages
        assert message.silent
        mentioned, heading, first, *others, _ = texts(message)
        assert mentioned == f"<@&{readers.id}>"
        [thread] = [each.name for each in guild.channels.values() if each.parent is papers]
        assert heading.startswith(f"**{thread}**\n")
        assert first.splitlines()[1].startswith("We measure thing 1.")
        assert len(others) == 9
        assert words(other).gettext("edition.daily") in texts(news.messages[0])[0]
        assert news.messages[0].crossposted
        [post] = [each for each in guild.channels.values() if each.parent is forum]
        assert w.gettext("edition.daily") in str(post.name)

        # A moderator in a post of the forum speaks of the forum's subscription.
        left = await ada.uses(typed(w, "papers", "unsubscribe"), in_=post)
        assert w.gettext("unsubscribe.done") in left.text
        assert (await world.reader(at(forum, "forum"))).status is Status.UNSUBSCRIBED


@pytest.mark.parametrize("features", [(), ("COMMUNITY",)])
async def test_a_server_that_chose_no_language_has_its_moderators(world: World, features: tuple[str, ...]) -> None:
    guild = world.server.guild("Readers")
    guild.features = features
    ada = world.server.person("ada", locale="ko").can(guild, "manage_guild")
    ada.at = papers = guild.text("papers")
    async with world.life():
        reply = await ada.uses(typed(words("ko"), "papers", "subscribe"))
        assert (await world.reader(at(papers))).preferences.language == "ko"
        assert "한국어" not in reply.text, "which goes without saying"
        await world.deliver()
        assert words("ko").gettext("edition.daily") in texts(papers.messages[0])[0]


async def test_a_moderator_is_told_of_another_language_and_changes_it_with_one_tap(world: World) -> None:
    guild = world.server.guild("Readers", locale="ja")
    ada = world.server.person("ada", locale="ko").can(guild, "manage_guild")
    ada.at = papers = guild.text("papers")
    async with world.life():
        reply = await ada.uses(typed(words("ko"), "papers", "subscribe"))
        assert words("ko").gettext("subscribe.in_language", language="日本語") in reply.text
        await ada.taps(reply, "한국어")
        assert (await world.reader(at(papers))).preferences.language == "ko"
        menu = await ada.uses(typed(words("ko"), "papers", "help"))
        one = await ada.selects(menu, words("ko").gettext("discord.pick_value"), "help topics")
        assert one.text.startswith("/논문 주제: "), "as its app calls it"


@IN_BOTH
async def test_a_member_reads_and_has_editions_of_their_own(world: World, language: str) -> None:
    w, locale = words(language), LOCALES[language]
    guild = world.server.guild("Readers")
    papers = guild.text("papers")
    ada = world.server.person("ada").can(guild, "manage_guild")
    bo = world.server.person("bo", locale=locale).can(guild)
    bo.at = papers

    async with world.life():
        await ada.uses("/papers subscribe", in_=papers)
        await ada.uses("/papers count", in_=papers, papers="12")
        await world.deliver()
        [edition] = papers.messages

        refused = await bo.uses(typed(w, "papers", "subscribe"))
        assert refused.ephemeral
        assert w.gettext("errors.admins_only") in refused.text
        mine = await bo.taps(refused, w.gettext("discord.send_to_me"))
        assert w.gettext("subscribe.done") in mine.text
        assert (await world.reader(f"user:{bo.id}")).preferences.language == language

    async with world.life():
        following = await bo.taps(edition, "▶")
        assert following.ephemeral
        assert not following.updated, "the page is not turned for everybody"
        assert "11. Paper number 11" in following.text
        assert following.message.flags & COMPONENTS_V2
        back = await bo.taps(following, "◀")
        assert back.updated
        assert "1. Paper number 1" in back.text
        await dropped(world)
        more = await bo.selects(edition, "More about a paper…", "1. Paper number 1")
        assert more.ephemeral
        assert "We measure thing 1." in more.text
        assert edition.edits == 0

        today = await bo.uses(typed(w, "papers", "today"))
        assert w.gettext("papers.none_today_yet") in today.text
        found = await bo.uses(typed(w, "papers", "search"), words="number")
        assert "Paper number 1" in found.text
        for name, given in (("week", {}), ("month", {}), ("top", {"days": 7}), ("date", {"day": "2026-04-29"})):
            assert (await bo.uses(typed(w, "papers", name), **given)).ephemeral
        assert "2604.00003" in (await bo.uses(typed(w, "papers", "paper"), paper="2604.00003")).text
        for name in ("help", "privacy"):
            assert (await bo.uses(typed(w, "papers", name))).text

        await world.deliver()
        [own] = bo.direct.messages
        assert w.gettext("edition.daily") in texts(own)[0]

    async with world.life():
        world.server.clock.move(MINUTE)
        bo.at = bo.direct
        settings = await bo.uses(typed(w, "papers", "settings"))
        assert not settings.ephemeral, "nobody else is there"
        paused = await bo.taps(settings, w.gettext("pause.button"))
        assert w.gettext("pause.done") in paused.text
        assert w.gettext("resume.done") in (await bo.uses(typed(w, "papers", "resume"))).text
        chosen = {"time": {"hour": "7:30"}, "count": {"papers": "3"}, "language": {"language": language}}
        for name, given in chosen.items():
            await bo.uses(typed(w, "papers", name), **named(w, **given))
        assert (await world.reader(f"user:{bo.id}")).preferences.papers == 3
        assert (await bo.uses(typed(w, "papers", "why"))).text
        exported = await bo.uses(typed(w, "papers", "export"))
        assert str(bo.id).encode() in exported.files["morning-papers.json"]
        asked = await bo.uses(typed(w, "papers", "forget"))
        await bo.taps(asked, w.gettext("privacy.erase_button"))
        async with world.store.read() as connection:
            assert await subscriber_queries.get(connection, Address("discord", f"user:{bo.id}")) is None


async def test_an_answer_can_be_shown_to_everybody_in_the_language_of_the_server(world: World) -> None:
    guild = world.server.guild("Readers", locale="ko")
    papers = guild.text("papers")
    ada, bo = world.server.person("ada").can(guild), world.server.person("bo").can(guild)
    async with world.life():
        shown = await ada.uses("/papers date", in_=papers, day="2026-04-29", share=True)
        assert not shown.ephemeral
        assert words("ko").gettext("edition.daily") in shown.text
        following = await bo.taps(shown, "▶")
        assert following.ephemeral
        assert words("en").gettext("edition.daily") in following.text
        assert shown.message.edits == 0


async def test_an_answer_that_no_container_holds_takes_the_place_of_one_that_did(world: World) -> None:
    wordy = [paper(number, sentence="A word is a word. " * 40) for number in range(31, 41)]
    await world.publish(DAY + timedelta(days=1), *(paper(number) for number in range(21, 31)), *wordy)
    guild = world.server.guild("Readers")
    ada = world.server.person("ada").can(guild)
    ada.at = guild.text("papers")
    async with world.life():
        first = (await ada.uses("/papers date", day="2026-04-30")).message
        assert first.flags & COMPONENTS_V2
        second = await ada.taps(first, "▶")
        assert not second.message.flags & COMPONENTS_V2
        assert second.ephemeral
        assert "11. Paper number 31" in second.text
        back = await ada.taps(second, "◀")
        assert first.deleted
        assert back.updated
        assert back.message.flags & COMPONENTS_V2
        assert (back.content, back.embeds) == ("", [])


async def test_a_server_that_chose_no_language_gets_the_moderators(world: World) -> None:
    plain = world.server.guild("Plain")
    plain.features = ()
    ada = world.server.person("ada", locale="ko").can(plain, "manage_guild")
    papers = plain.text("papers")
    async with world.life():
        await ada.uses("/papers subscribe", in_=papers)
        assert (await world.reader(at(papers))).preferences.language == "ko"


async def test_a_user_who_installed_it_reads_where_the_bot_is_not(world: World) -> None:
    guild = world.server.guild("Elsewhere", joined=False)
    room = guild.text("room")
    ada = world.server.person("ada").can(guild, "manage_guild").installs()
    group = world.server.group("friends", ada, world.server.person("bo"))
    async with world.life():
        for place in (room, group, ada.direct):
            assert "1. Paper number 1" in (await ada.uses("/papers today", in_=place)).text
        refused = await ada.uses("/papers subscribe", in_=room, channel=room)
        assert "a member of this server" in refused.text
        assert "You’re subscribed." in (await ada.taps(refused, "Send to me by DM")).text
        await world.deliver()
        assert len(ada.direct.messages) == 2, "an answer to /papers today, and one edition"
    assert not [each for each in room.messages if each.interaction is None]


async def test_where_the_bot_may_not_post_nothing_is_promised(world: World) -> None:
    guild = world.server.guild("Readers")
    papers, closed = guild.text("papers"), guild.text("closed")
    closed.deny(guild.everyone, "embed_links")
    ada = world.server.person("ada").can(guild, "manage_guild")
    async with world.life():
        places: tuple[dict[str, Any], ...] = ({"in_": closed}, {"in_": papers, "channel": closed})
        for given in places:
            refused = await ada.uses("/papers subscribe", **given)
            assert "isn’t allowed to post" in refused.text
            assert closed.mention in refused.text
    async with world.store.read() as connection:
        assert await subscriber_queries.get(connection, Address("discord", at(closed))) is None


async def test_a_place_that_bars_the_bot_is_told_once_and_comes_back_by_itself(world: World) -> None:
    guild = world.server.guild("Readers")
    papers = guild.text("papers")
    ada = world.server.person("ada").can(guild, "manage_guild")
    async with world.life():
        await ada.uses("/papers subscribe", in_=papers)
        papers.deny(guild.everyone, "send_messages")
        await world.deliver()
        assert (await world.reader(at(papers))).status is Status.PAUSED
        [notice] = ada.direct.messages
        assert "#papers · Readers" in said(notice.embeds)
        papers.allow(guild.everyone, "send_messages")
        await world.server.gateway.until("CHANNEL_UPDATE", 2)
        await world.becomes(at(papers), Status.ACTIVE)


def said(embeds: list[dict[str, str]]) -> str:
    return "\n".join(f"{embed.get('title')}\n{embed.get('description')}" for embed in embeds)


async def test_whoever_removes_the_bot_or_the_channel_gets_nothing_more(world: World) -> None:
    guild, other = world.server.guild("Readers"), world.server.guild("Others")
    papers, thread, room = guild.text("papers"), guild.text("x").thread("t"), other.text("room")
    ada = world.server.person("ada").can(guild, "manage_guild").can(other, "manage_guild")
    async with world.life():
        for place in (papers, thread, room):
            await ada.uses("/papers subscribe", in_=place)
        thread.delete()
        await world.becomes(at(thread), Status.GONE)
        papers.delete()
        await world.becomes(at(papers), Status.GONE)
        other.remove_bot()
        await world.becomes(at(room), Status.GONE)
