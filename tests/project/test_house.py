"""Rules of the code base: one home for each library, unique file names, short files and functions, one clock."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.room_diagram import BLOCK, DESIGN, arrows, diagram, layers

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(file for folder in ("bot", "channels") for file in (ROOT / folder).rglob("*.py"))
LONGEST = 350
"""Lines of a file, at most."""

SHARED_NAMES = {"settings", "channel", "message", "errors", "doctor", "__init__", "__main__"}
"""File names that several folders may have; every other name stands once in `bot` and `channels`."""

LONGEST_FUNCTION = 60
"""Lines of a function, at most; migrations list tables and may be long."""

MOST_FIELDS = 12
MORE_FIELDS = {
    "bot.model.Paper": 18,  # a row of the feed and of the table `papers`, each field a column
}
"""Dataclasses with more than `MOST_FIELDS` fields, and their fields."""

HOMES = {
    "PIL": (
        "bot.summaries.fulltext.figures",
        "bot.media.painting",
        "bot.media.speech.artwork",
        "bot.media.typesetting",
    ),
    "aiohttp": (
        "bot.runtime.http",
        "bot.web",
        "bot.media.speech.speech_endpoint",
        "bot.media.speech.edge_voices",  # the errors of edge-tts
        "channels.discord",
    ),
    "aiosmtplib": ("channels.email.pool",),
    "aiosqlite": ("bot.store",),
    "alembic": ("bot.store",),
    "babel": ("bot.render",),
    "css_inline": ("channels.email.message",),
    "dkim": ("channels.email.dkim_signature",),
    "dns": ("channels.email.dns_records",),
    "edge_tts": ("bot.media.speech.edge_voices",),
    "lameenc": ("bot.media.speech.wave_sound",),
    "dotenv": ("bot.settings",),
    "email_validator": ("channels.email.address",),
    "feedparser": ("bot.publishing.feed.rss",),
    "filelock": ("bot.runtime.locks.file_locks",),
    "itsdangerous": ("bot.signing",),
    "jinja2": ("bot.render.templates",),
    "markupsafe": ("bot.render.templates",),  # jinja2's own
    "openai": ("bot.summaries.llm",),
    "prometheus_client": ("bot.web.metrics",),
    "psycopg": ("bot.store.pipelined_turns",),
    "pydantic": (
        "bot.settings",
        "bot.web.settings",
        "bot.media.speech.settings",
        "bot.channel_loader",
        "bot.doctor.settings_checks",
        "channels",
    ),
    "pypdf": ("bot.summaries.fulltext.paper_pdf",),
    "rich": ("bot.cli.console", "channels.outbox"),
    "discord": ("channels.discord",),
    "httpx": ("channels.telegram.errors", "channels.telegram.bot_client"),  # python-telegram-bot's own
    "sqlalchemy": ("bot.store", "bot.runtime.locks"),
    "structlog": ("bot.runtime.logs",),
    "telegram": ("channels.telegram",),
    "typer": ("bot.cli", "channels.email.commands"),
    "yarl": ("channels.discord",),  # aiohttp's own
    "tzfpy": ("bot.render.timezones",),
    "uvloop": ("bot.cli.startup",),
}
"""Where each library may be imported; a package stands for everything in it. What is not named has no home yet."""

TYPES = {
    ("bot.publishing.publisher", "sqlalchemy.ext.asyncio"),
    ("bot.delivery.answers", "sqlalchemy.ext.asyncio"),
    ("bot.delivery.dispatcher", "sqlalchemy.ext.asyncio"),
    ("bot.delivery.subscriber_changes", "sqlalchemy.ext.asyncio"),
    ("bot.delivery.rendering", "sqlalchemy.ext.asyncio"),
    ("bot.commands.reader_commands", "sqlalchemy.ext.asyncio"),
    ("bot.commands.process_feedback", "sqlalchemy.ext.asyncio"),
    ("bot.commands.subscription", "sqlalchemy.ext.asyncio"),
}
"""The connection that is handed on to the store's functions, and nothing is asked of."""

CLOCKS = {
    "bot.runtime.supervisor",
    "bot.doctor",
    "bot.store.database",
    "bot.runtime.locks.lock",
    "channels.email.channel",
    "channels.email.intake",
    "channels.telegram.polling",
}
"""Who may look at the clock: endless loops, listeners, the doctor; names of copies, notes of holders; for a server
without one; the date on a mail, and when one came back."""


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Every module that a file imports, wherever in it, and the names taken from it."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, frozenset()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, frozenset(alias.name for alias in node.names)


def at_home(module: str, imported: str, names: frozenset[str]) -> bool:
    library = imported.partition(".")[0]
    if library in sys.stdlib_module_names | {"bot", "channels"}:
        return True
    if (module, imported) in TYPES:
        return names == {"AsyncConnection"}
    return any(module == home or module.startswith(f"{home}.") for home in HOMES.get(library, ()))


def test_each_library_is_imported_at_its_home_alone() -> None:
    strangers = [
        (name_of(file), imported)
        for file in MODULES
        for imported, names in imports(file)
        if not at_home(name_of(file), imported, names)
    ]
    assert strangers == []


def test_a_file_is_short_enough_to_be_read() -> None:
    lines = {name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}
    assert {name: n for name, n in lines.items() if n > LONGEST} == {}


def test_time_is_an_argument() -> None:
    calls = [
        f"{ast.unparse(node.func)}() in {name_of(file)}, line {node.lineno}"
        for file in MODULES
        if name_of(file) not in CLOCKS
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today", "time"}
        and ast.unparse(node.func).endswith(("datetime.now", "datetime.utcnow", "date.today", "time.time"))
    ]
    assert calls == []


def definitions(file: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every function and class of a file with its full name: `bot.web.server.Web.__init__`."""
    waiting: list[tuple[str, ast.AST]] = [(name_of(file), parsed(file))]
    while waiting:
        name, node = waiting.pop()
        for inner in ast.iter_child_nodes(node):
            named = isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            inner_name = f"{name}.{getattr(inner, 'name', '')}" if named else name
            waiting.append((inner_name, inner))
            if named:
                yield inner_name, inner


def raised_by(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The errors that a function raises itself; those of functions within it are theirs."""
    found: set[str] = set()
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise) and node.exc is not None:
            found.add(ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return {name for name in found if name.endswith("Error")}


def test_public_functions_say_what_they_raise() -> None:
    """One without a docstring fills a port, whose docstring says it; the docstring of a command is its help."""
    silent = [
        f"{name}: {errors}"
        for file in MODULES
        if not name_of(file).startswith("bot.cli")
        for name, node in definitions(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not re.search(r"\._(?!_init__$)", name)
        if (says := ast.get_docstring(node)) and "aise" not in says and "See `" not in says
        if (errors := raised_by(node))
    ]
    assert silent == []


def test_a_file_name_stands_once() -> None:
    files: dict[str, list[str]] = {}
    for file in MODULES:
        files.setdefault(file.stem, []).append(str(file.relative_to(ROOT)))
    assert {stem: paths for stem, paths in files.items() if len(paths) > 1 and stem not in SHARED_NAMES} == {}


def test_functions_are_short() -> None:
    lines = {
        name: node.end_lineno - node.lineno + 1
        for file in MODULES
        if "migrations" not in file.parts
        for name, node in definitions(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    }
    assert {name: n for name, n in lines.items() if n > LONGEST_FUNCTION} == {}


def test_dataclasses_have_few_fields() -> None:
    fields = {
        name: sum(isinstance(each, ast.AnnAssign) and "ClassVar" not in ast.unparse(each) for each in node.body)
        for file in MODULES
        for name, node in definitions(file)
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list)
    }
    assert {name: n for name, n in fields.items() if n > MORE_FIELDS.get(name, MOST_FIELDS)} == {}


def test_imports_run_downwards_through_the_layers() -> None:
    height = {room: at for at, layer in enumerate(reversed(layers())) for room in layer}
    rooms = {room: below for room, below in arrows().items() if room in height}
    assert rooms.keys() == height.keys()
    upwards = [(room, each) for room, below in rooms.items() for each in below if height[each] >= height[room]]
    assert upwards == []
    assert 15 <= len(arrows()) <= 25


def test_the_design_shows_the_rooms_as_the_code_imports_them() -> None:
    """`python -m tests.support.room_diagram --write` brings the diagram up to date."""
    (shown,) = BLOCK.findall(DESIGN.read_text(encoding="utf-8"))
    assert shown == diagram()


def fresh(code: str, folder: Path) -> str:
    """What a new process prints, started elsewhere with the checkout on its path."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_names_that_others_also_use_are_whose_they_should_be(tmp_path: Path) -> None:
    """`channels` is also a distribution's elsewhere; `email` is the standard library's, whatever ours is named."""
    code = (
        "import channels.outbox, email.message as e, bot as b, channels as c; "
        "print(c.__file__, b.__file__, e.__file__, sep='\\n')"
    )
    ours, core, theirs = (Path(path) for path in fresh(code, tmp_path).splitlines())
    assert ours.parent == ROOT / "channels"
    assert core.parent == ROOT / "bot"
    assert ROOT not in theirs.parents


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("sqlalchemy", "aiohttp", "jinja2", "babel", "feedparser", "rich", "pydantic", "structlog", "alembic")
    code = f"import sys, bot.cli; print([name for name in {heavy} if name in sys.modules])"
    assert fresh(code, tmp_path) == "[]"


def test_a_start_that_finds_its_database_imports_no_migrations(tmp_path: Path) -> None:
    code = "import sys, bot.app; print([name for name in ('alembic', 'feedparser') if name in sys.modules])"
    assert "alembic" not in fresh(code, tmp_path)
