"""Where the face is in a crop: what a mask is trained towards and measured against.

The outline of the aligned template, corrected for each picture by GrabCut (Rother et al.,
SIGGRAPH 2004), which leaves out hair, hands and background where their colours differ.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream_server.vision.types import Floats, Image
from training.arrays import as_image

# In units of the distance between the eyes and the mouth, around the middle of the face, x to the
# viewer's right and y down: brows, temples, cheeks, chin, clockwise.
_OUTLINE = np.array(
    [(-0.75, -1.0), (0, -1.12), (0.75, -1.0), (1.12, -0.5), (1.1, 0.15), (0.88, 0.8), (0.5, 1.22),
     (0, 1.36), (-0.5, 1.22), (-0.88, 0.8), (-1.1, 0.15), (-1.12, -0.5)],
    np.float32,
)  # fmt: skip


def face_mask(image: Image, landmarks: Floats) -> NDArray[np.uint8]:
    """The mask (0 to 255, soft-edged) of the face in ``image`` (RGB) with these five points."""
    height, width = image.shape[:2]
    sure = _filled((height, width), landmarks, 0.88)
    likely = _filled((height, width), landmarks, 1.0)
    possible = _filled((height, width), landmarks, 1.1)
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[possible > 0] = cv2.GC_PR_BGD
    labels[likely > 0] = cv2.GC_PR_FGD
    labels[sure > 0] = cv2.GC_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its clusters start at random, and the masks must not
    cut, _, _ = cv2.grabCut(image, labels, None, *models, 2, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    found = np.isin(cut, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    smooth = cv2.GaussianBlur(found, (0, 0), max(width / 40, 1))
    solid = np.where(smooth > 127, 255, 0).astype(np.uint8)
    return as_image(cv2.GaussianBlur(solid, (0, 0), max(width / 60, 0.8)))


def _filled(shape: tuple[int, int], landmarks: Floats, grown: float) -> NDArray[np.uint8]:
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    down = (mouth - eyes) / 1.3
    right = np.array([down[1], -down[0]], np.float32)
    middle = (eyes + mouth) / 2 - 0.1 * down
    outline = _OUTLINE * grown
    points = middle + outline[:, :1] * right + outline[:, 1:] * down
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 255)
    return mask
