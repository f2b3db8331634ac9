"""The small steps: sample clip, synthesize, models, card, and the command line itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.training_sets import face_video
from training.__main__ import STEPS, main
from training.augment.sample_clip import frames, view
from training.data.manifest import Manifest
from training.judge.card import BEGIN, END
from training.judge.product import Judgement, figures
from training.steps.sample import DEFAULT


def test_every_step_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listing = capsys.readouterr().out
    for step in STEPS:
        assert f"  {step} " in listing
        with pytest.raises(SystemExit) as stopped:
            main([step, "--help"])
        assert stopped.value.code == 0
        assert f"python -m training {step}" in capsys.readouterr().out


def test_models_lists_one_name_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    names = capsys.readouterr().out.splitlines()
    assert {"mobilenetv2_lstm", "landmark_gru", "meso4_mean"} <= set(names)
    assert all(name.isidentifier() for name in names)


def test_the_middle_third_of_the_sample_is_blended() -> None:
    from skimage import data

    portrait = np.ascontiguousarray(data.astronaut()[:, :, :3])
    made = list(frames(seconds=1.2))
    blended = [kind for _, kind in made]
    assert blended == [10 <= number < 20 for number in range(30)]
    for number in (5, 15, 25):
        difference = made[number][0].astype(int) - view(portrait, number / 25)
        changed = np.abs(difference).mean(axis=2) > 8
        assert (changed.sum() > 500) == made[number][1]


def test_the_sample_that_is_shipped_plays_anywhere() -> None:
    assert DEFAULT.stat().st_size < 1_500_000
    with av.open(str(DEFAULT)) as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height) == (640, 360)
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert 20 <= float(clip.duration or 0) / 1e6 <= 30
        assert not clip.streams.audio


def test_synthesize_makes_a_fake_of_each_real(tmp_path: Path) -> None:
    face_video(tmp_path / "set" / "real" / "a.mp4", 1, False, 4)
    shards, out = tmp_path / "shards", tmp_path / "fakes"
    arguments = ["extract", str(tmp_path / "set"), "--layout", "folders", "--out", str(shards)]
    assert main([*arguments, "--sharpness", "0"]) == 0
    assert main(["synthesize", str(shards), "--out", str(out)]) == 0
    real, fake = Manifest.scan(shards), Manifest.scan(out)
    assert len(real) == len(fake) == 4
    for first, second in zip(real.rows, fake.rows, strict=True):
        assert second.sample.label == "fake" and second.sample.pair == first.sample.video
        assert second.sample.identities == first.sample.identities  # one split for both
        assert not np.array_equal(real.image(first), fake.image(second))
    assert main(["synthesize", str(out), "--out", str(tmp_path / "more")]) == 2


def test_the_card_takes_its_figures_from_the_report(tmp_path: Path) -> None:
    group = {"real": 2, "fake": 3, "auc": 0.8125, "auc_interval": [0.5, 1.0], "eer": 0.25}
    group |= {"confusion": {"real": {"likely_fake": 1}, "fake": {"likely_fake": 2}}}
    group |= {"pairs_in_order": [4, 5]}
    tier = {
        "groups": {"Some set": group},
        "unflagged": {"videos": 40, "share": 0.95, "interval": [0.9, 1.0]},
        "false_alarms": {"hours": 0.5, "alarms": 3},
        "videos": {"ece": 0.04, "ece_at_best": 0.03},
        "lengths": {"20": {"Some set": 0.8125}},
        "members": {"one": {"Some set": 0.8125}},
        "cross_auc": {"Some set": {"Some set": 0.8125}},
        "risk_coverage": [[0.25, 0.0], [0.5, 0.125], [1.0, 0.25]],
    }
    report = {
        "protocol": "P.",
        "split": "dev",
        "members": ["one"],
        "thresholds": {"fake": 0.9, "real": 0.3},
        "tiers": {"clean": tier},
        "calibration": {"ece": 0.07, "ece_alike": 0.02, "ece_at_best": 0.01},
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    card = tmp_path / "card.md"
    card.write_text(f"# Card\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    arguments = ["card", "--card", str(card), "--report", str(tmp_path / "report.json")]
    assert main(arguments) == 0
    text = card.read_text()
    assert "| Some set | 2 | 3 | 0.812 | 0.50 to 1.00 | 0.25 | 1 | 2 |" in text
    assert "scores higher in 4 of 5 pairs" in text and "old" not in text and "after" in text
    assert "| clean | 0.000 | 0.125 | " in text
    assert "all videos: 0.040 (with so few, probabilities that are exactly right get 0.030" in text
    assert "all deliveries: 0.070, 0.020 with reals and fakes counting alike (with so" in text
    assert main(arguments) == 0 and card.read_text() == text
    row = Judgement("a", "Some set", "", "real", "a", 90.0, "likely_fake", 0.9, ())
    product = tmp_path / "product.json"
    product.write_text(json.dumps(figures([row, replace(row, name="b", label="fake")])))
    config = tmp_path / "models" / "vote" / "config.pbtxt"
    config.parent.mkdir(parents=True)
    stays = 'name: "vote"\nparameters { key: "bias" value { string_value: "-1" } }\n'
    config.write_text(stays + 'parameters { key: "tried_real" value { string_value: "9" } }\n')
    assert main([*arguments, "--repo", str(tmp_path / "models")]) == 2, "of which figures?"
    repo = ["--repo", str(tmp_path / "models")]
    assert main([*arguments, "--product", str(product), *repo]) == 0
    told = config.read_text()
    assert told.startswith(stays) and told.count("tried_") == 5
    assert 'key: "tried_fake_flagged" value { string_value: "1" }' in told
    assert "on 2 of 2 videos whose face is 64 pixels or more" in card.read_text()
    card.write_text("no marks")
    assert main(arguments) == 2


def test_a_missing_package_is_named_with_what_installs_it() -> None:
    code = "import sys; sys.modules['torch'] = None; from training.__main__ import main; "
    found = subprocess.run(
        [sys.executable, "-c", code + "raise SystemExit(main(['models']))"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr == (
        "models: torch is not installed; training runs in a checkout of the repository, "
        "with what pip install -e '.[train]' installs there\n"
    )
