"""The face beside a heat map is the one that was explained."""

from __future__ import annotations

import base64
import json
from typing import Any

import cv2
import numpy as np

from stream_server.monitors.evidence import Evidence
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.vision.crop import CROP_SIZE, alignment, corners, cut
from tests.support.faces import backdrop, paste, person
from tests.support.monitored import stretch

LANDMARKS = np.array([[280, 150], [340, 155], [308, 190], [285, 215], [335, 218]], np.float32)


async def test_the_heat_map_comes_with_the_crop_that_was_explained(database: Any) -> None:
    image = paste(backdrop(640, 360), person(), (320, 180), 250)
    turned = alignment(LANDMARKS)
    table = IncidentTable(database)
    evidence = Evidence(lambda track: None)
    one = stretch(suspicious_at=1.0)
    table.save([one], None)
    evidence.saw(image, 1.0)
    evidence.judged(1.0, [one], [one])
    evidence.saw(np.zeros_like(image), 1.2)
    evidence.judged(1.2, [], [one])
    places = (corners(turned) / (640, 360)).tolist()
    evidence.explained({"track": one.track, "heat": [[0.5]], "corners": places})
    evidence.end()
    await evidence.keep(table)
    kept = table.picture("i1", "heat")
    assert kept is not None and kept[0] == "application/json"
    told = json.loads(kept[1])
    assert told["heat"] == [[0.5]]
    head, _, data = told["face"].partition(",")
    assert head == "data:image/jpeg;base64"
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (CROP_SIZE, CROP_SIZE, 3)
    wanted = cut(image, turned).astype(int)
    assert np.abs(shown[..., ::-1].astype(int) - wanted).mean() < 6
