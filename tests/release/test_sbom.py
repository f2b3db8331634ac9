"""The bill of materials names all that is installed, and keeps to CycloneDX's schema."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from scripts.sbom import MODELS, bill, complaint
from scripts.version import version
from tests.support.paths import ROOT
from tests.support.pythons import Archives, uv

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def environment(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that holds Fakelight and what it needs, and nothing else."""
    venv = tmp_path_factory.mktemp("sbom") / "venv"
    uv("venv", "--python", sys.executable, str(venv))
    uv("pip", "install", "--python", str(venv / "bin" / "python"), str(archives.wheel))
    return venv


@pytest.fixture(scope="module")
def text(environment: Path) -> str:
    return bill(environment / "bin" / "python", ROOT / "node_modules")


@pytest.fixture(scope="module")
def parts(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["components"]
    return found


def test_every_distribution_of_the_environment_is_named(
    environment: Path, parts: list[dict[str, Any]]
) -> None:
    (packages,) = environment.glob("lib/python3*/site-packages")
    installed = {f"{one.name}=={one.version}" for one in distributions(path=[str(packages)])}
    named = {f"{part['name']}=={part['version']}" for part in parts if "purl" in part}
    assert len(installed) > 30
    assert sorted(installed - named) == [f"fakelight=={version()}"], "which is the root"


def test_every_npm_package_that_the_checks_name_is_there_and_shipped_to_nobody(
    parts: list[dict[str, Any]],
) -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    from_npm = {
        "/".join(filter(None, (part.get("group"), part["name"]))): part
        for part in parts
        if part.get("scope") == "excluded"
    }
    assert {name: from_npm[name]["version"] for name in wanted} == wanted
    assert len(from_npm) > len(wanted)
    (carried,) = (part for part in parts if part["name"] == "uplot")
    assert "scope" not in carried and f" {carried['version']} " in (ROOT / "NOTICE").read_text()


def test_every_file_of_weights_is_there_with_its_hash(parts: list[dict[str, Any]]) -> None:
    told = {
        part["name"]: part["hashes"][0]["content"]
        for part in parts
        if part["type"] == "machine-learning-model"
    }
    for file in MODELS.rglob("*.onnx"):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert told.pop(file.relative_to(ROOT).as_posix()) == digest
    assert sorted(told) == [f"stream_server/vision/weights/{n}net.onnx" for n in "opr"]


def test_it_keeps_to_the_schema_and_is_of_this_version(text: str) -> None:
    found = json.loads(text)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    root = found["metadata"]["component"]
    assert (root["name"], root["version"]) == ("fakelight", version())
    assert complaint(text) == ""
    wrong = {**found, "components": [{"type": "libary", "name": "x"}]}
    assert "libary" in complaint(json.dumps(wrong))
