from __future__ import annotations

import json

import pytest

from stream_server.accuracy import Accuracy
from stream_server.engine import ModelRepository
from stream_server.resources import models_dir
from tests.support.paths import ROOT
from training.judge.card import accuracy


def test_the_models_that_ship_tell_the_figures_of_the_model_card() -> None:
    """Renewed by ``python -m training card --product docs/product.json --repo triton_models``."""
    product = json.loads((ROOT / "docs" / "product.json").read_text())
    told = Accuracy.of(ModelRepository.load(models_dir()).parameters)
    assert told == accuracy(product)
    assert told and told.real + told.fake == product["coverage"]["covered"]
    flagged = 1 - product["real_not_flagged"]["share"]
    assert told.real_flagged == round(flagged * product["real_not_flagged"]["of"])


def test_models_that_were_not_tried_tell_nothing_and_bad_figures_are_refused() -> None:
    figures = Accuracy(140, 6, 83, 43, 89)
    assert Accuracy.of(figures.parameters()) == figures
    assert Accuracy.of({}) is None
    with pytest.raises(ValueError, match="many"):
        Accuracy.of(figures.parameters() | {"tried_real": "many"})
