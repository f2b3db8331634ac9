from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
import pytest

from stream_server.engine.base import EngineUnavailable
from stream_server.evidence import GATHERING_SECONDS, StreamOptions
from stream_server.stream import Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.types import Frame
from stream_server.vision.views import FoveatedFrame
from tests.support.cut_outs import SIZE, sight
from tests.support.faces import backdrop, other_person, paste, person
from tests.support.fake_scorer import FakeScorer

POLICY = VerdictPolicy(fake=0.8, real=0.3)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(min_face=40)


@pytest.fixture
def scorer() -> FakeScorer:
    return FakeScorer()


@pytest.fixture
def stream(detector: FaceDetector, scorer: FakeScorer) -> Stream:
    return Stream(FaceTracker(detector), scorer, POLICY, StreamOptions(window=20))


@pytest.fixture(scope="module")
def portrait() -> Any:
    return paste(backdrop(), person(), (320, 180), 260)


async def play(stream: Any, image: Any, frames: Any, start: float = 0.0, fps: float = 10.0) -> Any:
    return [await stream.analyse(Frame(image, start + i / fps, i)) for i in range(frames)]


async def test_gathers_then_judges(stream: Stream, scorer: FakeScorer, portrait: Any) -> None:
    answers = await play(stream, portrait, 30)
    verdicts = [faces[0].verdict for faces in answers]
    assert verdicts[:7] == ["gathering"] * 7
    assert all(faces[0].probability is None for faces in answers[:7])
    assert verdicts[-1] == "likely_fake"
    assert answers[-1][0].probability == pytest.approx(0.9, abs=0.01)
    assert answers[-1][0].members == {"m": 0.9}
    assert [faces[0].samples for faces in answers] == [min(i + 1, 20) for i in range(30)]


async def test_a_frame_goes_through_the_encoder_once(
    stream: Stream, scorer: FakeScorer, portrait: Any
) -> None:
    await play(stream, portrait, 40)
    assert scorer.crops == 40


async def test_windows_are_scored_at_least_twice_a_second(
    stream: Stream, scorer: FakeScorer, portrait: Any
) -> None:
    await play(stream, portrait, 50)
    assert len(scorer.windows) >= 2 * (50 - 8) / 10
    assert scorer.windows[0] == 8 and max(scorer.windows) == 20


async def test_sampling_keeps_its_rate_whatever_the_frame_rate(
    stream: Stream, scorer: FakeScorer, portrait: Any
) -> None:
    await play(stream, portrait, 60, fps=30)
    assert 19 <= scorer.crops <= 21


async def test_a_little_jitter_loses_no_sample(
    stream: Stream, scorer: FakeScorer, portrait: Any
) -> None:
    rng = np.random.default_rng(1)
    for i in range(30):
        await stream.analyse(Frame(portrait, i / 10 + rng.uniform(0, 0.02) - 0.02 * (i > 0), i))
    assert scorer.crops == 30


async def test_box_is_in_fractions_of_the_frame(stream: Stream, portrait: Any) -> None:
    left, top, width, height = (await play(stream, portrait, 1))[0][0].box
    assert 0.3 < left < 0.5 and 0.5 < left + width < 0.7
    assert top >= 0 and top + height <= 1


async def test_a_face_too_small_is_shown_but_not_judged(stream: Stream, scorer: FakeScorer) -> None:
    small = paste(backdrop(), person(), (320, 180), 100)
    faces = (await play(stream, small, 20))[-1]
    assert faces[0].verdict == "not_enough_evidence"
    assert faces[0].reasons == ("small_face",)
    assert faces[0].probability is None and scorer.crops == 0


async def test_a_face_that_blurs_loses_its_verdict_and_regains_it(
    stream: Stream, portrait: Any
) -> None:
    await play(stream, portrait, 20)
    blurred = cv2.GaussianBlur(portrait, (0, 0), 6)
    during = await play(stream, blurred, 20, start=2.0)
    assert during[1][0].verdict == "likely_fake"  # a blink of blur changes nothing
    assert during[-1][0].verdict == "not_enough_evidence"
    assert during[-1][0].reasons == ("blurred",)
    after = await play(stream, portrait, 30, start=4.0)
    assert after[-1][0].verdict == "likely_fake"


async def test_two_faces_have_windows_of_their_own(stream: Stream, scorer: FakeScorer) -> None:
    both = paste(backdrop(), person(), (170, 180), 260)
    both = paste(both, other_person(), (470, 180), 260)
    faces = (await play(stream, both, 12))[-1]
    assert [face.samples for face in faces] == [12, 12]
    assert len({face.track for face in faces}) == 2


async def test_a_cut_starts_a_new_window(stream: Stream, portrait: Any) -> None:
    await play(stream, portrait, 20)
    other = paste(backdrop(seed=5), other_person(), (320, 180), 260)
    first = (await play(stream, other, 1, start=2.0))[0][0]
    assert (first.track, first.samples, first.verdict) == (2, 1, "gathering")


async def test_no_face_is_an_answer_too(stream: Stream) -> None:
    assert await play(stream, backdrop(), 3) == [[], [], []]


async def test_after_a_reset_time_may_go_back(stream: Stream, portrait: Any) -> None:
    await play(stream, portrait, 5, start=100.0)
    with pytest.raises(ValueError, match="time runs backwards"):
        await stream.analyse(Frame(portrait, 1.0))
    stream.reset()
    assert (await stream.analyse(Frame(portrait, 1.0)))[0].samples == 1


async def test_an_engine_that_fails_loses_its_sample_and_no_more(
    stream: Stream, scorer: FakeScorer, portrait: Any
) -> None:
    await play(stream, portrait, 10)
    scorer.down = True
    with pytest.raises(EngineUnavailable):
        await stream.analyse(Frame(portrait, 1.0))
    scorer.down = False
    assert (await play(stream, portrait, 1, start=1.1))[0][0].samples == 11


async def test_evidence_of_tracks_that_ended_is_let_go(stream: Stream, portrait: Any) -> None:
    await play(stream, portrait, 10)
    await play(stream, backdrop(), 20, start=1.0)
    assert stream._evidence == {}


async def test_a_member_with_a_rate_looks_less_often_once_the_verdict_is_there(
    detector: FaceDetector, portrait: Any
) -> None:
    scorer = FakeScorer(rates={"half": 5.0})
    stream = Stream(FaceTracker(detector), scorer, POLICY, StreamOptions(window=20))
    answers = await play(stream, portrait, 60)
    assert scorer.looks[0] == {"half": 8}
    assert scorer.looks[-1] == {"half": 10} and scorer.windows[-1] == 20
    # At every sample until the first verdict, twice a second for two seconds of one verdict, and
    # then, as nothing happens to a face that is called fake, once a second.
    assert scorer.looked["half"] == 8 + 4 + 3 and scorer.looked["m"] == 60
    assert [faces[0].samples for faces in answers] == [min(i + 1, 20) for i in range(60)]


def counted_searches(detector: FaceDetector, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list that has one element more after each search."""
    searches: list[Any] = []
    found = detector.detect

    def detect(*given: Any, **how: Any) -> Any:
        searches.append(given)
        return found(*given, **how)

    monkeypatch.setattr(detector, "detect", detect)
    return searches


async def test_a_stream_that_gets_few_turns_has_as_few_looks_and_searches_a_frame(
    detector: FaceDetector, portrait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = counted_searches(detector, monkeypatch)
    counted = {}
    for fps, share in ((10.0, 1.0), (2.0, 0.2)):
        scorer = FakeScorer(rates={"half": 5.0})
        stream = Stream(FaceTracker(detector), scorer, POLICY, StreamOptions(settled=1.0))
        stream.share = share
        searches.clear()
        await play(stream, portrait, 40, fps=fps)
        counted[fps] = (scorer.looked["half"], len(searches))
    assert counted[2.0] == pytest.approx(counted[10.0], abs=2)


async def test_what_a_frame_took_is_work_and_no_waiting(stream: Stream, portrait: Any) -> None:
    def decode() -> Frame:
        time.sleep(0.5)
        return Frame(portrait, 0.0, 0)

    await stream.analyse_at(0.0, decode)
    assert 0 < stream.worked < 0.5


async def test_a_search_waits_for_a_frame_that_no_network_looks_at(
    detector: FaceDetector, portrait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = counted_searches(detector, monkeypatch)
    both = {}
    for spread in (False, True):
        scorer = FakeScorer(rates={"half": 2.5})
        options = StreamOptions(settled=1.0, spread=spread)
        stream = Stream(FaceTracker(detector), scorer, POLICY, options)
        await play(stream, portrait, 12)
        searches.clear()
        both[spread] = 0
        for number in range(12, 92):
            before = scorer.looked["half"], len(searches)
            await play(stream, portrait, 1, start=number / 10)
            both[spread] += scorer.looked["half"] > before[0] and len(searches) > before[1]
        assert len(searches) == pytest.approx(4, abs=1)
    assert both[True] == 0 < both[False]


async def test_a_new_face_is_looked_at_by_all_beside_one_that_has_its_verdict(
    detector: FaceDetector, portrait: Any
) -> None:
    scorer = FakeScorer(rates={"half": 5.0})
    options = StreamOptions(window=20, settled=1.0)
    stream = Stream(FaceTracker(detector), scorer, POLICY, options)
    both = paste(backdrop(), person(), (170, 180), 260)
    await play(stream, both, 20)
    before, calls = dict(scorer.looked), scorer.calls
    both = paste(both, other_person(), (470, 180), 260)
    faces = (await play(stream, both, 20, start=2.0))[-1]
    assert len(faces) == 2
    new = faces[1].samples
    looked = {member: count - before[member] for member, count in scorer.looked.items()}
    assert looked["m"] == 20 + new
    # The first eight samples of the new face, and then every second one of both, all together.
    assert looked["half"] == pytest.approx(10 + 8 + (new - 8) / 2, abs=1)
    # A call of its own only for the new face's samples that the other one is left out of.
    assert scorer.calls - calls == pytest.approx(20 + 4, abs=1)


@pytest.mark.parametrize("fps", [0.5, 1.0, 1.5])
async def test_a_slow_source_is_judged_by_what_it_gives(
    stream: Stream, portrait: Any, fps: float
) -> None:
    answers = await play(stream, portrait, 26, fps=fps)
    told = [faces[0].verdict for faces in answers]
    assert told[-1] == "likely_fake"
    last = max(n for n, verdict in enumerate(told) if verdict == "gathering")
    assert last / fps <= GATHERING_SECONDS
    assert answers[-1][0].samples >= 15


async def test_where_no_face_stays_long_enough_gathering_ends_with_a_reason(
    stream: Stream, portrait: Any
) -> None:
    other = paste(backdrop(seed=5), other_person(), (320, 180), 260)
    told = []
    for number in range(18):
        faces = await stream.analyse(Frame((portrait, other)[number % 2], float(number), number))
        told += [(number, face.verdict, face.reasons) for face in faces]
    assert {verdict for number, verdict, _ in told if number <= 10} == {"gathering"}
    assert {(verdict, reasons) for number, verdict, reasons in told if number > 11} == {
        ("not_enough_evidence", ("too_few_pictures",))
    }


async def watch(stream: Stream, image: Any, frames: int, *parts: tuple[int, int, int]) -> Any:
    """Cut-outs ten times a second, with the whole in small once a second."""
    answers = []
    for i in range(frames):
        seen = sight(image, *parts, whole=i % 10 == 0)
        answers.append(await stream.analyse(FoveatedFrame(image, i / 10, i, sight=seen)))
    return answers


async def test_a_small_face_of_a_large_video_is_judged_by_its_cut_outs(
    stream: Stream, scorer: FakeScorer
) -> None:
    image = paste(backdrop(*SIZE), person(), (700, 400), 190)
    answers = await watch(stream, image, 24, (560, 256, 288))
    assert [faces[0].samples for faces in answers] == [min(i + 1, 20) for i in range(24)]
    assert answers[-1][0].verdict == "likely_fake"
    left, top, width, height = answers[-1][0].box
    assert left + width / 2 == pytest.approx(700 / 1920, abs=0.01)
    assert top + height / 2 == pytest.approx(400 / 1080, abs=0.03)
    moment = stream.moment(1)
    assert moment is not None and moment.corners.mean(axis=0) == pytest.approx(
        [left + width / 2, top + height / 2], abs=0.02
    )


async def test_a_face_that_only_the_whole_shows_keeps_its_reason(
    stream: Stream, scorer: FakeScorer
) -> None:
    image = paste(backdrop(*SIZE), person(), (700, 400), 190)
    image = paste(image, other_person(), (1500, 500), 190)
    answers = await watch(stream, image, 40, (560, 256, 288))
    near, far = sorted(answers[-1], key=lambda face: face.box[0])
    assert near.verdict == "likely_fake" and near.samples == 20
    assert far.verdict == "not_enough_evidence" and "small_face" in far.reasons
    assert all(len(faces) == 2 for faces in answers)
