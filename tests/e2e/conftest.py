"""A real server, a made web site at a public address, and a browser with the extension."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from tests.e2e import clips as made
from tests.e2e.browser import Extension, chromium, extension_with_consent, launch
from tests.e2e.site import Site
from tests.support.paths import ROOT
from tests.support.tiny_repository import tiny_repository

TOKEN = "e2e-token-0123456789abcdef"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium or Chrome on the PATH"))


@dataclass
class Server:
    """A running `fakelight serve`."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    command: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_server(folder: Path, models: Path | None, port: int | None = None) -> Server:
    """Start the server as a person does and wait until a real inference went through."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [sys.executable, "-m", "stream_server.cli", "serve", "--port", str(port)]
    if models is not None:
        command += ["--models", str(models)]
    environment = {
        **os.environ,
        "FAKELIGHT_TOKEN": TOKEN,
        "FAKELIGHT_STATE_DIR": str(folder / "state"),
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    server = Server(process, port, log, command)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{server.said}")
        try:
            with urllib.request.urlopen(f"{server.address}/readyz", timeout=5):
                return server
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    server.stop()
    raise AssertionError(f"the server was not ready within 60 s:\n{server.said}")


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up models, whose answer follows the colour of the face."""
    return tiny_repository(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("server"), tiny_models)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Callable[[str, str], str]:
    """``clip("walking", "mp4")`` makes that clip once and returns its path on the site."""

    def make(scene: str, kind: str) -> str:
        suffix = "webm" if kind == "webm" else "mp4"
        path = clip_folder / f"{scene}-{kind}.{suffix}"
        if not path.exists():
            made.MAKERS[kind](path, getattr(made, scene)())
        return f"/{path.name}"

    return make


@pytest.fixture(scope="session")
def site(clip_folder: Path) -> Iterator[Site]:
    running = Site(clip_folder)
    yield running
    running.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser with the extension, all sites granted; shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("browser")
    copy = extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, copy) as context:
        yield context


@pytest.fixture(scope="module")
def extension(browser: BrowserContext, server: Server) -> Extension:
    """The extension, paired with the server and turned on everywhere."""
    found = Extension(browser)
    found.everywhere(server.address, TOKEN)
    return found


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    fresh = browser.new_page()
    yield fresh
    fresh.close()
