"""Speech backends over real connections and processes: sound, and one sentence where there is none."""

import shutil
from collections.abc import AsyncIterator

import pytest

from bot.media.speech import edge_voices, mp3_frames, speech_endpoint, wave_sound
from bot.media.speech.assembly import speaker
from bot.media.speech.edge_voices import EdgeVoices
from bot.media.speech.espeak import Espeak
from bot.media.speech.settings import SpeechSettings
from bot.media.speech.speech_endpoint import SpeechEndpoint
from bot.media.speech.voices import SpeechError
from bot.settings import SettingsError, read
from tests.support.speech_servers import EdgeServer, SpeechServer, edge_server


@pytest.fixture
async def server() -> AsyncIterator[SpeechServer]:
    async with SpeechServer() as opened:
        yield opened


def endpoint(server: SpeechServer, key: str = "secret-key") -> SpeechEndpoint:
    return SpeechEndpoint(f"{server.url}/", key, "tts-1", {"ko": "sori", "": "nova"})


async def test_an_endpoint_is_asked_for_mp3_in_the_language_s_voice(server: SpeechServer) -> None:
    voices = endpoint(server)
    assert await voices.unable("xx") is None
    assert mp3_frames.frames(await voices.speak("안녕하세요.", "ko")) is not None
    await voices.speak("Hello.", "en")
    assert server.asked == [
        {"model": "tts-1", "input": "안녕하세요.", "voice": "sori", "response_format": "mp3"},
        {"model": "tts-1", "input": "Hello.", "voice": "nova", "response_format": "mp3"},
    ]


@pytest.mark.parametrize(
    ("fault", "says", "misconfigured"),
    [
        ("dropped", "broke off its answer", False),
        (403, "refuses us", True),
        (404, "TTS_BASE_URL and TTS_MODEL", True),
        (422, "rejects the request", True),
        (500, "failed .HTTP 500", False),
    ],
)
async def test_an_endpoint_that_gives_no_sound_is_explained(
    server: SpeechServer, fault: str | int, says: str, misconfigured: bool
) -> None:
    server.fault = fault
    with pytest.raises(SpeechError, match=says) as raised:
        await endpoint(server).speak("Hello.", "en")
    assert raised.value.misconfigured is misconfigured
    assert "127.0.0.1" not in str(raised.value)


async def test_an_endpoint_that_asks_to_wait_is_heeded_and_a_wrong_key_is_named(server: SpeechServer) -> None:
    server.fault, server.headers = 429, {"Retry-After": "77"}
    with pytest.raises(SpeechError) as raised:
        await endpoint(server).speak("Hello.", "en")
    assert raised.value.retry_after == 77
    with pytest.raises(SpeechError, match="TTS_API_KEY") as raised:
        await endpoint(server, key="wrong-one").speak("Hello.", "en")
    assert "wrong-one" not in str(raised.value)


async def test_an_endpoint_that_falls_silent_or_is_not_there_is_given_up(
    server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_endpoint, "TOTAL", 0.2)
    server.fault = "silent"
    with pytest.raises(SpeechError, match="no sound within"):
        await endpoint(server).speak("Hello.", "en")
    with pytest.raises(SpeechError, match="cannot be reached"):
        await SpeechEndpoint("http://127.0.0.1:9/v1", "", "m", {}).speak("Hello.", "en")


@pytest.fixture
async def edge(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EdgeServer]:
    async with edge_server() as (server, url):
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        yield server


async def test_edge_speaks_each_language_with_a_voice_of_its_own(edge: EdgeServer) -> None:
    voices = EdgeVoices({"ja": "ja-JP-KeitaNeural"})
    for language in ("ko", "ja"):
        assert await voices.unable(language) is None
        assert mp3_frames.frames(await voices.speak("A & B.", language)) is not None
    voices_asked, texts = zip(*edge.said, strict=True)
    assert texts == ("A &amp; B.", "A &amp; B.")
    assert [name.partition("(")[2] for name in voices_asked] == ["ko-KR, SunHiNeural)", "ja-JP, KeitaNeural)"]
    assert "no voice for nl" in (await voices.unable("nl") or "")
    assert await EdgeVoices({"": "nl-NL-FennaNeural"}).unable("nl") is None


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("dropped", "broke off|cannot be reached"),
        ("empty", "broke off"),
        ("silent", "fell silent"),
        (403, "refuse us"),
        (503, "failed"),
    ],
)
async def test_edge_without_its_whole_sound_is_explained(
    edge: EdgeServer, fault: str | int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.fault = fault
    monkeypatch.setattr(edge_voices, "TOTAL", 0.5)
    with pytest.raises(SpeechError, match=says) as raised:
        await EdgeVoices({}).speak("Hello.", "en")
    assert "127.0.0.1" not in str(raised.value)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("language", ["en", "ko", "ar"])
async def test_espeak_speaks(language: str) -> None:
    voices = Espeak({})
    assert await voices.unable(language) is None
    sound = wave_sound.read_wave(await voices.speak("안녕하세요. Hello. مرحبا", language))
    assert sound is not None
    assert sound.seconds > 0.5


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
async def test_espeak_withholds_what_it_cannot_read() -> None:
    voices = Espeak({"": "en-us"})
    assert "Japanese" in (await voices.unable("ja") or "")
    version = await voices.version()
    assert version is not None
    assert (await voices.unable("zh-Hans") is None) is (version >= (1, 52))


async def test_espeak_that_is_not_installed_says_so() -> None:
    voices = Espeak({}, program="espeak-that-is-not-there")
    assert "not installed" in (await voices.unable("en") or "")
    with pytest.raises(SpeechError, match="not installed"):
        await voices.speak("Hello.", "en")


def test_the_settings_choose_the_voice() -> None:
    assert speaker(read(SpeechSettings, {})) is None
    assert speaker(read(SpeechSettings, {"TTS": "espeak"})) == Espeak({})
    assert speaker(read(SpeechSettings, {"TTS": "edge", "TTS_VOICE_PT_BR": "x"})) == EdgeVoices({"pt-BR": "x"})
    given = {"TTS": "edge", "TTS_BASE_URL": "http://127.0.0.1:1/v1", "TTS_MODEL": "m", "TTS_VOICE": "v"}
    assert speaker(read(SpeechSettings, given)) == SpeechEndpoint("http://127.0.0.1:1/v1", "", "m", {"": "v"})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"TTS": "loud"}, "TTS must be one of edge or espeak"),
        ({"TTS_BASE_URL": "http://127.0.0.1/v1"}, "TTS_BASE_URL needs a model's name in TTS_MODEL"),
        ({"TTS_BASE_URL": "127.0.0.1"}, "TTS_BASE_URL must be a web address"),
        ({"TTS": "espeak", "TTS_VOICE_KO": "--path=/etc"}, "TTS_VOICE_KO must be the name of a voice"),
        ({"PODCAST": "ko"}, "PODCAST needs a voice"),
        ({"TTS": "edge", "PODCAST_STYLE": "loud"}, "PODCAST_STYLE must be one of headline"),
        ({"TTS_BUDGET": "-1"}, "TTS_BUDGET must be at least 0"),
    ],
)
def test_wrong_settings_are_named(given: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read(SpeechSettings, given)
