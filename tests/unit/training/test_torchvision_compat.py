"""torchvision imports beside any build of PyTorch, and its operator does what it should."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torchvision

from training.torchvision_compat import _nms

_IMPORT = """
import sys
import training
assert "torch" not in sys.modules, "training alone loads PyTorch"
import torchvision
print(torchvision.ops.nms.__name__)
"""


@pytest.mark.slow
def test_the_first_import_of_torchvision_is_mended() -> None:
    found = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "nms\n"), found.stderr


def test_overlapping_boxes_are_suppressed_in_the_order_of_their_scores() -> None:
    boxes = torch.tensor(
        [[0, 0, 10, 10], [20, 20, 30, 30], [1, 1, 10, 10], [5, 0, 15, 10]], dtype=torch.float32
    )
    scores = torch.tensor([0.8, 0.1, 0.9, 0.7])
    for suppress in (_nms, torchvision.ops.nms):
        assert suppress(boxes, scores, 0.5).tolist() == [2, 3, 1]
        assert suppress(boxes, scores, 0.2).tolist() == [2, 1]
        assert suppress(boxes[:0], scores[:0], 0.5).tolist() == []
