"""Training the maker against its critics, from checkpoint to checkpoint.

Each iteration's randomness comes from the seed and the iteration's number alone, so a run that was
killed and goes on from its last checkpoint makes what it would have made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stream_server.atomic import replacing
from training.gan.faces import Person
from training.gan.losses import Weights, critic_loss, maker_loss
from training.gan.nets import PEOPLE, Critic, Shape, Swapper, composed
from training.gan.warp import Batch, Bend, draw, training_faces
from training.models.weights import read

# 16 is for GPUs without bfloat16, such as a V100: its gradients are scaled up to stay in range.
PRECISIONS = {"32": None, "bf16": torch.bfloat16, "16": torch.float16}
_PRIME = 1_000_003  # spreads neighbouring seeds apart


@dataclass(frozen=True)
class Plan:
    """How to train. ``batch`` is pictures of each person an iteration.

    The rate falls to nothing over the last quarter of ``iterations``; the critics join between
    ``critic_from`` and twice that.
    """

    iterations: int = 20_000
    batch: int = 4
    rate: float = 3e-4
    critic_from: int = 1000
    critic_every: int = 2
    precision: str = "32"
    seed: int = 0
    device: str = "cpu"
    weights: Weights = field(default_factory=Weights)
    bend: Bend = field(default_factory=Bend)

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations is {self.iterations}, it must be at least 1")
        if not 1 <= self.batch <= 512:
            raise ValueError(f"batch is {self.batch}, it must be 1 to 512")
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"precision is {self.precision!r}, it must be one of {', '.join(PRECISIONS)}"
            )

    def rate_at(self, iteration: int) -> float:
        """The learning rate of an iteration."""
        left = 1 - iteration / self.iterations
        return self.rate * min(max(left, 0.0) * 4, 1.0)

    def warmth_at(self, iteration: int) -> float:
        """How much the critics count in an iteration, 0 to 1."""
        if self.critic_from == 0:
            return 1.0
        return min(max(iteration / self.critic_from - 1, 0.0), 1.0)


class Trainer:
    """The maker, the critics, their optimizers, and how far they are."""

    def __init__(self, shape: Shape, plan: Plan, people: Mapping[str, Person]) -> None:
        self.shape, self.plan = shape, plan
        torch.manual_seed(plan.seed)
        # Channels last: what the CPU's and the GPU's convolutions are quickest on.
        self.maker = Swapper(shape).to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.critics = nn.ModuleDict({person: Critic(shape) for person in PEOPLE})
        self.critics.to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        betas = (0.5, 0.99)
        self.maker_steps = torch.optim.Adam(self.maker.parameters(), plan.rate, betas, fused=True)
        self.critic_steps = torch.optim.Adam(
            self.critics.parameters(), plan.rate, betas, fused=True
        )
        kind = torch.device(plan.device).type
        self.scaler = torch.amp.GradScaler(kind, enabled=plan.precision == "16")
        self.faces = {person: training_faces(people[person]) for person in PEOPLE}
        self.iteration = 0
        self.seconds = 0.0

    def run(
        self,
        until: Callable[[Trainer], bool],
        each: Callable[[Trainer, dict[str, Tensor]], None],
    ) -> None:
        """Iterate until the plan is through or ``until`` says so; ``each`` sees every iteration."""
        self.maker.train()
        started, before = time.monotonic(), self.seconds
        while self.iteration < self.plan.iterations and not until(self):
            terms = self.step()
            self.seconds = before + time.monotonic() - started
            each(self, terms)

    def step(self) -> dict[str, Tensor]:
        """One iteration; returns the terms of the loss, both people's mean."""
        plan, dtype = self.plan, PRECISIONS[self.plan.precision]
        rng = torch.Generator().manual_seed(plan.seed * _PRIME + self.iteration)
        batches = {person: self._draw(person, rng) for person in PEOPLE}
        warmth = plan.warmth_at(self.iteration)
        for steps in (self.maker_steps, self.critic_steps):
            steps.param_groups[0]["lr"] = plan.rate_at(self.iteration)
        kind = torch.device(plan.device).type
        self.critics.requires_grad_(False)
        totals: list[Tensor] = []
        made: dict[str, Tensor] = {}
        sums: dict[str, Tensor] = {}
        with torch.autocast(kind, dtype, enabled=dtype is not None):
            codes = self.maker.encoder(torch.cat([batches[person].source for person in PEOPLE]))
            for person, code in zip(PEOPLE, codes.split(plan.batch), strict=True):
                picture, mask = self.maker.decoders[person](code)
                made[person] = composed(picture, mask, batches[person].source)
                total, terms = maker_loss(
                    picture, mask, batches[person], self._critic(person), plan.weights, warmth
                )
                totals.append(total)
                for name, value in terms.items():
                    sums[name] = sums.get(name, 0) + value.detach() / len(PEOPLE)
        self._descend(self.maker_steps, sum(totals))
        if plan.critic_from <= self.iteration and self.iteration % plan.critic_every == 0:
            self.critics.requires_grad_(True)
            with torch.autocast(kind, dtype, enabled=dtype is not None):
                losses = [
                    critic_loss(self._critic(person), made[person], batches[person])
                    for person in PEOPLE
                ]
            sums["critics"] = sum(losses).detach() / len(PEOPLE)  # type: ignore[union-attr]
            self._descend(self.critic_steps, sum(losses))
        self.iteration += 1
        return sums

    def _critic(self, person: str) -> Critic:
        critic = self.critics[person]
        assert isinstance(critic, Critic)
        return critic

    def _draw(self, person: str, rng: torch.Generator) -> Batch:
        plan = self.plan
        drawn = draw(self.faces[person], plan.batch, self.shape.size, plan.bend, rng)
        return Batch(*(part.to(plan.device) for part in (drawn.source, drawn.target, drawn.mask)))

    def _descend(self, steps: torch.optim.Optimizer, loss: Any) -> None:
        self.scaler.scale(loss).backward()
        self.scaler.step(steps)
        self.scaler.update()
        steps.zero_grad()

    def save(self, path: Path) -> None:
        """Write a checkpoint; the old one stays until the new one is complete."""
        state = {
            "shape": self.shape.facts(),
            "iteration": self.iteration,
            "seconds": self.seconds,
            "maker": self.maker.state_dict(),
            "critics": self.critics.state_dict(),
            "maker_steps": self.maker_steps.state_dict(),
            "critic_steps": self.critic_steps.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        with replacing(path) as part:
            torch.save(state, part)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises ``ValueError`` where its networks are of another size."""
        state = read_checkpoint(path)
        if state["shape"] != self.shape.facts():
            raise ValueError(f"{path} was trained with {state['shape']}, not {self.shape.facts()}")
        self.maker.load_state_dict(state["maker"])
        self.critics.load_state_dict(state["critics"])
        self.maker_steps.load_state_dict(state["maker_steps"])
        self.critic_steps.load_state_dict(state["critic_steps"])
        if self.scaler.is_enabled() and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        self.iteration, self.seconds = int(state["iteration"]), float(state["seconds"])


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content. Raises ``FileNotFoundError`` where there is none."""
    return read(path, ": run synthesize --gan with this --run first")


def load_maker(path: Path) -> tuple[Swapper, int]:
    """The trained maker alone, ready to swap, and its number of iterations."""
    state = read_checkpoint(path)
    maker = Swapper(Shape(**state["shape"]))
    maker.load_state_dict(state["maker"])
    return maker.eval(), int(state["iteration"])
