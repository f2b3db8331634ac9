"""What it saves to let members look less often, in one run on one machine.

    python -m benchmarks.member_rates [--models DIR] [--more DIR] [--hz 5] [--rounds 7] [--json F]

One face, 640x360, ten samples a second, through a whole stream on the embedded engine, with the
members of ``--models`` at every sample, with all that have an encoder at ``--hz``, and with those
of ``--more`` at ``--hz``. They take turns, in a new order every round, so that whatever else the
machine does falls on all alike; a ratio is the median of the ratios within the rounds, to the first
of the three. Figures are for a second of a face whose first verdict is there: CPU seconds of the
process, of the networks alone, and crops that went through encoders.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from stream_server import resources
from stream_server.engine import EmbeddedEngine, MicroBatcher, ModelRepository
from stream_server.engine.spec import Arrays, ModelSpec
from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.video import VideoFile
from stream_server.stream import Stream
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector
from stream_server.vision.face_tracker import FaceTracker
from stream_server.vision.types import Frame, Image
from training.export.ensembles import write_ensembles
from training.export.member_rate import set_rate

_SAMPLE_HZ = 10
_SETTLED = 3 * _SAMPLE_HZ  # samples until the window is full and nothing is new any more


class Counted(EmbeddedEngine):
    """Adds up the networks' CPU time and the crops that went through encoders."""

    cpu = 0.0
    crops = 0

    def _run_model(self, spec: ModelSpec, inputs: Arrays) -> dict[str, Any]:
        began = time.thread_time()
        answer = super()._run_model(spec, inputs)
        self.cpu += time.thread_time() - began
        if spec.name.endswith("_encoder"):
            self.crops += len(inputs["FRAMES"])
        return answer


class Watched:
    """One way, with its stream; ``spend`` runs it on for some seconds of media time."""

    def __init__(self, models: Path, pictures: list[Image], detector: FaceDetector) -> None:
        repository = ModelRepository.load(models)
        self.engine = Counted(repository)
        self.batcher = MicroBatcher(self.engine)
        policy = VerdictPolicy.from_parameters(repository.parameters)
        self._stream = Stream(FaceTracker(detector), self.batcher, policy)
        # There and back again: a jump to the beginning would be a cut, and a new face.
        self._pictures = cycle([*pictures, *pictures[-2:0:-1]])
        self._numbers = count()

    async def spend(self, seconds: float) -> dict[str, float]:
        """What a second costs."""
        began, networks, crops = time.process_time(), self.engine.cpu, self.engine.crops
        faces = 0
        for picture in islice(self._pictures, round(seconds * _SAMPLE_HZ)):
            number = next(self._numbers)
            found = await self._stream.analyse(Frame(picture, number / _SAMPLE_HZ, number))
            faces += sum(face.probability is not None for face in found)
        whole = faces / _SAMPLE_HZ or float("nan")
        return {
            "cpu_s": (time.process_time() - began) / whole,
            "networks_cpu_s": (self.engine.cpu - networks) / whole,
            "encoded_crops": (self.engine.crops - crops) / whole,
        }


def at_rate(models: Path, hz: float, folder: Path) -> Path:
    """A copy of ``models`` in which every member with an encoder looks ``hz`` times a second."""
    shutil.copytree(models, folder)
    for config in folder.glob("*_encoder"):
        set_rate(folder, config.name.removesuffix("_encoder"), hz)
    write_ensembles(folder)
    return folder


async def measure(ways: dict[str, Path], rounds: int, seconds: float) -> dict[str, Any]:
    """Medians of each way, and of the ratios to the first within the rounds."""
    clip = VideoFile(resources.sample_clip(), "the sample clip")
    read = clip.read(WHOLE, _SAMPLE_HZ, ReadCounts())
    pictures = [frame.image for _, frame in read]
    detector = FaceDetector()
    watched = {name: Watched(path, pictures, detector) for name, path in ways.items()}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for one in watched.values():
        await one.spend(_SETTLED / _SAMPLE_HZ)
    order = random.Random(0)
    for _ in range(rounds):
        for name in order.sample(list(ways), len(ways)):
            found[name].append(await watched[name].spend(seconds))
    for one in watched.values():
        await one.batcher.close()
        await one.engine.close()
    first = found[next(iter(ways))]
    return {
        name: {
            kind: {
                "median": float(np.median([one[kind] for one in each])),
                "ratio": float(
                    np.median([a[kind] / b[kind] for a, b in zip(each, first, strict=True)])
                ),
            }
            for kind in first[0]
        }
        for name, each in found.items()
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=Path, default=resources.models_dir())
    parser.add_argument("--more", type=Path, help="another repository, e.g. of one member more")
    parser.add_argument("--hz", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0, help="of media time in a round")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ways = {"at every sample": options.models}
        ways[f"at {options.hz:g} a second"] = at_rate(
            options.models, options.hz, Path(folder) / "rated"
        )
        if options.more:
            name = f"--more, at {options.hz:g} a second"
            ways[name] = at_rate(options.more, options.hz, Path(folder) / "more")
        figures = asyncio.run(measure(ways, options.rounds, options.seconds))
    for name, kinds in figures.items():
        told = ", ".join(
            f"{kind} {one['median']:.4g} (x {one['ratio']:.2f})" for kind, one in kinds.items()
        )
        print(f"{name:26} {told}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
