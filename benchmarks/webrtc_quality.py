"""What the video path costs the detector: AUC over clips, single JPEG pictures against VP8.

    python benchmarks/webrtc_quality.py CLIPS/index.csv [--split dev] [--kbit 2000 250]

Every clip goes through the server's own stream three times or more, ten pictures a second, the
longer side at most 960: as JPEG of quality 80 (the WebSocket path of the extension), and as VP8 at
each bitrate from libvpx with a live encoder's options (the WebRTC path). Encoding and decoding are
real; the network is not in it, so losses cost what they cost besides. A clip's score is the median
probability of its largest face. The index has the columns file, split, label (real, fake), source,
and half (full, left, right: which part of the picture is the clip).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image as Pillow

from stream_server.engine import MicroBatcher, open_engine
from stream_server.evidence import StreamOptions
from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.region import within
from stream_server.settings import Settings, load
from stream_server.stream import Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.types import Frame, Image
from training.data.layouts import Item, clips

RATE = 10


def pictures(item: Item) -> Iterator[Image]:
    """The clip at ten pictures a second as a scan sees it, with even sides."""
    media = within(open_media(item.path, item.name), item.region)
    for _, frame in media.read(WHOLE, RATE, ReadCounts()):
        height, width = (side - side % 2 for side in frame.image.shape[:2])
        yield np.ascontiguousarray(frame.image[:height, :width])


def as_jpeg(source: list[Image]) -> tuple[list[Image], int]:
    """The pictures after JPEG of quality 80, and how many bytes they took."""
    out, count = [], 0
    for picture in source:
        encoded = io.BytesIO()
        Pillow.fromarray(picture).save(encoded, "JPEG", quality=80)
        count += len(encoded.getvalue())
        out.append(np.asarray(Pillow.open(encoded).convert("RGB")))
    return out, count


def as_vp8(source: list[Image], kbit: int) -> tuple[list[Image], int]:
    """The pictures after VP8 at ``kbit`` per second, and how many bytes they took."""
    height, width = source[0].shape[:2]
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = kbit * 1000, 3000, 1
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.qmin, encoder.qmax = 2, 56
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    decoder = av.CodecContext.create("libvpx", "r")
    out: list[Any] = []
    count = 0
    frames: list[Any] = []
    for number, picture in enumerate(source):
        frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        frames.append(frame)
    for frame in [*frames, None]:
        for packet in encoder.encode(frame):
            count += packet.size
            out += [one.to_ndarray(format="rgb24") for one in decoder.decode(packet)]
    return out, count


class Judge:
    """The server's stream over one engine."""

    def __init__(self, settings: Settings) -> None:
        self.engine = open_engine("embedded", settings.models, threads=settings.threads)
        self.policy = VerdictPolicy.from_parameters(self.engine.repository.parameters)
        self.batcher = MicroBatcher(self.engine)
        self.detector = FaceDetector(min_face=settings.min_face, threads=settings.threads)

    async def score(self, source: list[Image]) -> float | None:
        """The median probability of the largest face, ``None`` where there is no verdict."""
        stream = Stream(FaceTracker(self.detector), self.batcher, self.policy, StreamOptions())
        found = []
        for number, picture in enumerate(source):
            faces = await stream.analyse(Frame(picture, number / RATE, number))
            judged = [face for face in faces if face.probability is not None]
            if judged:
                largest = max(judged, key=lambda face: face.box[2] * face.box[3])
                found.append(largest.probability)
        return float(np.median(found)) if found else None


def auc(fakes: list[float], reals: list[float]) -> float | None:
    """The share of pairs that are in the right order; ties count half."""
    if not fakes or not reals:
        return None
    order = np.subtract.outer(np.array(fakes), np.array(reals))
    return round(float((order > 0).mean() + (order == 0).mean() / 2), 4)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    settings = load(models=options.models)
    judge = Judge(settings)
    paths = ["jpeg", *(f"vp8_{kbit}" for kbit in options.kbit)]
    scores: dict[str, list[tuple[str, str, float | None]]] = {path: [] for path in paths}
    sent = dict.fromkeys(paths, 0)
    seconds = 0.0
    items = [item for item in clips(options.index.parent) if item.split == options.split]
    if options.source:
        items = [item for item in items if options.source in item.dataset]
    for item in items[:: options.every]:
        source = list(pictures(item))
        seconds += len(source) / RATE
        for path in paths:
            if path == "jpeg":
                shown, count = as_jpeg(source)
            else:
                shown, count = as_vp8(source, int(path.removeprefix("vp8_")))
            sent[path] += count
            scores[path].append((item.dataset, item.label, await judge.score(shown)))
        print(item.path.name, *(scores[path][-1][2] for path in paths), file=sys.stderr)
    await judge.batcher.close()
    await judge.engine.close()
    return {
        "members": judge.engine.repository.members,
        "clips": len(scores["jpeg"]),
        "kbit_per_s": {path: round(sent[path] * 8 / 1000 / seconds) for path in paths},
        "without_verdict": {
            path: sum(score is None for _, _, score in scores[path]) for path in paths
        },
        "auc": {
            name: {path: _auc_of(scores, path, name) for path in paths}
            for name in ("all", *sorted({source for source, _, _ in scores["jpeg"]}))
        },
    }


def _auc_of(
    scores: dict[str, list[tuple[str, str, float | None]]], path: str, name: str
) -> float | None:
    """Over the clips of a source that have a verdict on every path."""
    whole = [
        i
        for i, (source, _, _) in enumerate(scores[path])
        if name in ("all", source) and all(rows[i][2] is not None for rows in scores.values())
    ]
    by_label: dict[str, list[float]] = {"real": [], "fake": []}
    for i in whole:
        _, label, score = scores[path][i]
        assert score is not None
        by_label[label].append(score)
    return auc(by_label["fake"], by_label["real"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--source", help="only sources whose name holds this")
    parser.add_argument("--kbit", type=int, nargs="+", default=[2000, 250])
    parser.add_argument("--every", type=int, default=1, help="take each n-th clip")
    parser.add_argument("--models", type=Path)
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
