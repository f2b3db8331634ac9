"""The compose file and the Dockerfile: valid by schema, hardened, and true to the settings."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_server.no_telemetry import FORBIDDING
from stream_server.settings import Settings
from tests.support.json_schema import valid_by
from tests.support.paths import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "stream_server.Dockerfile"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


def test_compose_file_is_valid_by_the_compose_specification(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text().replace("read_only: true", "readonly: true"))
    valid, told = valid_by("vendor.compose-spec", COMPOSE, broken)
    assert valid == [COMPOSE], told


@pytest.mark.skipif(sys.platform != "linux", reason="hadolint has a wheel for Linux alone")
def test_the_dockerfile_passes_hadolint_with_nothing_ignored(tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("hadolint")

    def examined(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tool, "--no-color", path], capture_output=True, text=True, cwd=tmp_path, check=False
        )

    assert "hadolint ignore" not in DOCKERFILE.read_text()
    ran = examined(DOCKERFILE)
    assert (ran.returncode, ran.stdout) == (0, "")
    loose = tmp_path / "Dockerfile"
    loose.write_text(DOCKERFILE.read_text().replace("python:3.11-slim-bookworm", "python"))
    assert "DL3006" in examined(loose).stdout


def test_each_profile_has_a_server_and_only_gpu_has_triton(compose: dict[str, Any]) -> None:
    profiles = {name: service["profiles"] for name, service in compose["services"].items()}
    watching = {"prometheus": ["observe"], "grafana": ["observe"]}
    assert profiles == {"server": ["cpu"], "server-gpu": ["gpu"], "triton": ["gpu"]} | watching


def test_every_service_is_hardened_and_limited(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["healthcheck"]["test"][0] == "CMD", name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= limits.keys(), name
        for volume in service["volumes"]:
            assert volume.split(":")[0] in compose["volumes"] or volume.endswith(":ro"), (
                name,
                volume,
            )


def test_no_container_reports_to_the_makers_of_onnx_runtime(compose: dict[str, Any]) -> None:
    assert compose["services"]["triton"]["environment"]["ORT_DISABLE_TELEMETRY"] == "1"
    assert "ORT_DISABLE_TELEMETRY=1" in DOCKERFILE.read_text()


def test_triton_is_published_nowhere(compose: dict[str, Any]) -> None:
    triton = compose["services"]["triton"]
    assert "ports" not in triton
    assert "network_mode" not in triton
    assert triton["networks"] == ["engine"]
    assert compose["networks"]["engine"] == {"internal": True}
    assert compose["services"]["server"]["networks"] == ["front"]
    assert "--model-control-mode=none" in triton["command"]
    assert "--http-address=127.0.0.1" in triton["command"]


def test_triton_is_the_release_for_a_v100(compose: dict[str, Any]) -> None:
    triton = compose["services"]["triton"]
    assert triton["image"] == "nvcr.io/nvidia/tritonserver:24.10-py3"
    (device,) = triton["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_servers_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    for name in ("server", "server-gpu"):
        assert compose["services"][name]["ports"] == ["127.0.0.1:8765:8765"]


def test_both_engines_see_the_same_models(compose: dict[str, Any]) -> None:
    services = compose["services"]
    mounts = {
        name: [v for v in services[name]["volumes"] if ":/models:" in v]
        for name in ("server", "server-gpu", "triton")
    }
    assert len({tuple(mount) for mount in mounts.values()}) == 1
    assert services["server-gpu"]["environment"]["FAKELIGHT_MODELS"] == "/models"
    assert "--model-repository=/models" in services["triton"]["command"]


def test_settings_named_are_settings_there_are(compose: dict[str, Any]) -> None:
    known = {f"FAKELIGHT_{name.upper()}" for name in Settings.model_fields}
    for service in compose["services"].values():
        ours = {name for name in service.get("environment", {}) if not name.startswith("GF_")}
        assert ours <= known | FORBIDDING.keys()
    used = set(re.findall(r"FAKELIGHT_\w+(?==)", DOCKERFILE.read_text()))
    assert used
    assert used <= known


def test_gpu_server_asks_the_triton_of_its_network(compose: dict[str, Any]) -> None:
    environment = compose["services"]["server-gpu"]["environment"]
    assert environment["FAKELIGHT_ENGINE"] == "triton"
    assert environment["FAKELIGHT_TRITON_URL"] == "triton:8001"
    assert "triton" in compose["services"]["server-gpu"]["depends_on"]


def test_image_runs_as_the_compose_files_user_from_a_pinned_base(compose: dict[str, Any]) -> None:
    text = DOCKERFILE.read_text()
    last_stage = text[text.rindex("\nFROM ") :]
    (user,) = re.findall(r"^USER (\S+)$", last_stage, re.M)
    assert user == compose["services"]["server"]["user"]
    bases = set(re.findall(r"^FROM (\S+)", text, re.M))
    assert bases == {"python:3.11-slim-bookworm"}


def test_everything_the_image_copies_is_there_and_not_ignored() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), re.M)
        for source in line.split()[:-1]
    ]
    assert len(copied) >= 6
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignore, source


def test_image_has_what_the_settings_of_an_installation_need() -> None:
    """``FAKELIGHT_DATABASE`` of a PostgreSQL and ``FAKELIGHT_TRACES_URL`` each take an extra."""
    text = DOCKERFILE.read_text()
    assert 'pip install --no-cache-dir --no-compile ".[${EXTRAS}]"' in text
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", text, re.M)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {"postgres", "traces"} <= set(extras.split(","))
    assert set(extras.split(",")) <= declared["project"]["optional-dependencies"].keys()


def test_caddy_asks_for_health_by_a_name_that_every_server_answers_to() -> None:
    """By an address on another machine it would be refused, and every server count as away."""
    caddy = (ROOT / "deploy" / "proxy" / "Caddyfile").read_text()
    (host,) = re.findall(r"health_headers \{\s+Host (\S+)\s+\}", caddy)
    assert host == "localhost"
