"""Image, compose file, systemd unit and wheel fit together and match the docs."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from bot.cli.startup import RUNNING, WRONG
from bot.service import PATIENCE
from tests.project.test_docs import NAMES, commands

ROOT = Path(__file__).resolve().parents[2]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
UNIT = ROOT / "systemd" / "morning-papers.service"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
PROGRAMS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
NEEDED = 2 * PATIENCE
"""Seconds that an orderly stop may take: for what is in flight, then for the last notices."""


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of the Dockerfile, stage by stage."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    whole = re.sub(r"\\\n", " ", "\n".join(line for line in lines if not line.startswith("#")))
    found: list[list[tuple[str, str]]] = []
    for word, rest in (line.split(maxsplit=1) for line in whole.splitlines() if line.strip()):
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def of_image(word: str) -> str:
    """The one instruction of this kind in the stage that becomes the image."""
    (rest,) = [rest for each, rest in stages()[-1] if each == word]
    return rest


def image_variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(of_image("ENV")))


def copied() -> list[str]:
    """What the image is made from."""
    found: list[str] = []
    for word, rest in (each for stage in stages() for each in stage):
        if word == "COPY" and not rest.startswith("--from="):
            found += rest.split()[:-1]
    return found


def unit() -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(UNIT.read_text(encoding="utf-8"))
    return found


def service() -> configparser.SectionProxy:
    return unit()["Service"]


def seconds(written: str) -> int:
    match = re.fullmatch(r"(\d+)(s|m|)", written)
    assert match, written
    return int(match[1]) * (60 if match[2] == "m" else 1)


def installs() -> list[list[str]]:
    """Every call of pip, in the Dockerfile and in docs/operating.md."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", OPERATING, re.MULTILINE | re.DOTALL)
    lines = [rest for stage in stages() for word, rest in stage if word == "RUN"]
    lines += [line for block in blocks for line in re.sub(r"\\\n", " ", block).splitlines()]
    calls = [shlex.split(call, comments=True) for line in lines for call in line.split("&&")]
    return [call for call in calls if any(Path(word).name == "pip" for word in call)]


def can_be_typed(words: list[str]) -> bool:
    """Whether these are a command of `papers` and options it knows."""
    known = commands()
    path = next((tuple(words[:n]) for n in (2, 1) if tuple(words[:n]) in known), ())
    return bool(path) and {word for word in words if word.startswith("-")} <= known[path]


def test_every_stage_has_a_python_that_the_project_allows_and_the_workflow_tests() -> None:
    versions = set()
    for stage in stages():
        base = re.fullmatch(r"python:(\d\.\d+)-slim(?: AS \w+)?", stage[0][1])
        assert base, stage[0]
        versions.add(base[1])
    (version,) = versions
    assert version in SpecifierSet(PROJECT["project"]["requires-python"])
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    assert version in workflow["jobs"]["check"]["strategy"]["matrix"]["python"]


def test_nothing_is_installed_but_by_a_lock_that_exists() -> None:
    calls = installs()
    assert len(calls) >= 6
    locked = set()
    for call in calls:
        locks = [call[at + 1] for at, word in enumerate(call) if word == "-r"]
        if locks:
            assert "--require-hashes" in call, call
            locked |= set(locks)
        else:  # what is left is ourselves, and nothing comes along
            assert {"--no-index", "--no-deps"} <= set(call), call
    assert locked == {"requirements/build.lock", "requirements/run.lock"}
    assert all((ROOT / lock).is_file() for lock in locked)


def test_the_build_lock_holds_what_builds_the_wheel() -> None:
    lines = (ROOT / "requirements" / "build.lock").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.removesuffix(" \\").split("==") for line in lines if not line.startswith(" "))
    for wanted in map(Requirement, PROJECT["build-system"]["requires"]):
        assert pinned[wanted.name] in wanted.specifier


def test_only_what_the_image_is_made_from_gets_near_it() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_the_wheel_made_from_that_has_the_templates_and_the_command(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for name in copied():
        source, target = ROOT / name, context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=context, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
        (points,) = [name for name in names if name.endswith("/entry_points.txt")]
        assert "papers = bot.__main__:main" in content.read(points).decode()
    templates = [file.relative_to(context / "templates") for file in (context / "templates").rglob("*.*")]
    assert len(templates) > 5
    assert {f"bot/_templates/{file.as_posix()}" for file in templates} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"bot", "channels"}


def test_the_image_runs_as_a_user_of_a_fixed_number() -> None:
    user = re.fullmatch(r"([1-9]\d+):([1-9]\d+)", of_image("USER"))
    assert user
    run = of_image("RUN")
    assert f"groupadd --gid {user[2]} " in run
    assert f"useradd --uid {user[1]} --gid papers " in run


def test_the_image_keeps_what_it_keeps_on_its_volume() -> None:
    assert image_variables()["PAPERS_HOME"] == of_image("VOLUME") == of_image("WORKDIR")
    for program in PROGRAMS.values():
        (volume,) = program["volumes"]
        name, _, folder = volume.partition(":")
        assert name in COMPOSE["volumes"]
        assert folder == image_variables()["PAPERS_HOME"]


def test_the_image_serves_its_pages_to_this_machine_alone() -> None:
    port = image_variables()["WEB_PORT"]
    assert (image_variables()["WEB_HOST"], of_image("EXPOSE")) == ("0.0.0.0", port)
    for program in PROGRAMS.values():
        assert program["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_what_starts_from_the_run_lock_has_every_extra() -> None:
    locked = (ROOT / "requirements" / "run.lock").read_text(encoding="utf-8")
    for extra in PROJECT["project"]["optional-dependencies"].values():
        for wanted in map(Requirement, extra):
            assert f"\n{wanted.name}==" in locked


def test_the_image_sets_nothing_but_settings() -> None:
    assert image_variables().keys() - {"PATH"} <= NAMES | {"PAPERS_HOME"}


def test_the_image_starts_commands_that_there_are() -> None:
    (program,) = json.loads(of_image("ENTRYPOINT"))
    assert program in PROJECT["project"]["scripts"]
    assert can_be_typed(json.loads(of_image("CMD")))
    check = re.search(r" CMD (\[.*\])$", of_image("HEALTHCHECK"))
    assert check
    first, *words = json.loads(check[1])
    assert first == program
    assert can_be_typed(words)


def test_the_image_hears_the_signal_that_the_program_does() -> None:
    assert of_image("STOPSIGNAL") == "SIGTERM"


def test_compose_starts_one_program_unless_another_is_named() -> None:
    assert [name for name, each in COMPOSE["services"].items() if "profiles" not in each] == ["papers"]
    assert {program["container_name"] for program in PROGRAMS.values()} == {"morning-papers"}
    named = set(re.findall(r"docker compose up -d(?: --build)?(?: ([\w-]+))?$", OPERATING, re.MULTILINE)) - {""}
    assert named <= COMPOSE["services"].keys()


@pytest.mark.parametrize("name", PROGRAMS)
def test_compose_shuts_the_program_in(name: str) -> None:
    program = PROGRAMS[name]
    assert program["read_only"] is True
    assert program["tmpfs"] == ["/var/tmp"]
    assert program["cap_drop"] == ["ALL"]
    assert program["security_opt"] == ["no-new-privileges:true"]
    assert program["restart"] == "unless-stopped"
    assert seconds(program["stop_grace_period"]) >= max(10, NEEDED)


def test_memory_is_limited_to_the_same_everywhere() -> None:
    assert {each["mem_limit"] for each in COMPOSE["services"].values()} == {"1g"}
    assert service()["MemoryMax"] == "1G"
    assert "1 GB (`mem_limit`, `MemoryMax`)" in OPERATING


@pytest.mark.parametrize("name", PROGRAMS)
def test_compose_names_settings_that_exist(name: str) -> None:
    assert PROGRAMS[name].get("environment", {}).keys() <= NAMES


def test_compose_keeps_passwords_in_files() -> None:
    for each in COMPOSE["services"].values():
        variables = each.get("environment", {})
        files = {name: value for name, value in variables.items() if name.endswith("_FILE")}
        assert sorted(files.values()) == [f"/run/secrets/{secret}" for secret in sorted(each.get("secrets", []))]
        assert not [name for name in variables if "PASSWORD" in name and name not in files]
        # An address of .env must not win over the file.
        assert all(variables[name.removesuffix("_FILE")] == "" for name in files if name in NAMES)
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())


def test_compose_waits_for_what_can_tell_that_it_is_healthy() -> None:
    for each in COMPOSE["services"].values():
        for needed in each.get("depends_on", {}):
            assert "healthcheck" in COMPOSE["services"][needed]


def test_the_unit_starts_the_program_in_a_folder_of_its_own() -> None:
    program, *words = service()["ExecStart"].split()
    assert Path(program).name in PROJECT["project"]["scripts"]
    assert can_be_typed(words)
    assert service()["Type"] == "exec"
    assert service()["User"] not in ("", "root")
    assert service()["Environment"] == f"PAPERS_HOME={service()['WorkingDirectory']}"
    assert service()["WorkingDirectory"] == f"%S/{service()['StateDirectory']}"


def test_the_unit_gives_up_where_a_new_start_mends_nothing() -> None:
    assert service()["Restart"] == "on-failure"
    assert service()["RestartPreventExitStatus"].split() == [str(WRONG), str(RUNNING)]
    assert seconds(service()["TimeoutStopSec"]) >= NEEDED


def test_the_unit_shuts_the_program_in() -> None:
    wanted = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes"}
    assert wanted.items() <= dict(service()).items()
    assert service()["CapabilityBoundingSet"] == ""


def test_the_docs_install_what_the_unit_starts() -> None:
    section = OPERATING.split("\n### systemd\n")[1].split("\n### ")[0]
    folder = Path(service()["ExecStart"].split()[0]).parents[1]
    assert f"python3 -m venv {folder}" in section
    assert f"{folder}/bin/pip" in section
    assert str(UNIT.relative_to(ROOT)) in section
    assert f" {service()['User']}\n" in section
    assert f"/var/lib/{service()['StateDirectory']}/.env" in section


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """It wants to see the program as well, which is not installed here."""
    there = shutil.which("true")
    written = re.sub(r"^ExecStart=\S+", f"ExecStart={there}", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / UNIT.name).write_text(written, encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / UNIT.name)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
