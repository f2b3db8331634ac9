"""The page ``/monitor`` in a real browser, with streams that are really watched."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect
from standardwebhooks import Webhook

from tests.e2e.browser import chromium, wait_for
from tests.e2e.monitor_site import Watching, past, rows, tile
from tests.support.receiver import answers, receiver
from tests.support.server import TOKEN

PATIENCE = 60_000
SMALL = {"width": 360, "height": 740}
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><b>"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    running = Watching(tmp_path_factory.mktemp("watching"))
    yield running
    running.stop()


@pytest.fixture
def nothing_yet(watching: Watching) -> Watching:
    """The server without monitors, incidents and webhooks."""
    watching.clear()
    return watching


@pytest.fixture(scope="module")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    running = playwright.chromium.launch(
        executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    yield running
    running.close()


@pytest.fixture
def open_page(chrome: Browser, nothing_yet: Watching) -> Iterator[Open]:
    """Opens the page by the printed link; at the end nothing may have gone wrong in it."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def opened(where: str = "", **options: Any) -> Page:
        context = chrome.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.extend([said.text] * (said.type == "error")))
        page.goto(f"{nothing_yet.server.url}/monitor#token={TOKEN}")
        expect(page.locator("#server")).to_have_text("Connected, live")
        if where:
            page.goto(f"{nothing_yet.server.url}/monitor{where}")
        return page

    yield opened
    for context in contexts:
        context.close()
    # What the server refuses, Chromium calls an error: those are looked for in the page.
    assert [trouble for trouble in troubles if "the server responded with" not in trouble] == []


def add(page: Page, url: str, name: str = "") -> None:
    page.get_by_label("Address of the stream").fill(url)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Start watching").click()


def painted(page: Page, name: str) -> bool:
    """Whether there is more than black in the picture of a tile."""
    return bool(
        tile(page, name)
        .locator("canvas[role=img]")
        .evaluate(
            """canvas => {
                if (!canvas.width) return false;
                const { data } = canvas.getContext("2d")
                    .getImageData(0, 0, canvas.width, canvas.height);
                return data.some((value, index) => index % 4 !== 3 && value > 60);
            }"""
        )
    )


def test_a_newcomer_adds_a_stream_and_an_incident_appears(
    open_page: Open, nothing_yet: Watching
) -> None:
    page = open_page()
    expect(page.get_by_text("Nothing is watched yet")).to_be_visible()
    page.get_by_label("Keep evidence").check()
    add(page, nothing_yet.address("face.mp4"), "Studio 2")
    one = tile(page, "Studio 2")
    expect(one.locator(".state")).to_have_text("Watching for face manipulation")
    expect(one.locator(".faces")).to_contain_text("likely fake")
    expect(one).to_have_attribute("data-verdict", "likely_fake")
    wait_for("a picture", lambda: painted(page, "Studio 2"), 60)
    expect(one.locator(".chart canvas")).to_be_visible()
    said = re.compile("^Probability of manipulation over the last 5 min: highest 8")
    expect(one.locator(".chart")).to_have_attribute("aria-label", said)  # it is drawn now and then
    expect(page.get_by_text("Nothing is watched yet")).to_be_hidden()
    first = rows(page).first
    expect(first).to_contain_text("Studio 2")
    expect(first.locator(".marks")).to_have_text("Going on now")
    expect(page.locator("#spoken")).to_contain_text("New incident in Studio 2: likely fake")


def test_an_incident_is_looked_at_acknowledged_and_called_wrong(
    open_page: Open, nothing_yet: Watching
) -> None:
    nothing_yet.watch("face.mp4", name="Studio 2", evidence=True)
    page = open_page()
    wait_for("the evidence", lambda: all_kept(nothing_yet), 120)
    rows(page).first.get_by_role("link").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", level=2)).to_contain_text("Likely fake, up to")
    expect(panel.locator("#detail-stream")).to_have_text("Studio 2")
    wait_for("the still", lambda: panel.locator("img").evaluate("image => image.naturalWidth"), 60)
    expect(panel.locator("video")).to_be_visible()
    yellow = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 60)"
    heat = panel.locator("#detail-pictures canvas")
    wait_for("the heat map", lambda: heat.evaluate(yellow), 60)
    expect(panel.locator("#detail-timeline canvas")).to_be_visible()
    expect(panel.locator("#detail-votes li")).to_have_count(1)
    panel.get_by_role("button", name="Acknowledged").click()
    expect(panel.get_by_role("button", name="Acknowledged")).to_have_attribute(
        "aria-pressed", "true"
    )
    panel.get_by_label("Note").fill(f"{HOSTILE} our own test")
    panel.get_by_role("button", name="Save the note").click()
    expect(panel.locator("#detail-said")).to_have_text("Note saved.")
    expect(panel.locator("#detail-by")).to_contain_text("Last marked")
    panel.get_by_role("button", name="Wrong").click()
    expect(panel.locator("#detail-said")).to_have_text("Marked wrong")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(rows(page).first.locator(".marks")).to_have_text("Marked wrong")
    assert "incident=" not in page.url
    [incident] = nothing_yet.get("/v1/incidents?state=wrong")
    assert incident["note"] == f"{HOSTILE} our own test" and incident["acknowledged"]


def all_kept(watching: Watching) -> bool:
    found = watching.get("/v1/incidents")
    return bool(found) and found[0]["evidence"] == ["clip", "heat", "still"]


def test_a_link_opens_an_incident_and_one_that_is_gone_says_so(
    open_page: Open, nothing_yet: Watching
) -> None:
    now = time.time()
    nothing_yet.put([past(1, now, members={"one": 0.9, "two": 0.4}), past(2, now)])
    page = open_page("#incident=i1")
    panel = page.get_by_role("dialog")
    expect(panel.locator("#detail-facts")).to_contain_text("after 5 s")
    expect(panel.locator("#detail-votes li").first).to_contain_text("90 %")
    expect(panel.get_by_text("No picture was kept")).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    # An answer that comes when the person has gone on to another is not shown over it.
    late: list[Route] = []
    page.route("**/v1/incidents/i1", lambda route: late.append(route))
    rows(page).nth(0).get_by_role("link").click()
    expect(page).to_have_url(re.compile("#incident=i1$"))
    rows(page).nth(1).get_by_role("link").click()
    expect(panel.locator("#detail-title")).to_be_visible()
    expect(panel.locator("#detail-votes li")).to_have_count(1)
    with page.expect_response("**/v1/incidents/i1"):
        late[0].continue_()
    page.wait_for_timeout(500)
    expect(panel.locator("#detail-votes li")).to_have_count(1)
    panel.get_by_role("button", name="Close").click()
    page.goto(f"{nothing_yet.server.url}/monitor#incident=nowhere")
    expect(page.locator("#note")).to_contain_text(
        "there is no incident 'nowhere'", ignore_case=True
    )


def test_pause_resume_and_remove_with_a_question(open_page: Open, nothing_yet: Watching) -> None:
    nothing_yet.watch("face.mp4", name="Studio 2")
    page = open_page()
    one = tile(page, "Studio 2")
    expect(rows(page).first.locator(".marks")).to_have_text("Going on now")
    one.get_by_role("button", name="Pause Studio 2").click()
    expect(one.locator(".state")).to_have_text("Paused")
    expect(rows(page).first.locator(".marks")).to_have_text("Not looked at yet")
    one.get_by_role("button", name="Resume Studio 2").click()
    expect(one.locator(".state")).to_have_text("Watching for face manipulation")
    one.get_by_role("button", name="Remove Studio 2").click()
    page.keyboard.press("Enter")  # the focus is on what changes nothing
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(one).to_be_visible()
    one.get_by_role("button", name="Remove Studio 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(one).to_have_count(0)
    assert nothing_yet.get("/v1/monitors") == []
    expect(rows(page).first).to_contain_text("Studio 2")
    expect(page.get_by_text("Nothing is watched yet")).to_be_visible()


def test_what_goes_on_is_asked_for_anew(open_page: Open, nothing_yet: Watching) -> None:
    monitor = nothing_yet.watch("empty.mp4", name="Gate")
    # Whoever begins to watch goes on with what is open, and this was too long ago for that.
    wait_for("the watch", lambda: nothing_yet.get("/v1/monitors")[0]["state"] == "watching", 60)
    one = past(1, time.time(), monitor=monitor, closed_at=None)
    nothing_yet.put([one])
    page = open_page()
    marks, peak = rows(page).first.locator(".marks"), rows(page).first.locator(".peak")
    expect(marks).to_have_text("Going on now")
    expect(peak).to_have_text(re.compile("^90"))
    nothing_yet.put([replace(one, peak=0.97, closed_at=one.suspicious_at)])  # nobody is told of it
    expect(marks).to_have_text("Not looked at yet")
    expect(peak).to_have_text(re.compile("^97"))


def test_another_page_sees_what_this_one_does(open_page: Open, nothing_yet: Watching) -> None:
    here, there = open_page(), open_page()
    add(here, nothing_yet.address("empty.mp4"), "Gate")
    expect(tile(there, "Gate").locator(".faces")).to_have_text("No face in view")
    rename = tile(here, "Gate").get_by_role("button", name="Rename Gate")
    rename.click()
    here.keyboard.press("Escape")
    expect(rename).to_be_focused()
    here.keyboard.press("Enter")
    field = here.get_by_role("dialog").get_by_label("New name")
    expect(field).to_have_value("Gate")
    field.fill(" Garden ")
    here.keyboard.press("Enter")
    expect(tile(here, "Garden")).to_be_visible()
    expect(tile(there, "Garden")).to_be_visible()
    expect(there.locator("#by-monitor option")).to_have_text(["All streams", "Garden"])
    assert [one["name"] for one in nothing_yet.get("/v1/monitors")] == ["Garden"]
    tile(here, "Garden").get_by_role("button", name="Remove").click()
    here.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(tile(there, "Garden")).to_have_count(0)


def test_the_very_next_key_after_a_dialog_counts(open_page: Open, nothing_yet: Watching) -> None:
    nothing_yet.watch("empty.mp4", name="Gate")
    nothing_yet.put([past(1, time.time())])
    page = open_page()
    panel = page.get_by_role("dialog")
    # As fast as nobody types: no other task of the page comes between the two, its events neither.
    close_and_press = """async pressed => {
        document.querySelector("dialog[open]").close();
        for (let turn = 0; turn < 50; turn++) await null;
        pressed.click();
    }"""
    for one in (
        tile(page, "Gate").get_by_role("button", name="Rename"),
        tile(page, "Gate").get_by_role("button", name="Remove"),
        rows(page).get_by_role("link"),
    ):
        one.click()
        expect(panel).to_be_visible()
        one.evaluate(close_and_press)
        expect(panel).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()


def test_what_is_pushed_is_told_where_to(open_page: Open, nothing_yet: Watching) -> None:
    page = open_page()
    add(page, "whip:", "OBS in the studio")
    [monitor] = wait_for("the monitor", lambda: nothing_yet.get("/v1/monitors"))
    address = f"{nothing_yet.server.url}/whip?monitor={monitor['id']}"
    expect(tile(page, "OBS in the studio").locator(".address")).to_have_text(f"Push to {address}")


def test_a_picture_that_stands_still_is_said_in_words(
    open_page: Open, nothing_yet: Watching
) -> None:
    nothing_yet.watch("still.mp4", name="Test card")
    page = open_page()
    one = tile(page, "Test card")
    expect(one.locator(".state")).to_have_text("Nothing to judge")
    expect(one.locator(".why")).to_contain_text("has not changed for")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://169.254.169.254/live.m3u8", "169.254.169.254"),
        ("gopher://example.org/", "'gopher' addresses are not monitored"),
    ],
)
def test_a_bad_address_is_refused_in_the_servers_words(
    open_page: Open, url: str, said: str
) -> None:
    page = open_page()
    add(page, url)
    expect(page.locator("#add-note")).to_contain_text(said, ignore_case=True)
    field = page.get_by_label("Address of the stream")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.locator("li.tile")).to_have_count(0)
    field.press_sequentially("x")
    expect(page.locator("#add-note")).to_be_empty()


def test_hostile_names_are_text(open_page: Open, nothing_yet: Watching) -> None:
    nothing_yet.watch("face.mp4", name=HOSTILE)
    page = open_page()
    expect(tile(page, HOSTILE)).to_be_visible()
    expect(rows(page).first.locator(".stream")).to_have_text(HOSTILE)
    expect(page.locator("#by-monitor option")).to_have_text(["All streams", HOSTILE])
    rows(page).first.get_by_role("link").click()
    expect(page.locator("#detail-stream")).to_have_text(HOSTILE)
    page.keyboard.press("Escape")
    tile(page, HOSTILE).get_by_role("button", name="Remove").click()
    expect(page.locator("#confirm-title")).to_contain_text(HOSTILE)
    assert page.locator("main img, dialog img").count() == 0
    assert "hacked" not in page.title()


def test_filters(open_page: Open, nothing_yet: Watching) -> None:
    now = time.time()
    nothing_yet.put([past(1, now), past(3, now), past(30, now)])
    monitor = nothing_yet.watch("empty.mp4", name="Garden")
    nothing_yet.put([past(2, now, id="mine", monitor=monitor)])
    page = open_page()
    expect(rows(page)).to_have_count(4)
    page.get_by_label("Began").select_option("In the last 24 hours")
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Stream", exact=True).select_option("Garden")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("State").select_option("Acknowledged")
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#no-incidents")).to_contain_text("Choose less narrowly")
    tile(page, "Garden").get_by_role("button", name="Incidents of Garden").click()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#incidents-title")).to_be_focused()


def test_a_thousand_incidents_come_a_page_at_a_time(open_page: Open, nothing_yet: Watching) -> None:
    now = time.time()
    nothing_yet.put([past(number, now) for number in range(1, 1001)])
    page = open_page()
    expect(rows(page)).to_have_count(50)
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    seen = page.locator("#incidents a").evaluate_all("links => links.map(one => one.hash)")
    expect(page.get_by_role("button", name="Newer")).to_have_attribute("aria-disabled", "true")
    for number in range(2, 21):
        page.get_by_role("button", name="Older").click()
        expect(page.locator("#page-of")).to_have_text(f"Page {number}")
        seen += page.locator("#incidents a").evaluate_all("links => links.map(one => one.hash)")
    assert seen == [f"#incident=i{number}" for number in range(1, 1001)]
    expect(page.get_by_role("button", name="Older")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Newer").click()
    expect(page.locator("#page-of")).to_have_text("Page 19")


def test_after_a_broken_line_the_page_catches_up(chrome: Browser, nothing_yet: Watching) -> None:
    nothing_yet.watch("empty.mp4", name="Garden")
    page = chrome.new_page()
    page.goto(f"{nothing_yet.server.url}/monitor#token={TOKEN}")
    expect(tile(page, "Garden").locator(".faces")).to_have_text("No face in view")
    nothing_yet.server.stop()
    expect(page.locator("#server")).to_have_text("No line to the server; trying again")
    nothing_yet.put([past(1, time.time())])
    nothing_yet.come_back()
    expect(page.locator("#server")).to_have_text("Connected, live")
    expect(rows(page)).to_have_count(1)
    expect(tile(page, "Garden").locator(".faces")).to_have_text("No face in view")
    page.close()


def test_webhooks_are_added_tested_and_dead_letters_sent_anew(
    open_page: Open, nothing_yet: Watching
) -> None:
    page = open_page()
    page.locator("#hooks-part summary").click()
    expect(page.get_by_text("Nobody is told yet")).to_be_visible()
    address = page.get_by_label("Address", exact=True)
    address.fill("http://10.0.0.1/hook")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#hook-note")).to_contain_text("10.0.0.1")
    with receiver(answers(204, 500, 204)) as desk:
        address.fill(desk.url)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#hook-secret-text")).to_contain_text("whsec_")
        secret = page.locator("#hook-secret-text").inner_text()
        page.get_by_role("button", name="I have kept it").click()
        expect(page.locator("#hook-secret")).to_be_hidden()
        page.get_by_role("button", name="Send a test").click()
        expect(page.locator("#hook-said")).to_contain_text("The test was delivered")
        [test] = desk.received
        Webhook(secret).verify(test.body, test.headers)
        page.get_by_role("button", name="Send a test").click()
        expect(page.locator("#hook-said")).to_contain_text(
            "Not delivered: The receiver answered 500"
        )
        [hook] = nothing_yet.get("/v1/webhooks")
        nothing_yet.give_up(hook["id"], "msg_lost")
        page.reload()
        page.locator("#hooks-part summary").click()
        assert secret not in page.content()
        expect(page.locator("#dead li")).to_contain_text("Given up after 9 tries")
        # Whoever is at a button stays there while the lists are drawn anew.
        anew = page.get_by_role("button", name="Send anew: Incident opened")
        anew.focus()
        with page.expect_response("**/v1/webhooks/deliveries?state=dead"):
            page.get_by_role("button", name="Send a test").dispatch_event("click")
        expect(page.locator("#hook-said")).to_contain_text("The test was delivered")
        expect(anew).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#dead-part")).to_be_hidden()
        assert desk.wait_for(4)[3].id == "msg_lost"
    page.get_by_role("button", name="Switch off").click()
    expect(page.locator("#hooks .health")).to_contain_text("Switched off")
    page.get_by_role("button", name="Remove JSON").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is told yet")).to_be_visible()


def test_without_the_token_the_page_asks_for_it(chrome: Browser, watching: Watching) -> None:
    page = chrome.new_page()
    page.goto(f"{watching.server.url}/monitor")
    expect(page.get_by_text("This page needs the server's key")).to_be_visible()
    expect(page.locator("#inside")).to_be_hidden()
    page.get_by_label("Key").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#server")).to_have_text("Connected, live")
    expect(page.locator("#inside")).to_be_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_both_schemes(
    open_page: Open, nothing_yet: Watching, scheme: str
) -> None:
    nothing_yet.watch("face.mp4", name="a-very-long-name-without-any-spaces-" * 3)
    page = open_page(viewport=SMALL, color_scheme=scheme)
    expect(rows(page).first).to_be_visible()
    page.locator("#hooks-part summary").click()
    expect(page.locator("#no-hooks")).to_be_visible()
    page.get_by_role("button", name="Add a stream").click()
    assert page.evaluate("document.documentElement.scrollWidth") == SMALL["width"]
    outside = """boxes => boxes.filter(one => {
        const { left, right } = one.getBoundingClientRect();
        return left < 0 || right > innerWidth;
    }).map(one => one.outerHTML.slice(0, 90))"""
    controls = page.locator("button:visible, select:visible, input:visible, li:visible")
    assert controls.evaluate_all(outside) == []
    rows(page).first.get_by_role("link").click()
    panel = page.get_by_role("dialog")
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(part) for part in ground.strip("rgb()").split(",")) > 380
    assert light == (scheme == "light")


def test_by_keyboard_alone(open_page: Open, nothing_yet: Watching) -> None:
    nothing_yet.put([past(1, time.time())])
    page = open_page()
    keys = page.keyboard

    def go_to(selector: str) -> None:
        for _ in range(60):
            if page.evaluate("s => document.activeElement?.matches(s)", selector):
                shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert shown == "solid", f"the focus on {selector} cannot be seen"
                return
            keys.press("Tab")
        raise AssertionError(f"{selector} cannot be reached with the Tab key")

    go_to("#add-url")
    keys.insert_text(nothing_yet.address("empty.mp4"))
    go_to("#add-name")
    keys.insert_text("Garden")
    keys.press("Enter")
    one = tile(page, "Garden")
    expect(one.locator(".state")).to_have_text("Watching for face manipulation")
    go_to("li.tile .pause")
    keys.press("Space")
    expect(one.locator(".state")).to_have_text("Paused")
    go_to("#incidents a")
    keys.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    go_to("#detail-acknowledge")
    keys.press("Enter")
    expect(panel.locator("#detail-said")).to_have_text("Acknowledged")
    keys.press("Escape")
    expect(panel).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('#incidents a')")
    page.evaluate("document.activeElement.blur()")
    go_to("li.tile .remove")
    keys.press("Enter")
    go_to("#confirm-yes")
    keys.press("Enter")
    expect(one).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")


def test_less_motion_and_forced_colours(open_page: Open, nothing_yet: Watching) -> None:
    nothing_yet.watch("face.mp4", name="Studio 2")
    page = open_page(reduced_motion="reduce", forced_colors="active")
    mark = rows(page).first.locator(".verdict svg")
    moving = "mark => mark.getAnimations().length"
    expect(mark).to_be_visible()
    assert mark.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
    assert mark.evaluate(moving) == 1
    # Dashed where it is unsure, as a face is now and then until the next verdict.
    expect(page.locator("li.tile")).to_have_css("border-top-style", "solid")


def test_nothing_is_asked_of_other_servers(open_page: Open, nothing_yet: Watching) -> None:
    nothing_yet.watch("empty.mp4", name="Garden")
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    wait_for("a picture", lambda: painted(page, "Garden"), 60)
    own = (nothing_yet.server.url, "blob:", "data:")
    assert asked and [url for url in asked if not url.startswith(own)] == []


def test_why_a_stream_is_not_watched_is_told_in_the_page_s_language(
    chrome: Browser, nothing_yet: Watching
) -> None:
    context = chrome.new_context(locale="de-DE")
    try:
        page = context.new_page()
        page.goto(f"{nothing_yet.server.url}/monitor#token={TOKEN}")
        page.locator("#server[data-state=ready]").wait_for()
        address = page.locator("#add-url")
        for url in ("gopher://a.example/", "rtsp://127.0.0.1:9/live"):
            address.fill(url)
            address.press("Enter")
            if url.startswith("gopher"):
                said = "Adressen mit 'gopher' werden nicht überwacht"
                expect(page.locator("#add-note")).to_contain_text(said)
        why = page.locator("li.tile .why")
        expect(why).to_have_text(
            re.compile(r"^127\.0\.0\.1:9: Verbindung abgelehnt; neuer Versuch in \d+\u00a0s\.$")
        )
        [monitor] = nothing_yet.get("/v1/monitors")
        assert "trying again in" in monitor["reason"], "programs read English"
    finally:
        context.close()
