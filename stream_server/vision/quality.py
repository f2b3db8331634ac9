"""Is there enough to see on this face to judge it?

Every gate answers about the face, never about the picture around it: a bright face before a dark
background passes, a dark face before a bright wall does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stream_server.vision.crop import CROP_SIZE
from stream_server.vision.types import Floats, Gray, Image

_SIDE = 112  # sharpness is judged at one scale, or large faces would always seem blurred
_INNER = (slice(17, 95), slice(23, 89))  # brow to chin in a 112 px crop: no hair, no background


@dataclass(frozen=True)
class QualityLimits:
    """Where a gate closes. Tightening a limit abstains more often and errs less.

    ``smallest_face``: pixels of the longer side of the face box in the frame as received.
    ``least_sharpness``: variance of the Laplacian of the face at 112 px (the limit of 30 is
    TorchFakes'). ``widest_yaw``: how far the nose is off the middle, in widths of the face
    between eyes and mouth corners; about 0.3 is a half profile. ``darkest`` and ``brightest``:
    mean luma of the face, 0 to 255. ``blockiest``: how much steeper the picture is across the
    borders of JPEG's 8x8 blocks than inside them; quality 20 gives about 2, quality 8 about 3.5.
    """

    smallest_face: float = 64
    least_sharpness: float = 30
    widest_yaw: float = 0.45
    darkest: float = 40
    brightest: float = 215
    blockiest: float = 2.6


REASONS = ("small_face", "profile", "dark", "overexposed", "over_compressed", "blurred")
"""The codes that ``Quality.reasons`` may give."""


@dataclass(frozen=True)
class Quality:
    """What was measured on one face, in the units of ``QualityLimits``."""

    size: float
    sharpness: float
    yaw: float
    brightness: float
    blockiness: float

    def reasons(self, limits: QualityLimits) -> tuple[str, ...]:
        """Codes of the gates that this face does not pass; empty when it can be judged."""
        failed = {
            "small_face": self.size < limits.smallest_face,
            "profile": abs(self.yaw) > limits.widest_yaw,
            "dark": self.brightness < limits.darkest,
            "overexposed": self.brightness > limits.brightest,
            "over_compressed": self.blockiness > limits.blockiest,
        }
        # Darkness and glare flatten a face as blur does: name the cause, not the consequence.
        lit = not failed["dark"] and not failed["overexposed"]
        failed["blurred"] = lit and self.sharpness < limits.least_sharpness
        return tuple(code for code, found in failed.items() if found)


def judge(image: Image, box: Floats, crop: Image, crop_landmarks: Floats) -> Quality:
    """Measure one face.

    ``image`` is the whole frame (uint8 ``[H, W, 3]``) with the face at ``box`` (left, top, right,
    bottom, pixels), ``crop`` the face cut out by ``align_crop`` (uint8 ``[224, 224, 3]``), and
    ``crop_landmarks`` (float32 ``[5, 2]``) its landmarks in crop coordinates.
    """
    small = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    face = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[_INNER]
    _, spread = cv2.meanStdDev(cv2.Laplacian(face, cv2.CV_32F))
    return Quality(
        size=float((box[2:] - box[:2]).max()),
        sharpness=float(spread[0, 0]) ** 2,
        yaw=_yaw(crop_landmarks),
        brightness=cv2.mean(face)[0],
        blockiness=_blockiness(image, box),
    )


def _yaw(landmarks: Floats) -> float:
    left_eye, right_eye, nose, left_mouth, right_mouth = landmarks
    middle = (left_eye[0] + right_eye[0] + left_mouth[0] + right_mouth[0]) / 4
    width = float(np.linalg.norm(right_eye - left_eye + right_mouth - left_mouth)) / 2
    return float(nose[0] - middle) / max(width, CROP_SIZE / 50)


def _blockiness(image: Image, box: Floats) -> float:
    height, width = image.shape[:2]
    left, top = (max(int(edge), 0) for edge in box[:2])
    right, bottom = min(int(box[2]), width), min(int(box[3]), height)
    if right - left < 24 or bottom - top < 24:
        return 1.0
    luma: Gray = np.asarray(cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY))
    change = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    steps = cv2.reduce(change, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
    at_border = (np.arange(left, left + len(steps)) + 1) % 8 == 0
    inside = steps[~at_border].mean() / luma.shape[0]
    return float(steps[at_border].mean() / luma.shape[0] / (inside + 0.5))
