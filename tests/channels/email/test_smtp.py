"""The e-mail channel against a real SMTP server: what arrives, over which connections, secured how."""

import asyncio
import re
import ssl

import pytest
import trustme

from bot.channel import Channel, Deferred, LoginError, Personal, Sent, Unknown
from channels.email import pool as pools
from tests.support.email_channel import NAME, PUBLIC, READER, a_mail, opened, settings
from tests.support.mail_server import DROP, SILENCE, Relay
from tests.support.pages import page, paper


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_a_mail_arrives() -> None:
    async with Relay() as relay, opened(relay) as channel:
        assert isinstance(channel, Channel)
        outcome = await channel.send("ada@example.com", a_mail(channel), READER)
    assert outcome == Sent("2.0.0 taken as 1")
    [letter] = relay.letters
    assert (letter.sender, letter.to) == ("papers@example.org", ["ada@example.com"])


async def test_what_arrives_is_what_was_composed() -> None:
    async with Relay() as relay, opened(relay) as channel:
        composed = channel.compose(page(paper(title="Dots. \n.\n..leading 논문 “quotes” =3D"), language="ko"))
        await channel.send("ada@example.com", composed, READER)
    mail = relay.letters[0].mail
    assert mail.defects == []
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for kind, body in (("text", text), ("html", html)):
        shown = composed.parts()[kind]
        for name in ("unsubscribe", "settings", "fewer", "web"):
            assert READER.links[name] in body.get_content()
            shown = shown.replace(f"https://…/{name}", READER.links[name])
        assert body.get_content().splitlines() == shown.strip("\n").splitlines()
        assert body["Content-Transfer-Encoding"] == "quoted-printable"


async def test_the_lines_of_a_mail_are_short_and_ascii() -> None:
    async with Relay() as relay, opened(relay) as channel:
        await channel.send("ada@example.com", channel.compose(page(*map(paper, range(1, 9)), language="ja")), READER)
    raw = relay.letters[0].raw
    assert raw.isascii()
    head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 120  # a link is not folded
    assert b"\n" not in raw.replace(b"\r\n", b"")


async def test_mails_of_two_readers_differ_only_in_their_links() -> None:
    other = Personal("12.346", reader="9m.t3k9x1", links={name: url + "x" for name, url in READER.links.items()})
    async with Relay() as relay, opened(relay) as channel:
        mail = a_mail(channel)
        await channel.send("ada@example.com", mail, READER)
        await channel.send("bob@example.com", mail, other)
    one, two = (letter.mail for letter in relay.letters)
    assert one["Message-ID"] != two["Message-ID"]
    differing = {name for name in one.keys() if one[name] != two[name]}  # noqa: SIM118 - a header may stand twice
    assert differing <= {"To", "Message-ID", "List-Unsubscribe", "Archived-At", "Date"}


async def test_a_repeat_carries_the_same_message_id() -> None:
    async with Relay() as relay, opened(relay) as channel:
        mail = a_mail(channel)
        await channel.send("ada@example.com", mail, READER)
        await channel.send("ada@example.com", mail, Personal("12.345", reader=NAME, repeat=1, links=READER.links))
    first, second = (letter.mail["Message-ID"] for letter in relay.letters)
    assert first == second


async def test_headers_follow_the_rfcs() -> None:
    async with Relay() as relay, opened(relay, EMAIL_REPLY_TO="Desk <desk@example.org>") as channel:
        await channel.send("ada@example.com", channel.compose(page(paper(), language="ko")), READER)
    mail = relay.letters[0].mail
    assert mail["From"].addresses[0].display_name == "모닝 페이퍼스"
    assert mail["From"].addresses[0].addr_spec == "papers@example.org"
    assert mail["To"].addresses[0].addr_spec == "ada@example.com"
    assert mail["Reply-To"].addresses[0].addr_spec == "desk@example.org"
    assert mail["Subject"] == "Paper number 1"
    assert mail["List-Id"] == "모닝 페이퍼스 <morning-papers.example.org>"
    web, letter = mail["List-Unsubscribe"].split(", ")
    assert web == f"<{READER.links['unsubscribe']}>"
    assert letter.startswith("<mailto:desk@example.org?subject=unsubscribe%20")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Help"] is None, "nobody answers help by mail"
    assert mail["List-Archive"] == f"<{PUBLIC}/>"
    assert mail["Archived-At"] == f"<{PUBLIC}/en/2026-04-29>"
    assert mail["List-Post"] == "NO"
    assert mail["List-Owner"] == "<mailto:desk@example.org>"
    assert mail["List-Subscribe"] == f"<{PUBLIC}/ko/>"
    assert mail["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply", "all but reports of failure"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Feedback-ID"] == "2026-04-29:headline:ko:morningpapers"
    assert mail["Content-Language"] == "ko"
    assert mail["Date"].datetime.tzinfo is not None
    assert all(len(mail.get_all(name) or ()) == 1 for name in mail)


async def test_without_a_web_site_unsubscribing_is_by_mail() -> None:
    async with Relay() as relay, opened(relay, public=None) as channel:
        await channel.send("ada@example.com", a_mail(channel), Personal("12.345", reader=NAME))
    mail = relay.letters[0].mail
    [address] = mail["List-Unsubscribe"].split(", ")
    assert address.startswith("<mailto:papers@example.org?subject=unsubscribe%20")
    assert "List-Unsubscribe-Post" not in mail
    assert "List-Archive" not in mail
    html = mail.get_body(("html",))
    assert html is not None
    assert f'href="{address[1:-1]}"' in html.get_content()
    assert "https://papers.example.org" not in html.get_content()


async def test_the_return_path_holds_the_mails_token() -> None:
    async with Relay() as relay, opened(relay, EMAIL_BOUNCES="bounces+{token}@mail.example.org") as channel:
        await channel.send("ada@example.com", a_mail(channel), READER)
    [letter] = relay.letters
    local, _, host = letter.sender.partition("@")
    assert host == "mail.example.org"
    assert len(local) <= 64
    assert letter.mail["Message-ID"] == f"<{local.removeprefix('bounces+')}@example.org>"
    assert "<mailto:bounces+9l.t3k9x1-" in letter.mail["List-Unsubscribe"]


async def test_an_address_in_another_script_asks_for_smtputf8_and_others_do_not() -> None:
    async with Relay() as relay, opened(relay) as channel:
        for to in ("用户@example.com", "ada@xn--exmple-cua.com"):
            assert isinstance(await channel.send(to, a_mail(channel), READER), Sent)
    foreign, plain = relay.letters
    assert "SMTPUTF8" in foreign.options
    assert "SMTPUTF8" not in plain.options
    async with Relay(utf8=False) as relay, opened(relay) as channel:
        outcome = await channel.send("用户@example.com", a_mail(channel), READER)
    assert isinstance(outcome, Deferred)
    assert relay.letters == []


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_relay_without_pipelining_is_sent_one_command_at_a_time(extensions: tuple[str, ...]) -> None:
    def nobody(verb: str, to: str) -> str | None:
        return "550 5.1.1 nobody" if verb == "RCPT" and to.startswith("bob") else None

    async with Relay(extensions=extensions, answer=nobody) as relay, opened(relay) as channel:
        mail = a_mail(channel)
        outcomes = [await channel.send(f"{name}@example.com", mail, READER) for name in ("ada", "bob", "cy")]
    assert [type(outcome).__name__ for outcome in outcomes] == ["Sent", "Gone", "Sent"]
    assert [letter.to for letter in relay.letters] == [["ada@example.com"], ["cy@example.com"]]
    assert relay.connections == 1


async def test_connections_are_reused_within_the_limit() -> None:
    async with Relay() as relay, opened(relay, EMAIL_CONNECTIONS="3") as channel:
        mail = a_mail(channel)
        await asyncio.gather(*(channel.send(f"r{n}@example.com", mail, READER) for n in range(40)))
    assert len(relay.letters) == 40
    assert relay.most_at_once == 3
    assert relay.connections == 3
    assert channel.pace.concurrency == 3


async def test_a_connection_is_renewed_after_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAILS_PER_CONNECTION", 4)
    async with Relay() as relay, opened(relay, EMAIL_CONNECTIONS="1") as channel:
        mail = a_mail(channel)
        for n in range(12):
            await channel.send(f"r{n}@example.com", mail, READER)
    counts = [sum(letter.connection == number for letter in relay.letters) for number in (1, 2, 3)]
    assert counts == [4, 4, 4]


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_login_goes_over_tls(server_side: ssl.SSLContext, trusting: ssl.SSLContext, implicit: bool) -> None:
    how = {"SMTP_SECURITY": "tls" if implicit else "starttls", "SMTP_USERNAME": "ada", "SMTP_PASSWORD": "s3cret"}
    async with (
        Relay(tls=server_side, implicit=implicit, login=("ada", "s3cret")) as relay,
        opened(relay, tls=trusting, **how) as channel,
    ):
        assert isinstance(await channel.send("ada@example.com", a_mail(channel), READER), Sent)
    assert relay.letters[0].secure
    assert relay.verbs["AUTH"] == 1


async def test_a_refused_login_names_the_settings_to_check() -> None:
    async with Relay(login=("ada", "s3cret")) as relay:
        with pytest.raises(LoginError, match="SMTP_USERNAME and SMTP_PASSWORD"):
            async with opened(relay, SMTP_USERNAME="ada", SMTP_PASSWORD="wr0ng"):
                pass


async def test_an_untrusted_certificate_is_refused(server_side: ssl.SSLContext) -> None:
    async with Relay(tls=server_side) as relay:
        with pytest.raises(LoginError, match="certificate"):
            async with opened(relay, SMTP_SECURITY="starttls"):
                pass


async def test_a_relay_without_starttls_is_sent_no_mail() -> None:
    async with Relay() as relay:
        with pytest.raises(LoginError, match="no STARTTLS"):
            async with opened(relay, SMTP_SECURITY="starttls"):
                pass
    assert relay.verbs["MAIL"] == 0


async def test_an_unreachable_relay_is_not_a_refused_login() -> None:
    async with Relay() as relay:
        pass
    with pytest.raises(Exception, match="Connect") as error:
        async with opened(relay):
            pass
    assert not isinstance(error.value, LoginError)


async def test_a_missing_reply_to_the_final_dot_is_an_unknown_outcome() -> None:
    """A stop while the relay thinks about the text: it may have arrived, and the connection is not used again."""
    waiting = asyncio.Event()

    def silent(verb: str, to: str) -> str | None:
        if verb != "DOT":
            return None
        waiting.set()
        return SILENCE

    async with Relay(answer=silent) as relay, opened(relay) as channel:
        sending = asyncio.create_task(channel.send("ada@example.com", a_mail(channel), READER))
        await waiting.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        relay.answer = lambda verb, to: None
        assert isinstance(await channel.send("bob@example.com", a_mail(channel), READER), Sent)
    assert relay.connections == 2


async def test_a_connection_cut_before_the_message_is_retried() -> None:
    cuts = iter([DROP])
    cut = {"RCPT": lambda: next(cuts, None)}
    async with Relay(answer=lambda verb, to: cut.get(verb, lambda: None)()) as relay, opened(relay) as channel:
        assert isinstance(await channel.send("ada@example.com", a_mail(channel), READER), Sent)
    assert len(relay.letters) == 1
    assert relay.connections == 2


async def test_a_connection_cut_within_the_message_is_an_unknown_outcome() -> None:
    async with Relay(answer=lambda verb, to: DROP if verb == "TEXT" else None) as relay, opened(relay) as channel:
        outcome = await channel.send("ada@example.com", a_mail(channel), READER)
    assert isinstance(outcome, Unknown)


async def test_a_stale_connection_is_replaced() -> None:
    async with Relay() as relay, opened(relay) as channel:
        await channel.send("ada@example.com", a_mail(channel), READER)
        relay.hang_up()
        assert isinstance(await channel.send("bob@example.com", a_mail(channel), READER), Sent)
    assert relay.connections == 2


async def test_an_announcement_has_an_unsubscribe_link() -> None:
    said = page(
        heading="A message", lead="First line.\nSecond line. " + "x" * 200, notes=["Why"], day=None, cadence=None
    )
    async with Relay() as relay, opened(relay) as channel:
        await channel.send("ada@example.com", channel.compose(said), READER)
    mail = relay.letters[0].mail
    assert mail["Subject"] == "A message"
    html = mail.get_body(("html",))
    assert html is not None
    assert READER.links["unsubscribe"] in html.get_content()
    assert html.get_content().count('class="line"') == 2


async def test_one_click_unsubscription_is_offered_over_https_only() -> None:
    plain = Personal("12.345", reader=NAME, links={"unsubscribe": "http://papers.example.org/unsubscribe/x"})
    async with Relay() as relay, opened(relay, public="http://papers.example.org") as channel:
        await channel.send("ada@example.com", a_mail(channel), plain)
    assert "List-Unsubscribe-Post" not in relay.letters[0].mail


async def test_a_notice_is_sent_as_mail() -> None:
    notice = page(lead="email is delivering again.", slug="notice-1", day=None, cadence=None)
    async with Relay() as relay, opened(relay) as channel:
        await channel.send("ada@example.com", channel.compose(notice), Personal("a-notice"))
    mail = relay.letters[0].mail
    assert mail["Subject"] == "email is delivering again."
    assert mail["Message-ID"] == "<a-notice@example.org>"


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"EMAIL_FROM": None}, "EMAIL_FROM"),
        ({"EMAIL_FROM": "nobody"}, "address"),
        ({"EMAIL_FROM": "A\r\nBcc: x@example.org <a@example.org>"}, "address"),
        ({"EMAIL_RATE": "fast"}, "14/s"),
        ({"EMAIL_BOUNCES": "bounces@example.org"}, "{token}"),
        ({"EMAIL_BOUNCES": "A <b+{token}@example.org>"}, "{token}"),
        ({"EMAIL_BOUNCES": "a-very-long-name+{token}@example.org"}, "{token}"),
        ({"SMTP_HOST": "smtp.example.org", "SMTP_USERNAME": "a", "SMTP_PASSWORD": "b"}, "in the clear"),
        ({"SMTP_PASSWORD": "b"}, "SMTP_USERNAME"),
        ({"DKIM_SELECTOR": "s"}, "need each other"),
    ],
)
def test_invalid_settings_are_reported(named: dict[str, str | None], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        settings(25, **named)


def test_rates_are_parsed_per_second_minute_hour_and_day() -> None:
    rates = {written: settings(25, EMAIL_RATE=written).rate for written in ("14", "14/s", "30/m", "500/h", "9/d")}
    assert {written: (rate.count, rate.seconds) for written, rate in rates.items() if rate} == {
        "14": (14, 1),
        "14/s": (14, 1),
        "30/m": (30, 60),
        "500/h": (500, 3600),
        "9/d": (9, 86400),
    }
