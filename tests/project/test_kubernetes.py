"""The manifests for Kubernetes are valid, name what exists, and shut the program in; so is the compose file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.project.test_docs import NAMES, commands

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "kubernetes"
FILES = sorted(FOLDER.rglob("*.yaml"))
OTHERS = {"kustomize.config.k8s.io", "keda.sh"}
"""API groups that are no part of Kubernetes itself."""
COMPOSE = yaml.safe_load((ROOT / "compose.machines.yaml").read_text(encoding="utf-8"))


def objects(file: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every template of a pod, by the name of what makes it."""
    for file in FILES:
        for each in objects(file):
            if each["kind"] in {"Deployment", "Job"}:
                yield each["metadata"]["name"], each["spec"]["template"]["spec"]


PODS = dict(pods())
OURS = {name: pod["containers"][0] for name, pod in PODS.items() if pod["containers"][0]["image"] == "morning-papers"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_every_object_is_valid(file: Path) -> None:
    for each in objects(file):
        if each["apiVersion"].partition("/")[0] not in OTHERS:
            kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("file", [file for file in FILES if file.name == "kustomization.yaml"], ids=str)
def test_a_kustomization_names_what_is_there(file: Path) -> None:
    [found] = objects(file)
    for name in found["resources"]:
        assert (file.parent / name).exists(), name
    beside = {each.name for each in file.parent.glob("*.yaml")} - {file.name}
    assert beside <= set(found["resources"])


def test_what_the_program_is_told_is_understood() -> None:
    assert OURS.keys() == {"migrate", "poll", "listen", "deliver", "web"}
    for container in OURS.values():
        calls = [container["args"]]
        if "lifecycle" in container:
            calls.append(container["lifecycle"]["preStop"]["exec"]["command"][1:])
        for words in calls:
            assert {word for word in words if word.startswith("-")} <= commands()[(words[0],)]
        assert {each["name"] for each in container.get("env", ())} <= set(NAMES)
    [settings] = objects(FOLDER / "base" / "settings.yaml")
    assert set(settings["data"]) <= {*NAMES, "PAPERS_HOME"}
    for file in FOLDER.rglob("kustomization.yaml"):
        for generated in objects(file)[0].get("configMapGenerator", ()):
            assert {each.partition("=")[0] for each in generated["literals"]} <= set(NAMES)


def test_a_pod_gets_the_time_to_drain() -> None:
    drain = OURS["deliver"]["lifecycle"]["preStop"]["exec"]["command"]
    assert int(drain[-1]) + 10 <= PODS["deliver"]["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_shut_in(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        within = container["securityContext"]
        assert within["readOnlyRootFilesystem"] is True
        assert within["allowPrivilegeEscalation"] is False
        assert within["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_probes_and_selectors_meet_what_they_are_for() -> None:
    for name in OURS.keys() - {"migrate"}:
        ports = {each["name"] for each in OURS[name]["ports"]}
        probes = [value for key, value in OURS[name].items() if key.endswith("Probe")]
        assert probes
        assert all(each["httpGet"]["port"] in ports for each in probes)
    components = set(PODS)
    for file in FILES:
        for each in objects(file):
            if each["kind"] == "PodDisruptionBudget":
                assert each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] in components


def test_the_compose_file_has_two_senders_and_a_pooler_between() -> None:
    services = COMPOSE["services"]
    assert services["deliver"]["deploy"]["replicas"] == 2
    assert "pool_mode = transaction" in COMPOSE["configs"]["pooler"]["content"]
    for name, each in services.items():
        if each.get("image") == "morning-papers":
            words = each["command"]
            assert {word for word in words if word.startswith("-")} <= commands()[(words[0],)], name
            assert set(each["environment"]) <= set(NAMES)
            assert (each["read_only"], each["cap_drop"]) == (True, ["ALL"])
        for secret in each.get("secrets", ()):
            assert secret in COMPOSE["secrets"]


def test_pictures_are_drawn_into_a_volume_that_all_machines_have() -> None:
    [settings] = objects(FOLDER / "base" / "settings.yaml")
    [claim] = objects(FOLDER / "base" / "media.yaml")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for name in OURS.keys() - {"migrate"}:
        [mount] = [each for each in OURS[name]["volumeMounts"] if each["mountPath"] == settings["data"]["MEDIA_DIR"]]
        assert mount.get("readOnly", False) is (name != "poll")
        [volume] = [each for each in PODS[name]["volumes"] if each["name"] == mount["name"]]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    for name, each in COMPOSE["services"].items():
        if each.get("image") == "morning-papers":
            assert each["volumes"] == ["media:/media" if name == "poll" else "media:/media:ro"]
            assert each["environment"]["MEDIA_DIR"] == "/media"
    assert "media" in COMPOSE["volumes"]
    assert "/media" in (ROOT / "Dockerfile").read_text(encoding="utf-8")  # a new volume takes its owner from there


def test_operators_are_told_what_processes_share_and_what_they_do_not() -> None:
    page = (ROOT / "docs" / "many-machines.md").read_text(encoding="utf-8")
    assert "`MEDIA_DIR`" in page
    for text in [page, *(file.read_text(encoding="utf-8") for file in FILES)]:
        assert "EMAIL_RATE` is each" not in text
        assert "EMAIL_RATE is each" not in text
