"""What cut-outs of faces save and gain on large videos, against whole frames of 960 pixels.

    python -m benchmarks.foveated CLIPS/index.csv [MORE/index.csv] [--seconds 4] [--every 1]

Labelled clips go to a real server over its WebSocket twice, ten pictures a second: as the extension
sends whole frames, and as it sends cut-outs. What is cut out when is decided by the extension's own
module, run in Node, which hears each verdict two pictures late, as over a quick network. Pictures
are JPEG of quality 80.

Clips of more than 960 pixels go as they are ("large"). Each of the others is laid at its own size
into a picture of 1920x1080 ("in 1080p"), before a large copy of itself upside down, so that the
face has as many pixels in the video as it was made with. A video's score is the interquartile mean,
in logits, of the probabilities of the face that was judged most often. Bytes are counted from the
second second on, as in a video that goes on; in the first, faces are not known yet.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image as Pillow
from websockets.asyncio.client import ClientConnection, connect

from stream_server import protocol
from stream_server.bench.server import ServerProcess, own_server
from stream_server.rect import MAX_PARTS
from stream_server.rhythm import Rhythm
from stream_server.scan.faces.verdict import robust
from stream_server.vision.types import Image
from training.data.layouts import Item, clips
from training.judge.metrics import auc, interval

RATE = 10
LARGE = (1920, 1080)
WHOLE_SIDE = 960
LATE = 2  # pictures until a verdict has come back
WAYS = ("whole frames", "cut-outs")
FOVEA = Path(__file__).parents[1] / "extension" / "capture" / "fovea.js"
PLANNER = f"""
import {{ createInterface }} from "node:readline";
import {{ Fovea }} from "{FOVEA.as_uri()}";
const fovea = new Fovea();
fovea.parts = {MAX_PARTS};
for await (const line of createInterface({{ input: process.stdin }})) {{
  const {{ saw, size, time }} = JSON.parse(line);
  if (saw) fovea.saw(saw);
  else console.log(JSON.stringify(fovea.plan(size, time, 1000 * time)));
}}
"""


class Planner:
    """The extension's own decision what of a video to send; one a video."""

    def __init__(self) -> None:
        command = ["node", "--input-type=module", "-e", PLANNER]
        self._node = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def saw(self, verdict: dict[str, Any]) -> None:
        self._tell({"saw": verdict})

    def plan(self, width: int, height: int, time: float) -> dict[str, Any]:
        """``width``, ``height`` and ``rect`` of the picture at ``time`` (seconds)."""
        self._tell({"size": {"width": width, "height": height}, "time": time})
        assert self._node.stdout is not None
        shown: dict[str, Any] = json.loads(self._node.stdout.readline())
        return shown

    def close(self) -> None:
        self._node.kill()
        self._node.wait()

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps(message) + "\n")
        self._node.stdin.flush()


@dataclass
class Watched:
    """One clip sent in one way. ``sizes`` are the pixels of the face's side that were sent;
    ``as_it_is``: it was large by itself."""

    as_it_is: bool = False
    seconds: float = 0.0
    sent: int = 0
    faces: int = 0
    judged: int = 0
    sizes: list[float] = field(default_factory=list)
    scores: dict[int, list[float]] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        """The video's, ``None`` where no face was judged."""
        return robust(max(self.scores.values(), key=len, default=[]))


def pictures(item: Item, seconds: float) -> Iterator[tuple[float, Image]]:
    """The clip's pictures at its own size, as many as are sampled."""
    rhythm = Rhythm(RATE)
    left, top, right, bottom = item.region
    with av.open(str(item.path)) as container:
        for frame in container.decode(video=0):
            time = frame.time or 0.0
            if time > seconds:
                return
            if not rhythm.due(time):
                continue
            image = frame.to_ndarray(format="rgb24")
            height, width = image.shape[:2]
            inside = image[
                round(top * height) : round(bottom * height),
                round(left * width) : round(right * width),
            ]
            yield time, np.ascontiguousarray(inside)


def in_large(image: Image) -> Image:
    """``image`` at its own size in a picture of ``LARGE``, before a large copy of itself that is
    upside down, so that no face is found in it."""
    wide = cv2.resize(image[::-1], LARGE, interpolation=cv2.INTER_CUBIC)
    left, top = (LARGE[0] - image.shape[1]) // 3 // 2 * 2, (LARGE[1] - image.shape[0]) // 4 * 2
    wide[top : top + image.shape[0], left : left + image.shape[1]] = image
    return np.asarray(wide, np.uint8)


def drawn(image: Image, shown: dict[str, Any]) -> bytes:
    """The JPEG of what of ``image`` is ``shown``."""
    canvas = np.zeros((shown["height"], shown["width"], 3), np.uint8)
    whole = [0, 0, image.shape[1], image.shape[0]]
    all_of_it = [{"of": whole, "at": [0, 0, shown["width"], shown["height"]]}]
    for part in shown.get("rect", {}).get("parts", all_of_it):
        x, y, width, height = part["of"]
        left, top, across, down = part.get("at", all_of_it[0]["at"])
        piece = image[y : y + height, x : x + width]
        if (across, down) != (width, height):
            shrunk = across * 2 <= width
            how = cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR
            piece = np.asarray(cv2.resize(piece, (across, down), interpolation=how), np.uint8)
        canvas[top : top + down, left : left + across] = piece
    out = io.BytesIO()
    Pillow.fromarray(canvas).save(out, "JPEG", quality=80)
    return out.getvalue()


def side_sent(box: list[float], size: tuple[int, int], shown: dict[str, Any]) -> float:
    """Pixels of the longer side of a face where it was sent largest."""
    side = max(box[2] * size[0], box[3] * size[1])
    middle = ((box[0] + box[2] / 2) * size[0], (box[1] + box[3] / 2) * size[1])
    scales = [shown["width"] / size[0]] if len(shown.get("rect", {}).get("parts", [])) < 2 else []
    for part in shown.get("rect", {}).get("parts", []):
        x, y, width, height = part["of"]
        if "at" in part and x <= middle[0] < x + width and y <= middle[1] < y + height:
            scales.append(part["at"][2] / width)
    return side * max(scales, default=0.0)


async def watched(server: ServerProcess, item: Item, way: str, options: Any) -> Watched:
    """Send one clip in one of ``WAYS``."""
    result = Watched()
    planner = Planner() if way == "cut-outs" else None
    try:
        async with connect(
            server.socket_url,
            subprotocols=[protocol.SUBPROTOCOL],
            compression=None,
        ) as socket:
            await socket.send(json.dumps({"type": "hello", "protocol": 1, "token": server.token}))
            await _next(socket, "welcome")
            verdicts: list[dict[str, Any]] = []
            for number, (time, own) in enumerate(pictures(item, options.seconds)):
                result.as_it_is = max(own.shape[:2]) > WHOLE_SIDE
                image = own if result.as_it_is else in_large(own)
                size = (image.shape[1], image.shape[0])
                if planner and len(verdicts) >= LATE:
                    planner.saw(verdicts[-LATE])
                scale = WHOLE_SIDE / max(size)
                shown = (
                    planner.plan(*size, time)
                    if planner
                    else {"width": round(size[0] * scale), "height": round(size[1] * scale)}
                )
                header = {"frame_id": number, "media_time": time, **shown}
                message = protocol.pack_frame(header, drawn(image, shown))
                await socket.send(message)
                verdicts.append(await _next(socket, "verdict"))
                if number >= RATE:
                    result.sent += len(message)
                    result.seconds += 1 / RATE
                for face in verdicts[-1]["faces"]:
                    result.faces += number >= RATE  # none is judged before its 8th sample
                    result.sizes.append(side_sent(face["box"], size, shown))
                    if face["probability"] is not None:
                        result.judged += number >= RATE
                        result.scores.setdefault(face["track"], []).append(face["probability"])
    finally:
        if planner:
            planner.close()
    return result


async def _next(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["type"] == "error":
            raise RuntimeError(message["message"])
        if message["type"] == kind:
            return message


Rows = list[tuple[Item, dict[str, Watched]]]


def figures(rows: Rows) -> dict[str, Any]:
    """What the two ways came to on ``rows``."""
    both = [row for row in rows if all(seen.score is not None for seen in row[1].values())]
    result: dict[str, Any] = {"videos": len(rows), "judged in both ways": len(both)}
    for way in WAYS:
        seen = [ways[way] for _, ways in rows]
        sizes = [size for one in seen for size in one.sizes]
        result[way] = {
            "kB_per_s": round(sum(w.sent for w in seen) / sum(w.seconds for w in seen) / 1000, 1),
            "face_px": round(float(np.median(sizes)), 1) if sizes else None,
            "faces_judged": round(
                sum(w.judged for w in seen) / max(sum(w.faces for w in seen), 1), 3
            ),
            "videos_judged": sum(one.score is not None for one in seen),
            "auc": _auc([row for row in rows if row[1][way].score is not None], way),
            "auc_of_both": _auc(both, way),
        }
    whole, cut = (result[way]["kB_per_s"] for way in WAYS)
    return result | {"bytes": round(cut / whole, 3)}


def _auc(rows: Rows, way: str) -> dict[str, Any] | None:
    fake = np.array([item.label == "fake" for item, _ in rows])
    score = np.array([ways[way].score for _, ways in rows], np.float64)
    if not fake.any() or fake.all():
        return None
    people = [item.identities[0] if item.identities else item.name for item, _ in rows]
    found = interval(lambda chosen: auc(fake[chosen], score[chosen]), people)
    return {"value": round(auc(fake, score), 3), "interval": found}


def grouped(rows: Rows) -> dict[str, Any]:
    """``figures`` of each kind of source, of each data set in it, and of each of its fakes' makers
    against the data set's own real videos."""
    result = {}
    for kind, as_it_is in (("large", True), ("in 1080p", False)):
        some = [row for row in rows if row[1][WAYS[0]].as_it_is is as_it_is]
        if some:
            result[kind] = figures(some)
        for name in sorted({item.dataset for item, _ in some}):
            own = [row for row in some if row[0].dataset == name]
            result[f"{kind}, {name}"] = figures(own)
            for method in sorted({item.method for item, _ in own} - {""}):
                among = [row for row in own if row[0].method in ("", method)]
                result[f"{kind}, {name}, {method}"] = figures(among)
    return result


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    items = [item for index in options.index for item in clips(index.parent)]
    items = [item for item in items if item.split == options.split]
    if options.source:
        items = [item for item in items if any(name in item.dataset for name in options.source)]
    rows: Rows = []
    with own_server() as server:
        for item in items[:: options.every]:
            ways = {way: await watched(server, item, way, options) for way in WAYS}
            rows.append((item, ways))
            print(item.name, *(_shown(seen) for seen in ways.values()), file=sys.stderr)
    return grouped(rows)


def _shown(seen: Watched) -> str:
    score = "no verdict" if seen.score is None else f"{seen.score:.3f}"
    return f"[{seen.sent / max(seen.seconds, 0.1) / 1000:.0f} kB/s {score}]"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("index", type=Path, nargs="+", help="a table of clips: index.csv")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--source", nargs="+", help="only sources whose name holds one of these")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each clip")
    parser.add_argument("--every", type=int, default=1, help="take each n-th clip")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    text = json.dumps(asyncio.run(measure(options)), indent=2) + "\n"
    if options.json:
        options.json.write_text(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
