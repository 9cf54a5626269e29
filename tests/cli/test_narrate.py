"""`papers narrate` as people run it, with a speech endpoint on this machine."""

import asyncio
import re
from pathlib import Path

from tests.cli.conftest import WEDNESDAY
from tests.support.papers_program import Papers
from tests.support.speech_servers import SpeechServer, played


async def test_an_edition_is_read_aloud_on_request_and_once(papers: Papers) -> None:
    await papers("publish", "--date", f"{WEDNESDAY}")
    assert "No voice is set up" in (await papers("narrate")).err
    async with SpeechServer() as server:
        voice = {"TTS_BASE_URL": server.url, "TTS_MODEL": "m", "TTS_API_KEY": server.key, "PODCAST": "ko"}
        done = await papers("narrate", **voice)
        assert done.code == 0, done.err
        assert done.out.startswith("ko: recorded, 0:")
        path = Path(re.findall(r"\S+\.mp3", done.out)[0])
        heard = played(await asyncio.to_thread(path.read_bytes))
        assert str(heard["CHAP:chp1"].sub_frames["TIT2"]).startswith("1. ")
        asked = len(server.asked)
        assert "is there already" in (await papers("narrate", **voice)).out
        assert len(server.asked) == asked
        assert "recorded" in (await papers("narrate", "--force", **voice)).out
        assert "en: recorded" in (await papers("narrate", "--language", "en", "--style", "abstract", **voice)).out
        server.fault = 403
        refused = await papers("narrate", "--force", **voice)
        assert (refused.code, "TTS_API_KEY" in refused.err) == (1, True)
        assert (await papers("narrate", "--date", "2020-01-01", **voice)).code == 1
        assert (await papers("narrate", "--language", "xx", **voice)).code == 2
        assert "does not pay" in (await papers("narrate", "--force", TTS_BUDGET="1", **voice)).err


async def test_one_run_reads_aloud_what_it_has_published(papers: Papers) -> None:
    async with SpeechServer() as server:
        voice = {"TTS_BASE_URL": server.url, "TTS_MODEL": "m", "TTS_API_KEY": server.key, "PODCAST": "en"}
        done = await papers("run", "--once", **voice)
        assert done.code == 0, done.err
    assert len(list(papers.home.glob("media/*/en/*.mp3"))) == 1
    assert papers.files(), "and delivers as ever"


async def test_a_voice_that_fails_spoils_no_edition(papers: Papers) -> None:
    async with SpeechServer(fault=500) as server:
        voice = {"TTS_BASE_URL": server.url, "TTS_MODEL": "m", "TTS_API_KEY": server.key, "PODCAST": "en"}
        done = await papers("run", "--once", **voice)
    assert done.code == 0, done.err
    assert papers.files()
