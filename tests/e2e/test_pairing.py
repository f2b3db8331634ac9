"""Pairing in the options page of the extension as it is installed, with no permission granted."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Extension, wait_for
from tests.support.server import TOKEN, Server, free_port, start_server

pytestmark = pytest.mark.as_installed
SLOW = 60_000  # milliseconds, on a machine with other work


@pytest.fixture
def options(extension: Extension, page: Page, server: Server) -> Page:
    extension.store({"server": server.url, "token": ""})
    page.goto(extension.address("options/options.html"))
    return page


def digits(server: Server, already: int) -> str:
    """The newest six digits on the server's terminal."""

    def look() -> str | None:
        shown = re.findall(r"type\s+(\d{3}) (\d{3})", server.output)
        return "".join(shown[-1]) if len(shown) > already else None

    return wait_for("six digits at the server", look)


def shown_so_far(server: Server) -> int:
    return len(re.findall(r"type\s+\d{3} \d{3}", server.output))


def start(options: Page, server: Server) -> str:
    before = shown_so_far(server)
    options.click("#pair-start")
    return digits(server, before)


TYPE_AND_ENTER = """(field, digits) => {
    field.value = digits;
    field.dispatchEvent(new InputEvent("input"));
    field.form.requestSubmit();
}"""


def other_digits(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def enter(options: Page, code: str) -> None:
    options.fill("#code", code)
    options.click("#pair-form button")


def test_six_digits_typed_once_pair_the_browser(
    options: Page, extension: Extension, server: Server
) -> None:
    expect(options.locator("#pair-state")).to_contain_text("not paired")
    code = start(options, server)
    expect(options.locator("#code")).to_be_focused()
    enter(options, code)
    expect(options.locator("#pair-note")).to_contain_text("Paired.")
    expect(options.locator("#pair-state")).to_contain_text("Connected")
    token = extension.stored()["token"]
    assert len(token) >= 20
    # Bound to this extension: no other client gets in with it.
    answer = options.request.get(
        f"{server.url}/v1/info", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 401


def test_wrong_digits_are_said_in_words_and_five_are_enough(options: Page, server: Server) -> None:
    code = start(options, server)
    for left in (4, 3, 2, 1):
        options.fill("#code", other_digits(code))
        # Enter twice is one try.
        options.locator("#pair-form").evaluate(
            "one => { one.requestSubmit(); one.requestSubmit(); }"
        )
        expect(options.locator("#pair-note")).to_contain_text(re.compile(rf"\b{left}\b"))
        expect(options.locator("#pair-form")).to_be_visible()
    enter(options, other_digits(code))
    expect(options.locator("#pair-note")).to_contain_text("no longer hold")
    expect(options.locator("#pair-form")).to_be_hidden()
    expect(options.locator("#pair-start")).to_be_visible()


def test_right_digits_after_a_wrong_try_still_pair(options: Page, server: Server) -> None:
    code = start(options, server)
    enter(options, other_digits(code))
    expect(options.locator("#pair-note")).to_contain_text("not the digits")
    enter(options, code)
    expect(options.locator("#pair-state")).to_contain_text("Connected")


def test_unpairing_forgets_the_token(options: Page, extension: Extension, server: Server) -> None:
    enter(options, start(options, server))
    expect(options.locator("#unpair")).to_be_visible()
    token = extension.stored()["token"]
    assert opens(server, extension, token)
    options.click("#unpair")
    expect(options.locator("#pair-note")).to_contain_text("forgotten")
    expect(options.locator("#pair-state")).to_contain_text("not paired")
    assert extension.stored()["token"] == ""
    wait_for("the server to forget the token", lambda: not opens(server, extension, token))


def opens(server: Server, extension: Extension, token: str) -> bool:
    """Whether ``token`` still opens the server for the extension."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Origin": f"chrome-extension://{extension.id}",
    }
    request = urllib.request.Request(f"{server.url}/v1/info", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as refusal:
        assert refusal.code == 401
        return False


def test_token_that_the_server_does_not_know(options: Page, extension: Extension) -> None:
    extension.store({"token": "somebody-elses-token"})
    options.reload()
    expect(options.locator("#pair-state")).to_contain_text("no longer accepts")
    expect(options.locator("#pair-start")).to_be_visible()


def test_no_server_is_said_in_words(options: Page, extension: Extension) -> None:
    extension.store({"server": f"http://127.0.0.1:{free_port()}"})
    options.reload()
    expect(options.locator("#pair-state")).to_contain_text("No answer from http://127.0.0.1:")
    options.click("#pair-start")
    expect(options.locator("#pair-note")).to_contain_text("Is the server running?")


def test_server_that_is_lost_while_pairing(
    options: Page, extension: Extension, tmp_path: Path, tiny_models: Path
) -> None:
    doomed = start_server(tmp_path, "--models", str(tiny_models))
    try:
        extension.store({"server": doomed.url})
        options.reload()
        code = start(options, doomed)
    finally:
        doomed.stop()
    enter(options, code)
    expect(options.locator("#pair-note")).to_contain_text("No answer from")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("http://example.org:8765", "https://"),
        ("ftp://127.0.0.1", "not an address"),
        ("http://user:secret@127.0.0.1:8765", "not an address"),
        ("not an address", "not an address"),
    ],
)
def test_server_addresses_that_cannot_be_used(
    options: Page, extension: Extension, server: Server, typed: str, said: str
) -> None:
    options.fill("#server", typed)
    options.click("#server-form button")
    expect(options.locator("#server-note")).to_contain_text(said)
    assert extension.stored()["server"] == server.url


def test_token_is_never_sent_to_another_server(
    options: Page, extension: Extension, server: Server
) -> None:
    extension.store({"token": "belongs-to-the-first-server"})
    options.fill("#server", f"http://127.0.0.1:{free_port()}")
    options.click("#server-form button")
    expect(options.locator("#server-note")).to_contain_text("Saved")
    assert extension.stored()["token"] == ""
    assert server.url not in extension.stored()["server"]


def test_who_goes_to_another_server_is_not_brought_back_by_a_click_at_the_first(
    options: Page, extension: Extension, server: Server
) -> None:
    start(options, server)
    other = f"http://127.0.0.1:{free_port()}"
    options.fill("#server", other)
    options.click("#server-form button")
    expect(options.locator("#server-note")).to_contain_text("Saved")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as page:
        for asked in page.get("/v1/pairings/asked").json():
            page.patch(f"/v1/pairings/asked/{asked['id']}", json={"allowed": True})
    options.wait_for_timeout(3000)
    stored = extension.stored()
    assert (stored["server"], stored["token"]) == (other, "")


def test_content_scripts_cannot_read_the_token(extension: Extension) -> None:
    level = extension.worker.evaluate(
        "chrome.storage.local.setAccessLevel ? 'guarded' : 'no such guard'"
    )
    assert level == "guarded"


def test_the_first_steps_take_wrong_digits_and_a_lost_server(
    extension: Extension, page: Page, server: Server, tmp_path: Path, tiny_models: Path
) -> None:
    doomed = start_server(tmp_path, "--models", str(tiny_models))
    try:
        extension.store({"server": doomed.url, "token": ""})
        page.goto(extension.address("welcome/welcome.html"))
        code = digits(doomed, 0)
        expect(page.locator("#digits-words")).to_contain_text("2 minutes", timeout=SLOW)
        for left in (4, 3, 2, 1):
            # The sixth digit and Enter right after it are one try.
            page.locator("#code").evaluate(TYPE_AND_ENTER, other_digits(code))
            told = re.compile(rf"\b{left}\b")
            expect(page.locator("#pair-note")).to_contain_text(told, timeout=SLOW)
        page.fill("#code", other_digits(code))
        # Nobody has to ask for the next ones.
        expect(page.locator("#pair-note")).to_contain_text("shows new ones now", timeout=SLOW)
        assert digits(doomed, 1) != ""
    finally:
        doomed.stop()
    expect(page.locator("#look")).to_be_visible(timeout=SLOW)
    expect(page.locator("#look-state")).to_contain_text("goes on by itself", timeout=SLOW)
    extension.store({"server": server.url})
    expect(page.locator("#pair")).to_be_visible(timeout=SLOW)
    # A program that came with a key of its own needs none of this.
    extension.store({"token": TOKEN})
    page.reload()
    expect(page.locator("#sample-words")).to_contain_text("from 0:09 to 0:18", timeout=SLOW)


def test_who_asks_later_does_not_take_the_place_of_who_is_shown(
    page: Page, tmp_path: Path, tiny_models: Path
) -> None:
    own = start_server(tmp_path, "--models", str(tiny_models))

    def ask(origin: str) -> None:
        headers = {"Origin": f"chrome-extension://{origin}"}
        request = urllib.request.Request(f"{own.url}/v1/pairings", b"{}", headers)
        urllib.request.urlopen(request, timeout=SLOW / 1000).close()

    try:
        first, second = "a" * 32, "b" * 32
        ask(first)
        page.goto(f"{own.url}/#token={TOKEN}")
        shown = page.locator("#asked-origin")
        expect(shown).to_contain_text(first, timeout=SLOW)
        ask(second)
        for _ in range(2):
            with page.expect_response("**/v1/pairings/asked", timeout=SLOW):
                pass
        expect(shown).to_contain_text(first)
        page.click("#put-off")
        expect(shown).to_contain_text(second, timeout=SLOW)
        page.click("#put-off")
        expect(page.locator("#asked")).to_be_hidden(timeout=SLOW)
    finally:
        own.stop()
