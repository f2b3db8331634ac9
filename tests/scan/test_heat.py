"""Heat maps in the report of a scan."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.scan_media import every, moving_face, write_video
from tests.support.scanning import ScanCommand, run
from tests.support.tiny_repository import tiny_repository

FLAGGED = {"threshold_fake": "0.02", "threshold_real": "0.01"}
CLEARED = {"threshold_fake": "0.999", "threshold_real": "0.998"}


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "triton_models"
    return tiny_repository(folder, parameters=FLAGGED, maps=True)


def test_flagged_faces_show_where_the_evidence_lies(
    portrait_clip: Path, mapped: Path, tmp_path: Path
) -> None:
    page, facts = tmp_path / "report.html", tmp_path / "report.json"
    status = run("scan", portrait_clip, "--models", mapped, "--html", page, "--json", facts)
    assert status == 3
    [face] = json.loads(facts.read_text())["faces"]
    assert 1 <= len(face["explanations"]) <= 3
    times = [one["time_s"] for one in face["explanations"]]
    assert times == sorted(times)
    for one in face["explanations"]:
        assert np.array(one["heat"]).shape == (14, 14)
        assert np.min(one["heat"]) >= 0 and np.max(one["heat"]) <= 1
        assert one["members"] == ["tiny"] and 0 < one["probability"] < 1
        (left, top), _, (right, bottom), _ = one["corners"]
        x, y, width, height = face["box"]
        assert left < x + width / 2 < right and top < y + height / 2 < bottom
    text = page.read_text()
    assert "Where the evidence lies" in text and "a hint where to look, not a proof" in text
    shown = re.search(r'<ul class="sheet heat".*?</ul>', text, re.DOTALL)
    assert shown is not None
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', shown[0])
    assert len(pictures) == 2 * len(face["explanations"])
    plain, over = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(one))), np.int16) for one in pictures[:2]
    )
    assert plain.shape == over.shape and np.abs(plain - over).mean() > 5


def test_a_face_that_is_not_flagged_is_not_explained(
    portrait_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tiny_repository(tmp_path / "models", parameters=CLEARED, maps=True)
    [face] = ScanCommand(models, capsys)(portrait_clip).found["faces"]
    assert face["verdict"] == "likely_real" and "explanations" not in face


def test_models_without_maps_are_said_in_words(
    portrait_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tiny_repository(tmp_path / "models", parameters=FLAGGED)
    report = ScanCommand(models, capsys)(portrait_clip).found
    assert "explanations" not in report["faces"][0]
    assert any("without heat maps" in line for line in report["settings"]["left_out"])


def test_a_still_picture_is_explained_too(mapped: Path, tmp_path: Path) -> None:
    picture = tmp_path / "portrait.png"
    Image.fromarray(moving_face()(0.0)).save(picture)
    facts = tmp_path / "report.json"
    assert run("scan", picture, "--models", mapped, "--json", facts) == 3
    [face] = json.loads(facts.read_text())["faces"]
    assert len(face["explanations"]) == 1


def test_only_a_few_whole_crops_are_kept_of_a_long_clip(mapped: Path, tmp_path: Path) -> None:
    from stream_server.face_look import Look
    from stream_server.scan.faces.gallery import WHOLE, Gallery

    gallery = Gallery()
    crop = np.zeros((224, 224, 3), np.uint8)
    for step in range(400):
        look = Look(1, None, (), crop, None, np.zeros((4, 2)), (0, 0, 1, 1), np.zeros(1))
        gallery.add(step / 4, crop, (step % 97) / 100, look=look)
    assert sum(shot.look is not None for shot in gallery._shots.values()) <= WHOLE
    best = gallery.suspicious()
    assert len(best) == WHOLE and best[0].probability == 0.96


@pytest.mark.slow
def test_two_readers_keep_the_most_suspicious(mapped: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "long.mp4", moving_face(), every(10, 24), rate=10)
    facts = tmp_path / "report.json"
    assert run("scan", clip, "--models", mapped, "--json", facts) == 3
    [face] = json.loads(facts.read_text())["faces"]
    assert len(face["explanations"]) == 3
