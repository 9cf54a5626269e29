"""The local Discord refuses message bodies past Discord's limits, and takes those at the limits."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.discord_server import DiscordServer
from tests.support.discord_server.messages import EPHEMERAL
from tests.support.discord_server.places import Channel
from tests.support.discord_server.raw import Raw, messages


def embed(**more: Any) -> dict[str, Any]:
    return {"embeds": [{"title": "T"} | more]}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"content": "x", "components": [{"type": 1, "components": list(components)}]}


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Tap", "custom_id": "a"} | more


def select(count: int = 1, **more: Any) -> dict[str, Any]:
    options = [{"label": f"L{number}", "value": f"v{number}"} for number in range(count)]
    return {"type": 3, "custom_id": "s", "options": options} | more


def text(content: Any = "w") -> dict[str, Any]:
    return {"type": 10, "content": content}


def modern(*components: Any, **more: Any) -> dict[str, Any]:
    return {"flags": MODERN, "components": list(components)} | more


def box(*components: Any, **more: Any) -> dict[str, Any]:
    return {"type": 17, "components": list(components)} | more


def section(*texts: Any, accessory: Any) -> dict[str, Any]:
    return {"type": 9, "components": list(texts), "accessory": accessory}


def thumbnail(url: str = "https://cdn.example/a.png", **more: Any) -> dict[str, Any]:
    return {"type": 11, "media": {"url": url}} | more


def buttons(*components: Any) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


FIELD = {"name": "n", "value": "v"}
WORDS = {"type": 10, "content": "w" * 2_000}
MODERN = 1 << 15
SEPARATOR = {"type": 14}

BAD_MESSAGES = [
    ({"content": "x" * 2_001}, "content"),
    ({"content": 5}, "content"),
    ({"content": "x", "nonce": "n" * 26}, "nonce"),
    ({"content": "x", "flags": EPHEMERAL}, "flags"),
    ({"embeds": [{"title": "T"}] * 11}, "embeds"),
    (embed(title="x" * 257), "embeds.0.title"),
    (embed(description="x" * 4_097), "embeds.0.description"),
    (embed(footer={"text": "x" * 2_049}), "embeds.0.footer.text"),
    (embed(author={"name": "x" * 257}), "embeds.0.author.name"),
    (embed(fields=[FIELD] * 26), "embeds.0.fields"),
    (embed(fields=[FIELD | {"name": "x" * 257}]), "embeds.0.fields.0.name"),
    (embed(fields=[FIELD | {"value": "x" * 1_025}]), "embeds.0.fields.0.value"),
    (embed(fields=[FIELD, FIELD | {"value": " "}]), "embeds.0.fields.1.value"),
    (embed(fields=[{"name": "n"}]), "embeds.0.fields.0.value"),
    ({"embeds": [{"description": "x" * 3_001}, {"description": "x" * 3_000}]}, "embeds"),
    ({"content": "x", "components": [{"type": 1, "components": [button()]}] * 6}, "components"),
    ({"content": "x", "components": [button()]}, "components.0.type"),
    (row(*(button(custom_id=str(each)) for each in range(6))), "components.0.components"),
    (row(), "components.0.components"),
    (row(button(), select()), "components.0.components"),
    (row(button(), button()), "components.0.components.1.custom_id"),
    (row(button(custom_id="x" * 101)), "components.0.components.0.custom_id"),
    (row(button(custom_id="")), "components.0.components.0.custom_id"),
    (row(button(custom_id=None)), "components.0.components.0.custom_id"),
    (row(button(label="x" * 81)), "components.0.components.0.label"),
    (row(button(label=None)), "components.0.components.0.label"),
    (row(button(url="https://a.example")), "components.0.components.0"),
    (row(button(style=5, url="https://a.example")), "components.0.components.0"),
    (row(button(style=5, custom_id=None)), "components.0.components.0.url"),
    (
        row(button(style=5, custom_id=None, url="https://a.example/" + "x" * 500)),
        "components.0.components.0.url",
    ),
    (row(select(26)), "components.0.components.0.options"),
    (row(select(0)), "components.0.components.0.options"),
    (row(select(placeholder="x" * 151)), "components.0.components.0.placeholder"),
    (row(select(2, max_values=3)), "components.0.components.0"),
    (
        row(select(options=[{"label": "a", "value": "v"}, {"label": "b", "value": "v"}])),
        "components.0.components.0.options.1.value",
    ),
    (
        row(select(options=[{"label": "x" * 101, "value": "v"}])),
        "components.0.components.0.options.0.label",
    ),
    (row({"type": 4, "custom_id": "t", "style": 1, "label": "l"}), "components.0.components.0"),
    ({"content": "x", "components": [WORDS]}, "components.0.type"),
    ({"content": "x", "flags": MODERN, "components": [WORDS]}, "content"),
    ({"flags": MODERN, "components": [WORDS, WORDS, {"type": 10, "content": "w"}]}, "components"),
    ({"flags": MODERN, "components": [{"type": 10, "content": "w"}] * 41}, "components"),
    (modern(box(WORDS, WORDS, section(text(), accessory=thumbnail()))), "components"),
    (modern(box(*(text() for _ in range(40)))), "components"),
    (modern(text(""), text()), "components.0.content"),
    (modern(text(" ")), "components.0.content"),
    (modern(text(), embeds=[{"title": "T"}]), "embeds"),
    (modern(text(), content="x"), "content"),
    (modern(box()), "components.0.components"),
    (modern(box(box(text()))), "components.0.components.0"),
    (modern(box(text(), accent_color=1 << 24)), "components.0.accent_color"),
    (modern(thumbnail()), "components.0.type"),
    (modern(button()), "components.0.type"),
    (modern(section(text(), accessory=None)), "components.0.accessory"),
    (modern({"type": 9, "components": [text()]}), "components.0.accessory"),
    (modern(section(accessory=thumbnail())), "components.0.components"),
    (modern(section(*(text() for _ in range(4)), accessory=thumbnail())), "components.0.components"),
    (modern(section(SEPARATOR, accessory=thumbnail())), "components.0.components.0.type"),
    (modern(section(text(), accessory=select())), "components.0.accessory.type"),
    (modern(section(text(), accessory=thumbnail("ftp://cdn.example/a"))), "components.0.accessory.media.url"),
    (modern(section(text(), accessory=thumbnail("attachment://a.png"))), "components.0.accessory.media.url"),
    (
        modern(section(text(), accessory=thumbnail(f"https://cdn.example/{'a' * 2_048}"))),
        "components.0.accessory.media.url",
    ),
    (modern(section(text(), accessory={"type": 11})), "components.0.accessory.media"),
    (modern(section(text(), accessory=thumbnail(description="x" * 1_025))), "components.0.accessory.description"),
    (modern(section(text(), accessory=button(custom_id="x" * 101))), "components.0.accessory.custom_id"),
    (modern({"type": 14, "spacing": 3}), "components.0.spacing"),
    (modern({"type": 12, "items": []}), "components.0.items"),
    (modern({"type": 13, "file": {"url": "https://cdn.example/a.txt"}}), "components.0.file.url"),
    (modern(box(buttons(button(), select()))), "components.0.components.0.components"),
    (modern(box(buttons(text()))), "components.0.components.0.components.0"),
    (modern(box(buttons(button())), buttons(button())), "components.1.components.0.custom_id"),
    (modern(text() | {"id": 7}, SEPARATOR | {"id": 7}), "components"),
    ({"content": "x", "components": [box(text())]}, "components.0.type"),
    ({"content": "x", "message_reference": {"message_id": "1"}}, "message_reference"),
    ({"content": "x", "attachments": [{"id": "0", "filename": "a.txt"}]}, "attachments.0.id"),
]


@pytest.mark.parametrize(
    ("body", "place"), BAD_MESSAGES, ids=[f"{n}-{place}" for n, (_, place) in enumerate(BAD_MESSAGES)]
)
@pytest.mark.parametrize("described", [True, False])
async def test_a_message_past_a_limit_is_refused_at_its_place(
    raw: Raw, server: DiscordServer, papers: Channel, *, body: dict[str, Any], place: str, described: bool
) -> None:
    server.service.validate = described
    answer = await raw("POST", messages(papers), body)
    assert (answer.status, answer.code) == (400, 50035), answer.body
    assert any(each == place or each.startswith(f"{place}.") for each in answer.faults), answer.faults
    assert len(server.violations) == 1
    assert papers.messages == []


GOOD_MESSAGES = [
    {"content": "x" * 2_000, "nonce": 7},
    {"embeds": [{"title": "x" * 256, "description": "y" * 4_096, "footer": {"text": "z" * 1_648}}]},
    embed(fields=[FIELD] * 25),
    {"embeds": [{"title": "T"}] * 10},
    row(*(button(custom_id=str(each) * 100) for each in range(5))),
    row(button(style=5, custom_id=None, url="https://a.example")),
    row(select(25, max_values=25)),
    {"flags": MODERN, "components": [WORDS, WORDS]},
    modern(
        text("<@&1>"),
        box(
            text("w" * 3_981),
            SEPARATOR | {"divider": True, "spacing": 2},
            section(text("a"), text("b"), text("c"), accessory=thumbnail(description="x" * 1_024)),
            *(text() for _ in range(10)),
            buttons(select(25)),
            buttons(*(button(custom_id=str(each)) for each in range(5))),
            accent_color=0xFFFFFF,
        ),
        section(text("z"), accessory=button(custom_id="z")),
    ),
    modern(*({"type": 14} for _ in range(40))),
]


@pytest.mark.parametrize("body", GOOD_MESSAGES)
async def test_a_message_at_the_limits_is_taken(
    raw: Raw, server: DiscordServer, papers: Channel, body: dict[str, Any]
) -> None:
    answer = await raw("POST", messages(papers), body)
    assert (answer.status, server.violations) == (200, []), answer.body


@pytest.mark.parametrize("body", [{}, {"content": "  "}, {"embeds": [{}]}, {"embeds": [{"color": 1}]}])
async def test_an_empty_message_is_refused(raw: Raw, papers: Channel, body: dict[str, Any]) -> None:
    answer = await raw("POST", messages(papers), body)
    assert (answer.status, answer.code) == (400, 50006)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"content": "x", "shout": True}, "shout"),
        (embed(colour=1), "embeds.0.colour"),
        (embed(url="no address"), "embeds.0.url"),
        (embed(timestamp="yesterday"), "embeds.0.timestamp"),
        (row(button(style=9)), "components.0.components.0.style"),
        (row(button(emoji={"nom": "x"})), "components.0.components.0.emoji.nom"),
        ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, "allowed_mentions.parse.0"),
    ],
)
async def test_what_the_description_does_not_know_is_refused(
    raw: Raw, reference: Path, papers: Channel, body: dict[str, Any], place: str
) -> None:
    answer = await raw("POST", messages(papers), body)
    assert answer.code == 50035
    assert place in answer.faults


@pytest.mark.parametrize(
    ("first", "edit", "place"),
    [
        ({"content": "x"}, modern(text()), "content"),
        ({"embeds": [{"title": "T"}]}, modern(text()), "embeds"),
        (modern(text()), {"content": "x"}, "content"),
        (modern(text()), {"embeds": [{"title": "T"}]}, "embeds"),
        (modern(text()), {"flags": 0}, "flags"),
        (modern(text()), {"components": [button()]}, "components.0.type"),
    ],
)
async def test_a_message_of_components_stays_one(
    raw: Raw, papers: Channel, first: dict[str, Any], edit: dict[str, Any], place: str
) -> None:
    sent = (await raw("POST", messages(papers), first)).body
    answer = await raw("PATCH", f"{messages(papers)}/{sent['id']}", edit)
    assert (answer.status, answer.code) == (400, 50035)
    assert any(each == place or each.startswith(f"{place}.") for each in answer.faults), answer.faults


async def test_a_message_becomes_one_of_components(raw: Raw, papers: Channel) -> None:
    sent = (await raw("POST", messages(papers), {"content": "x", "embeds": [{"title": "T"}]})).body
    path = f"{messages(papers)}/{sent['id']}"
    shown = (await raw("PATCH", path, modern(box(text("now")), content=None, embeds=[]))).body
    assert (shown["content"], shown["embeds"], shown["flags"] & MODERN) == ("", [], MODERN)
    again = (await raw("PATCH", path, {"components": [text("later")]})).body
    assert (again["components"][0]["content"], again["flags"] & MODERN) == ("later", MODERN)
