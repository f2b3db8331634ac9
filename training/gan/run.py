"""A run of the maker in a folder: faces, checkpoints, grids, a log, errors before and after.

faces.npz       both people's faces, cut once
checkpoint.pt   the last complete state; a killed run goes on from it
grids/          pictures of the state every some thousand iterations
report.json     errors on held-out faces before and after
log.jsonl       the losses
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from stream_server.atomic import write_text
from training.gan import faces
from training.gan.clips import Made
from training.gan.faces import Person
from training.gan.grid import grid, write_grid
from training.gan.measure import errors
from training.gan.nets import PEOPLE, Shape
from training.gan.trainer import Plan, Trainer
from training.run_dir import RunDir

CHECKPOINT = "checkpoint.pt"
FACES = "faces.npz"
REPORT = "report.json"
_SHOWN = 50  # iterations between two looks at the losses


@dataclass(frozen=True)
class Pace:
    """When to stop, and how often to write. ``minutes`` is of training, over all its starts."""

    minutes: float | None = None
    checkpoint_seconds: float = 60.0
    grid_every: int = 2000

    def __post_init__(self) -> None:
        if self.minutes is not None and self.minutes <= 0:
            raise ValueError(f"minutes is {self.minutes}, it must be more than 0")
        if self.grid_every < 1:
            raise ValueError(f"grid-every is {self.grid_every}, it must be at least 1")


def people_of(
    run: Path, clips: Mapping[str, Sequence[Path]], size: int, held: float
) -> dict[str, Person]:
    """Both people's faces, from the run's folder where they were cut already.

    Raises ``ValueError`` where the folder's faces are of other clips or another size.
    """
    wanted = {
        "clips": {person: [str(path.resolve()) for path in clips[person]] for person in PEOPLE},
        "size": size,
        "held": held,
    }
    facts = run / "faces.json"
    if facts.is_file() and (run / FACES).is_file():
        found = json.loads(facts.read_text())
        if found != wanted:
            raise ValueError(f"{run} holds faces of {found}, not of {wanted}: take another --run")
        return faces.load(run / FACES)
    people = {person: faces.collect(clips[person], person, size, held=held) for person in PEOPLE}
    faces.save(run / FACES, people)
    write_text(facts, json.dumps(wanted, indent=1) + "\n")
    return people


def train(
    folder: Path, people: Mapping[str, Person], shape: Shape, plan: Plan, pace: Pace
) -> Trainer:
    """Train in ``folder`` until the plan or the time is over; goes on where it was cut off."""
    trainer = Trainer(shape, plan, people)
    checkpoint = folder / CHECKPOINT
    run = RunDir(folder, {"shape": shape, "plan": plan, "pace": pace})
    report: dict[str, Any] = {}
    if checkpoint.is_file():
        trainer.load(checkpoint)
        report = read_report(folder)
        run.log("resumed", iteration=trainer.iteration)
    if "before" not in report:
        report["before"] = errors(trainer.maker, people)
        write_report(folder, report)
    written = time.monotonic()
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}

    def each(trainer: Trainer, terms: dict[str, Tensor]) -> None:
        nonlocal written
        for name, value in terms.items():
            sums[name] = sums.get(name, 0) + value
            counts[name] = counts.get(name, 0) + 1
        number = trainer.iteration
        if number % _SHOWN == 0:
            means = {name: round(float(value) / counts[name], 5) for name, value in sums.items()}
            sums.clear()
            counts.clear()
            run.log("iteration", iteration=number, seconds=round(trainer.seconds, 1), **means)
            rate = trainer.seconds / number
            sys.stderr.write(
                f"\r{number}/{plan.iterations} {rate:.3f} s each, picture {means['picture']}\033[K"
            )
        if time.monotonic() - written >= pace.checkpoint_seconds:
            trainer.save(checkpoint)
            written = time.monotonic()
        if number % pace.grid_every == 0:
            run.log("held out", iteration=number, **errors(trainer.maker, people))
            write_grid(folder / "grids" / f"{number:06d}.png", grid(trainer.maker, people))

    def until(trainer: Trainer) -> bool:
        return pace.minutes is not None and trainer.seconds >= 60 * pace.minutes

    trainer.run(until, each)
    trainer.save(checkpoint)
    report |= {
        "iterations": trainer.iteration,
        "minutes": round(trainer.seconds / 60, 2),
        "after": errors(trainer.maker, people),
        "after_on_training_faces": errors(trainer.maker, people, held=False),
    }
    write_report(folder, report)
    write_grid(folder / "grid.png", grid(trainer.maker, people))
    sys.stderr.write("\n")
    return trainer


def finish_report(
    folder: Path, made: Sequence[Made], judged: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Add the videos that were ``made``, and what a detector said to them, to the report."""
    report = read_report(folder)
    report["clips"] = {one.file: {"frames": one.frames, "swapped": one.swapped} for one in made}
    if judged is not None:
        report["judged"] = judged
    write_report(folder, report)
    return report


def read_report(folder: Path) -> dict[str, Any]:
    """What the run has reported so far; nothing where it is new."""
    path = folder / REPORT
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Write ``report.json``."""
    write_text(folder / REPORT, json.dumps(report, indent=1) + "\n")
