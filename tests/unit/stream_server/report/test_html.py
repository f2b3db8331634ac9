from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
from PIL import Image as Pillow

from stream_server.accuracy import Accuracy
from stream_server.grounds import Ground
from stream_server.report import words
from stream_server.report.html import content_policy, render
from stream_server.report.model import FaceReport, Picture, QualitySummary, Report, at_least

SETTINGS = {
    "window": 20, "sample_hz": 10.0, "budget_samples": 6000, "threshold_fake": 0.8,
    "threshold_real": 0.3,
}  # fmt: skip


def jpeg() -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(np.full((20, 20, 3), 90, np.uint8)).save(out, "JPEG")
    return out.getvalue()


def face(**changes: Any) -> FaceReport:
    fields = {
        "track": 1, "first_s": 2.0, "last_s": 12.0, "box": (0.1, 0.1, 0.2, 0.3), "samples": 100,
        "probability": 0.91, "verdict": "likely_fake", "reasons": (), "members": {"one": 0.9},
        "timeline": tuple((2 + 0.25 * i, 0.9) for i in range(40)), "stretches": ((3.0, 11.0),),
        "quality": QualitySummary(120, 300, 0.1, 130, 1.1, 101, (("blurred", 1),)),
        "pictures": (Picture(5.0, jpeg(), 0.93, ()),), "lines": (0.8, 0.3),
    }  # fmt: skip
    return FaceReport(**(fields | changes))


def report(*faces: FaceReport, **changes: Any) -> Report:
    fields = {
        "file": "a.mp4", "engine": "embedded", "models": ("one",), "settings": SETTINGS,
        "duration_s": 14.0, "frames": 420, "analysed": 140, "verdict": "likely_fake",
        "probability": 0.91, "faces": faces, "provenance": {"status": "absent", "detail": "None."},
        "media": {"Kind": "video"}, "left_out": ("The sound was not judged.",),
    }  # fmt: skip
    return Report(**(fields | changes))


class Sources(HTMLParser):
    """Everything that a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()
        self.styled = 0

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.styled += name == "style"
            if name in ("src", "srcset", "data", "poster") or (tag == "link" and name == "href"):
                self.found.append(value)


def test_the_page_needs_nothing_but_itself() -> None:
    page = render([report(face())])
    sources = Sources()
    sources.feed(page)
    assert sources.found and all(s.startswith("data:image/jpeg;base64,") for s in sources.found)
    assert not sources.tags & {"script", "link", "iframe", "object", "embed"}
    assert sources.styled == 0, "the page's policy allows no style attributes"
    assert "http" not in re.sub(r"data:[^\"]*", "", page)
    assert "url(" not in page and "@import" not in page


def test_it_says_everything_in_words() -> None:
    page = render([report(face())])
    for part in (
        "The face is likely fake.", "91 %", "0:03 to 0:11", "What was not analysed",
        "The sound was not judged.", "Content credentials", "None.",
        "100 of 101 looks", "blurred (1)", "140 analysed of 420", "does not judge sound",
    ):  # fmt: skip
        assert part in page, part


def test_the_timeline_marks_what_is_suspicious_and_speaks() -> None:
    page = render([report(face())])
    assert page.count('class="mark"') == 1 == page.count('class="flag"')
    # In shares of the width that there is, so that a phone shows it whole.
    assert 'viewBox="0 0 1000 150" width="100%"' in page and "overflow-x" not in page
    label = re.search(r'role="img" aria-label="([^"]*)"', page)
    assert label and "Looks manipulated at 0:03 to 0:11" in label[1]


def test_the_names_of_the_lines_lie_over_the_curve_and_no_path_of_a_computer_is_told() -> None:
    page = render([report(face(), file="/home/somebody/private/a.mp4")])
    assert page.index('class="curve"') < page.index('class="name"')
    assert "a.mp4" in page and "somebody" not in page
    assert "https://example.org/b.mp4" in render([report(face(), file="https://example.org/b.mp4")])


def test_a_gap_breaks_the_line() -> None:
    torn = tuple([(t / 4, 0.5) for t in range(20)] + [(100 + t / 4, 0.5) for t in range(20)])
    assert render([report(face(timeline=torn))]).count('class="curve"') == 2


def test_a_long_timeline_is_thinned_without_losing_its_peak() -> None:
    long = tuple((i / 4, 0.95 if i == 4001 else 0.1) for i in range(20000))
    page = render([report(face(timeline=long, first_s=0.0, last_s=5000.0), duration_s=5000.0)])
    curve = " ".join(re.findall(r'class="curve" d="([^"]*)"', page))
    heights = [float(pair.split()[1].split("h")[0]) for pair in re.split("[ML]", curve) if pair]
    assert len(heights) < 1500
    assert min(heights) < 20, "the peak is drawn near the top"


def test_every_abstention_has_its_reason_in_words() -> None:
    silent: dict[str, Any] = {
        "probability": None,
        "verdict": "not_enough_evidence",
        "members": {},
        "timeline": (),
    }
    for code, text in words.REASONS.items():
        hidden = face(**silent, stretches=(), reasons=(code,))
        page = render([report(hidden, probability=None, verdict="not_enough_evidence")])
        assert text in page and "Cannot tell" in page


def test_a_verdict_says_what_it_rests_on_and_which_way_it_leans() -> None:
    texture, movement = Ground("a", "texture", 0.61), Ground("b", "movement", -0.39)
    line = words.face_line(face(grounds=(texture, movement)))
    assert line.startswith("Likely fake, probability of manipulation 91 %. The texture of the face")
    between = face(probability=0.6, verdict="unsure", grounds=(texture, movement), stretches=())
    assert words.face_line(between).startswith("Leans fake, ") and "The signs differ" in (
        words.face_line(between)
    )
    told = report(between, probability=0.6, verdict="unsure", accuracy=Accuracy(140, 6, 83, 43, 89))
    page = render([told])
    for part in (
        "it leans fake", "Texture of the face", "61 % for fake", "39 % for real",
        "flagged 43 of 83 fakes", "10 a second; a verdict looks back on 2 s",
    ):  # fmt: skip
        assert part in page, part
    assert "passage stands out" not in page and "engine" not in page and "samples" not in page
    passing = face(probability=0.1, verdict="unsure")
    page = render([report(passing, probability=0.1, verdict="unsure")])
    assert "a passage looks manipulated" in page and "passage stands out" in page
    assert "Unsure, probability of manipulation 10 %" in page and "Leans" not in page


def test_the_lines_of_a_timeline_are_those_that_its_face_was_judged_by() -> None:
    told = SETTINGS | {"threshold_fake": 0.6, "threshold_real": 0.0}
    assert words.lines(report(settings=told)).startswith("likely fake from 60 %; no picture")
    assert [words.percent(at) for at in face().lines] == ["80 %", "30 %"]
    drawn = [re.findall(r'class="line".*?y1="([\d.]*)"', render([report(face(), **changes)]))
             for changes in ({}, {"settings": told})]  # fmt: skip
    assert len(drawn[0]) == 2 and drawn[0] == drawn[1]


def test_names_cannot_put_markup_into_the_page() -> None:
    page = render([report(face(), file='<img src=x onerror="alert(1)">.mp4')])
    assert "<img src=x" not in page and "&lt;img src=x" in page


def test_no_face_and_no_file_are_told_apart() -> None:
    page = render([report(verdict="not_enough_evidence", probability=None)])
    assert "No face was found" in page and "not a finding that the file is genuine" in page
    error = {"detail": "a.mp4 is empty: 0 bytes", "status": 422}
    broken = render([report(error=error, probability=None)])
    assert "could not be checked" in broken and "0 bytes" in broken


def test_several_files_get_a_table_of_contents() -> None:
    page = render([report(face()), report(file="b.mp4", probability=None)])
    assert "2 files" in page and 'href="#file-2"' in page and 'id="file-2"' in page


def test_the_policy_of_the_page_fits_its_style() -> None:
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]{44}'", content_policy())


def test_probabilities_are_never_certain() -> None:
    assert (words.percent(0.0), words.percent(1.0), words.percent(0.5)) == ("1 %", "99 %", "50 %")


def test_times_read_like_a_player_s() -> None:
    assert [words.clock(t) for t in (0.4, 67, 3723)] == ["0:00", "1:07", "1:02:03"]


def test_order_of_suspicion() -> None:
    assert at_least("likely_fake", "unsure") and at_least("unsure", "unsure")
    assert not at_least("likely_real", "unsure")
    assert not at_least("not_enough_evidence", "unsure")
