"""A real server, a made web site at a public address, and a browser with the extension."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from tests.e2e import clips as made
from tests.e2e.browser import Extension, chromium, extension_with_consent, launch
from tests.e2e.site import Site
from tests.support.paths import EXTENSION
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

# For all modules: the setting is one for the process, so that the last to set it would decide.
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium or Chrome on the PATH"))


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up models, whose answer follows the colour of the face."""
    return tiny_repository(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("server"), "--models", str(tiny_models))
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


def is_as_installed(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("as_installed") is not None


@pytest.fixture(scope="module")
def browser(
    request: pytest.FixtureRequest,
    playwright: Playwright,
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BrowserContext]:
    """A browser with the extension, shared by the tests of a module.

    It may enter all sites; in a module marked ``as_installed`` none, as the folder has it.
    """
    folder = tmp_path_factory.mktemp("browser")
    copy = EXTENSION if is_as_installed(request) else extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, copy) as context:
        yield context


@pytest.fixture(scope="module")
def extension(request: pytest.FixtureRequest, browser: BrowserContext, server: Server) -> Extension:
    """The extension, paired with the server and turned on everywhere; neither ``as_installed``."""
    found = Extension(browser)
    if not is_as_installed(request):
        found.everywhere(server.url, TOKEN)
    return found


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    fresh = browser.new_page()
    yield fresh
    fresh.close()
