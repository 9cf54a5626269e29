"""The docs match the code: settings, commands, links, paths, glossary."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr
from typer.main import get_group

from bot import channel_loader, settings
from bot.cli import app as papers
from bot.media.speech.settings import SpeechSettings
from bot.settings import Settings, SettingsError
from bot.web.settings import WebSettings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"
README = ROOT / "README.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
DESIGN = ROOT / "docs" / "design.md"
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("requirements/*.md"), *ROOT.glob("benchmarks/*.md")]
)

MODELS = channel_loader.settings_classes()
NAMES = {name for model in MODELS for name in settings.names(model)}
OTHER_VARIABLES = {"PAPERS_HOME", "PAPERS_INSTALLER", "PAPERS_REFERENCE", "SSL_CERT_FILE", "NAME_FILE"}
"""Variables in capitals that docs name and that are no settings."""

WRONG = {
    "FEED_URL": "papers",
    "FEED_URL_FILE": "no/such/file",
    "POLL_INTERVAL": "often",
    "EDITION_CLOSES": "25:00",
    "DATABASE_URL": "mysql://localhost/papers",
    "DATABASE_URL_FILE": "no/such/file",
    "DEFAULT_LANGUAGE": "english, please",
    "DEFAULT_TIMEZONE": "Mars/Olympus",
    "LLM_BASE_URL": "model",
    "LLM_BASE_URL_FILE": "no/such/file",
    "LLM_API_KEY_FILE": "no/such/file",
    "LLM_MODEL": "m" * 201,
    "LLM_CONCURRENCY": "65",
    "LLM_TIMEOUT": "long",
    "LLM_WINDOW": "1",
    "LLM_BUDGET_TOKENS": "-1",
    "LLM_FALLBACK_BASE_URL": "model",
    "LLM_FALLBACK_BASE_URL_FILE": "no/such/file",
    "LLM_FALLBACK_API_KEY_FILE": "no/such/file",
    "LLM_FALLBACK_MODEL": "m" * 201,
    "CHECK_BASE_URL": "model",
    "CHECK_BASE_URL_FILE": "no/such/file",
    "CHECK_API_KEY_FILE": "no/such/file",
    "CHECK_MODEL": "m" * 201,
    "ACCESS": "friends",
    "INVITE_CODES": "x",
    "INVITE_CODES_FILE": "no/such/file",
    "ALLOWED": "somebody",
    "LOG_FORMAT": "xml",
    "KEEP_UNSUBSCRIBED": "4000",
    "ADMINS": "somebody",
    "HEARTBEAT_URL": "papers",
    "HEARTBEAT_URL_FILE": "no/such/file",
    "PUBLIC_URL": "papers.example.org",
    "SECRET_KEY": "short",
    "SECRET_KEY_FILE": "no/such/file",
}
WRONG_ON_THE_WEB = {
    "WEB_PORT": "65536",
    "TRUSTED_PROXIES": "proxy",
    "METRICS_TOKEN": "short",
    "METRICS_TOKEN_FILE": "no/such/file",
    "MAIL_HOOK_SECRET": "short",
    "MAIL_HOOK_SECRET_FILE": "no/such/file",
    "SECURITY_CONTACT": "call me",
}
WRONG_OF_SPEECH = {
    "TTS": "loud",
    "TTS_BASE_URL": "voice",
    "TTS_BASE_URL_FILE": "no/such/file",
    "TTS_API_KEY_FILE": "no/such/file",
    "TTS_BUDGET": "-1",
    "TTS_VOICE": "--help",
    "PODCAST_STYLE": "loud",
}


def example() -> dict[str, str]:
    """What .env.example assigns, every line of it in a comment."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"# ([A-Z][A-Z0-9_]*)=(\S*)", line) for line in lines]
    pairs = [(match[1], match[2]) for match in found if match]
    assert len(pairs) == len(dict(pairs)), "a setting stands twice in .env.example"
    return dict(pairs)


def rows(page: Path) -> dict[str, list[str]]:
    """The rows of a page's tables whose first cell is the name of a setting; all cells of each."""
    lines = page.read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    named = [(re.fullmatch(r"`([A-Z][A-Z0-9_]+)`", cells[0]), cells) for cells in table]
    return {name[1]: cells for name, cells in named if name}


def fenced(page: Path, *kinds: str) -> Iterator[str]:
    """The fenced blocks of a page in one of these languages."""
    for kind, body in re.findall(
        r"^ *```(\w*)\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        if kind in kinds:
            yield body


def command_lines(page: Path) -> list[list[str]]:
    """Every command in a page's blocks that starts ./run or ./check, taken apart, without what is set before it."""
    found = []
    for block in fenced(page, "sh", "console"):
        for line in block.splitlines():
            words = shlex.split(line.strip().removeprefix("$ "), comments=True, posix=True) if "./" in line else []
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words and words[0] in {"./run", "./check"}:
                found.append(words)
    return found


def commands(group: object = None, before: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """Every command of `papers`, sub-commands too, and the options of each."""
    found: dict[tuple[str, ...], set[str]] = {}
    here = get_group(papers) if group is None else group
    for name, command in getattr(here, "commands", {}).items():
        path = (*before, name)
        found[path] = {"-h", "--help"} | {option for known in command.params for option in known.opts}
        found |= commands(command, path)
    return found


def tracked() -> list[Path]:
    """The files of the repository, as git knows them or will."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no git repository")
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str | None:
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8")


def test_env_example_names_every_setting_and_nothing_else() -> None:
    assert example().keys() == NAMES


def test_settings_page_names_every_setting_and_nothing_else() -> None:
    assert rows(SETTINGS_PAGE).keys() == NAMES


def test_settings_have_one_table() -> None:
    assert [page.name for page in PAGES if rows(page)] == [SETTINGS_PAGE.name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_settings_that_exist(page: Path) -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", page.read_text(encoding="utf-8")))
    assert named <= NAMES | OTHER_VARIABLES


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_the_index_of_the_docs_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in ROOT.glob("docs/*.md") if f"]({page.name})" not in index] == ["README.md"]


def test_the_glossary_is_short_and_names_what_exists() -> None:
    glossary = DESIGN.read_text(encoding="utf-8").split("\n## Words\n")[1].split("\n## ")[0]
    places = re.findall(r"\| `([\w.]+)` \|$", glossary, re.MULTILINE)
    assert 15 < len(places) <= 25
    assert [place for place in places if not _exists(place)] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__module__))
def test_env_example_shows_the_real_defaults(model: type[BaseModel]) -> None:
    shown = {name: value for name, value in example().items() if value}
    assert shown.keys() & set(settings.names(model)), "none of its settings has a default to show"
    assert _plain(settings.read(model, shown)) == _plain(settings.read(model, {}))


def test_settings_page_shows_the_defaults_of_env_example() -> None:
    shown = {name: cells[1].strip("`") for name, cells in rows(SETTINGS_PAGE).items()}
    assert shown == {name: value for name, value in example().items() if name in shown}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_settings_page_says_what_a_wrong_value_says(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read(Settings, {name: WRONG[name]})
    assert rows(SETTINGS_PAGE)[name][3] == str(error.value)


@pytest.mark.parametrize("name", sorted(WRONG_ON_THE_WEB))
def test_settings_page_says_what_a_wrong_value_of_the_web_side_says(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read(WebSettings, {name: WRONG_ON_THE_WEB[name]})
    assert rows(SETTINGS_PAGE)[name][3] == str(error.value)


@pytest.mark.parametrize("name", sorted(WRONG_OF_SPEECH))
def test_settings_page_says_what_a_wrong_value_of_speech_says(name: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read(SpeechSettings, {name: WRONG_OF_SPEECH[name]})
    assert rows(SETTINGS_PAGE)[name][3] == str(error.value)


def test_every_command_is_in_the_readme_or_the_docs() -> None:
    said = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [path for path in commands() if not re.search(rf"(?:papers|\./run) {' '.join(path)}\b", said)]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_can_be_typed(page: Path) -> None:
    known = commands()
    flags = set(re.findall(r'add_argument\(\s*"(--\w+)"', (ROOT / "check").read_text(encoding="utf-8")))
    for program, *words in command_lines(page):
        if program == "./check":
            own = words[: words.index("--")] if "--" in words else words
            assert set(own) <= flags, words
        elif words:
            path = next((tuple(words[:n]) for n in (3, 2, 1) if tuple(words[:n]) in known), None)
            assert path is not None, f"no command {' '.join(words)}"
            options = {word.split("=")[0] for word in words if word.startswith("-")}
            assert options <= known[path], words


def test_the_readme_shows_both_commands() -> None:
    assert {words[0] for words in command_lines(README) if len(words) == 1} == {"./run", "./check"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose)]
    relative = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert [target for target in relative if not (page.parent / target).exists()] == []


def test_the_tree_of_the_design_names_what_exists() -> None:
    house = DESIGN.read_text(encoding="utf-8").split("\n## The house\n")[1]
    tree = re.search(r"```text\n(.*?)```", house, re.DOTALL)
    assert tree
    above: list[str] = []
    named = []
    for line in filter(str.strip, tree[1].splitlines()):
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.split(r"\s{2,}", line.strip())[0].split(" · ")
        above = [*above[:depth], names[0]]
        named += ["".join([*above[:depth], name]) for name in names]
    assert len(named) > 40
    wrong = [name for name in named if not ((ROOT / name).is_dir() if name.endswith("/") else (ROOT / name).is_file())]
    assert wrong == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(r"(?<![\w.)}\\])/(?:work|root|tmp|home/\w+|Users/\w+)(?![\w-])")
    assert _containing(place) == []


def test_no_file_names_a_package_registry() -> None:
    registries = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("golang", "org")]
    registry = re.compile("|".join(rf"\b{name}\.{end}\b" for name, end in registries), re.IGNORECASE)
    assert _containing(registry) == []


def test_pictures_are_small() -> None:
    pictures = [path for path in tracked() if path.suffix in {".png", ".jpg", ".gif", ".webp"}]
    assert [path.name for path in pictures if path.stat().st_size > 300_000] == []


def _exists(place: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    module, _, name = place.rpartition(".")
    try:
        return hasattr(import_module(module), name) or find_spec(place) is not None
    except ModuleNotFoundError:
        return False


def _containing(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        hits = pattern.findall(text_of(path) or "")
        found += [f"{path.relative_to(ROOT)}: {hit}" for hit in hits]
    return found


def _plain(read: BaseModel) -> Mapping[str, object]:
    values = {name: getattr(read, name) for name in type(read).model_fields}
    return {
        name: value.get_secret_value()
        if isinstance(value, SecretStr)
        else os.fspath(value)
        if isinstance(value, Path)
        else value
        for name, value in values.items()
    }
