from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stream_server.accuracy import Accuracy
from stream_server.evidence import StreamOptions
from stream_server.grounds import Voting
from stream_server.ingest.files.media import MediaInfo, Part, ReadCounts, Unread
from stream_server.report.words import face_line, headline, lines, meaning
from stream_server.scan.analysis import Analysis
from stream_server.scan.build_report import build_report
from stream_server.scan.faces.album import FaceRecord
from stream_server.scan.jobs.described import outcome
from stream_server.scan.looking import PartLook
from stream_server.scan.plan import make_plan
from stream_server.verdict import VerdictPolicy
from stream_server.vision.quality import Quality

POLICY = VerdictPolicy(fake=0.8, real=0.3, voting=Voting({"one": "texture"}, {"one": 1.0}))
PICTURES = VerdictPolicy(fake=0.6, real=0.0, clears=False)

SETTINGS = {"window": 20, "sample_hz": 10.0, "budget_samples": 6000}


def face(number: int, probabilities: list[float], good: int | None = None, **failed: int) -> Any:
    end = len(probabilities) / 4
    record = FaceRecord(number, 0.0, end, boxes=[(0.1, 0.1, 0.2, 0.3)], spans=[(0.0, end)])
    record.scores = [(0.25 * i, p, {"one": p, "two": 1 - p}) for i, p in enumerate(probabilities)]
    record.good = len(probabilities) * 2 if good is None else good
    record.looks = record.good + sum(failed.values())
    record.failed.update(failed)
    record.qualities = [Quality(100, 200, 0.1, 120, 1.2)]
    return record


def report(*faces: FaceRecord, unread: Any = (), **changes: Any) -> Any:
    return build([look_at(*faces, **changes)], unread)


def look_at(*faces: FaceRecord, duration: float = 60.0, **changes: Any) -> PartLook:
    media = MediaInfo(
        "video", "h264 in mov", 640, 360, duration, 30.0, int(30 * duration),
        broken_off=changes.pop("broken_off", 0.0),
    )  # fmt: skip
    plan = make_plan(duration, 10.0, changes.pop("budget", 6000), 1)
    times = [i / 10 for i in range(round(10 * changes.pop("looked", duration)))]
    analysis = Analysis(list(faces), 600, times=times, counts=[ReadCounts(1800, last=duration)])
    for name, value in changes.items():
        setattr(analysis, name, value)
    part = Part(cast(Any, SimpleNamespace(info=media)))
    return PartLook(part, plan, StreamOptions(), analyses=[analysis], faces=list(faces))


def look_at_picture(*faces: FaceRecord) -> PartLook:
    look = look_at(*faces, duration=0.0, looked=0.1)
    picture = replace(look.part.media.info, kind="picture", duration=0.0)
    part = Part(cast(Any, SimpleNamespace(info=picture)))
    return replace(look, part=part)


def build(looks: list[PartLook], unread: Any = (), pictures: VerdictPolicy = PICTURES) -> Any:
    return build_report(
        "a.mp4", looks, unread, POLICY, pictures,
        engine="embedded", models=("one", "two"), settings=SETTINGS,
        provenance={}, max_faces=16, accuracy=Accuracy(140, 6, 83, 43, 89),
    )  # fmt: skip


def test_the_file_takes_the_verdict_of_its_most_suspicious_face() -> None:
    found = report(face(1, [0.1] * 40), face(2, [0.95] * 40), face(3, [0.5] * 40))
    assert found.verdict == "likely_fake" and math.isclose(found.probability, 0.95)


def test_a_face_with_too_few_samples_decides_nothing() -> None:
    found = report(face(1, [0.1] * 40), face(2, [0.6] * 5, good=10))
    assert found.verdict == "likely_real"
    assert found.faces[1].reasons == ("few_samples",) and found.faces[1].probability is None
    assert not any("Face 2" in line for line in found.left_out)


def test_a_face_that_looked_fake_in_brief_is_no_clean_bill() -> None:
    found = report(face(1, [0.1] * 40), face(2, [0.99] * 5, good=10))
    assert found.verdict == "unsure" and found.faces[1].probability is None
    assert found.left_out[-1].startswith("Face 2, at 0:00, looked manipulated in the 10 looks")


def test_pictures_have_lines_of_their_own() -> None:
    for probability, verdict in ((0.01, "unsure"), (0.55, "unsure"), (0.65, "likely_fake")):
        found = build([look_at_picture(face(1, [probability], good=1))])
        assert (found.verdict, found.probability) == (verdict, pytest.approx(probability))
    assert report(face(1, [0.65] * 40)).verdict == "unsure", "a video's lines are others"


def test_pictures_are_called_real_only_where_there_is_a_line_for_it() -> None:
    lone = look_at_picture(face(1, [0.1], good=1))
    found = build([lone])
    assert headline(found) == (
        "Unsure: it leans real, but a single picture shows too little to be sure."
    )
    assert "calls none likely real" in meaning(found)
    assert face_line(found.faces[0]).endswith("A single picture shows too little to be sure.")
    assert build([lone], pictures=replace(PICTURES, real=0.2, clears=True)).verdict == "likely_real"


def test_a_picture_that_leans_fake_is_told_no_line_for_real() -> None:
    found = build([look_at_picture(face(1, [0.55], good=1))])
    assert "below the line for likely fake; no picture is called likely real" in meaning(found)
    assert "longer" not in meaning(found) and "line for likely real" not in meaning(found)
    assert "between the line for likely fake" in meaning(report(face(1, [0.55] * 40)))


def test_what_was_measured_on_videos_is_not_told_of_pictures_alone() -> None:
    picture, blurred = look_at_picture(face(1, [0.7], good=1)), look_at(face(1, [], good=2))
    video = look_at(face(2, [0.1] * 40))
    assert build([picture]).accuracy is build([picture, blurred]).accuracy is None
    assert build([look_at_picture()]).accuracy is None
    for looks in ([video], [video, picture], [blurred]):
        assert build(looks).accuracy is not None


def test_the_lines_that_are_told_are_those_of_what_decided() -> None:
    video = look_at(face(1, [0.1] * 40))
    for cover, told in (
        (0.5, "likely fake from 80 %, likely real up to 30 %"),
        (0.7, "likely fake from 60 %; no picture is called likely real"),
    ):
        found = build([video, look_at_picture(face(2, [cover], good=1))])
        assert lines(found) == told
        assert [one.lines for one in found.faces] == [(0.8, 0.3), (0.6, 0.0)]
    assert lines(build([look_at_picture()])).endswith("no picture is called likely real")


def test_of_several_faces_in_a_picture_the_most_suspicious_decides() -> None:
    found = build([look_at_picture(face(1, [0.1], good=1), face(2, [0.7], good=1))])
    assert (found.verdict, found.probability) == ("likely_fake", pytest.approx(0.7))
    assert [one.verdict for one in found.faces] == ["unsure", "likely_fake"]


def test_a_cover_picture_takes_no_clean_bill_from_its_video_unless_it_is_flagged() -> None:
    def covered(cover: float, good: int = 80) -> Any:
        return build(
            [look_at_picture(face(1, [cover], good=1)), look_at(face(2, [0.1] * 40, good))]
        )

    assert covered(0.1).verdict == covered(0.5).verdict == "likely_real"
    assert covered(0.7).verdict == "likely_fake"
    assert covered(0.1, good=2).verdict == "unsure", "nothing that moves could be judged"


@pytest.mark.parametrize("moving", [0.4, 0.1])
def test_the_words_of_a_covered_video_are_those_of_its_video(moving: float) -> None:
    video, cover = look_at(face(1, [moving] * 40)), look_at_picture(face(2, [0.45], good=1))
    alone, covered = build([video]), build([video, cover])
    assert (covered.verdict, covered.probability) == (alone.verdict, alone.probability)
    assert headline(covered).startswith("Unsure") == (moving == 0.4)
    assert "single picture" not in headline(covered)
    assert "A picture shows" not in meaning(covered) and meaning(covered) == meaning(alone)
    assert outcome(covered)[1]["detail"] == outcome(alone)[1]["detail"]


def test_one_bad_second_in_a_long_video_is_no_alarm() -> None:
    found = report(face(1, [0.1] * 118 + [0.99] * 4 + [0.1] * 118))
    assert found.verdict == "likely_real"


def test_a_replaced_passage_is_no_clean_bill() -> None:
    found = report(face(1, [0.1] * 100 + [0.99] * 20 + [0.1] * 100))
    assert found.verdict == "unsure" and found.probability < 0.3
    assert found.faces[0].stretches == ((24.0, 28.75),)


def test_members_are_summed_up_like_the_whole() -> None:
    members = report(face(1, [0.9] * 40)).faces[0].members
    assert math.isclose(members["one"], 0.9) and math.isclose(members["two"], 0.1)


def test_the_reasons_are_the_gates_that_kept_it_from_being_judged() -> None:
    found = report(face(1, [], good=2, blurred=90, dark=60, profile=1))
    assert found.faces[0].reasons == ("blurred", "dark")
    assert found.verdict == "not_enough_evidence" and found.probability is None


def test_what_was_not_looked_at_is_said() -> None:
    text = " ".join(report(face(1, [0.1] * 40), duration=21600.0, budget=600).left_out)
    assert "budget of 600 looks" in text and "6:00:00" in text
    counts = [ReadCounts(100, damaged=7, last=12.0)]
    found = report(face(1, [0.1] * 40), duration=12.0, broken_off=48.0, crowded=4, counts=counts)
    text = " ".join(found.left_out)
    assert "breaks off" in text and "0:12" in text
    assert "7 damaged pieces" in text and "Up to 20 faces" in text


def added_up(found: Any) -> tuple[float, float]:
    account = found.account
    return account.seconds, account.looked_at_s + sum(one.seconds for one in account.left_out)


def test_of_a_whole_file_all_is_accounted_for() -> None:
    found = report(face(1, [0.1] * 40))
    assert (found.status, found.verdict) == ("complete", "likely_real")
    assert found.account.looked_at_s == found.account.seconds == 60.0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"looked": 50.0}, "damaged"),
        ({"broken_off": 30.0}, "broken_off"),
        ({"duration": 900.0, "budget": 600, "looked": 60.0}, "budget"),
        ({"unread": [Unread("video stream 2 of 2", "codec", "it is unknown", 60.0)]}, "codec"),
        ({"unread": [Unread("picture 2 of 2", "truncated", "it is damaged", pictures=1)]},
         "truncated"),
    ],
)  # fmt: skip
def test_what_was_not_looked_at_is_no_clean_bill(changes: Any, code: str) -> None:
    found = report(face(1, [0.1] * 40), **changes)
    assert (found.status, found.verdict, found.probability) == (
        "incomplete",
        "not_enough_evidence",
        None,
    )
    assert code in [one.code for one in found.account.left_out]
    whole, told = added_up(found)
    assert told == pytest.approx(whole, abs=0.01)
    assert headline(found).startswith("Not all of it was looked at")
    assert found.faces[0].verdict == "likely_real"


def test_a_flagged_face_is_flagged_however_little_was_seen() -> None:
    found = report(face(1, [0.95] * 40), looked=20.0)
    assert (found.status, found.verdict) == ("incomplete", "likely_fake")
    assert "likely fake" in headline(found) and "0:40 of 1:00" in headline(found)


def test_a_flagged_picture_of_several_is_flagged_however_low_the_line() -> None:
    page = Unread("picture 2 of 2", "truncated", "it is damaged", pictures=1)
    low = replace(PICTURES, fake=0.4)
    for probability, verdict in ((0.45, "likely_fake"), (0.35, "not_enough_evidence")):
        found = build([look_at_picture(face(1, [probability], good=1))], [page], low)
        assert (found.status, found.verdict) == ("incomplete", verdict)


def test_a_little_may_be_missing() -> None:
    assert report(face(1, [0.1] * 40), looked=58.5).status == "complete"


def test_the_sound_is_never_judged() -> None:
    assert "sound" in report(face(1, [0.1] * 40)).left_out[0]
