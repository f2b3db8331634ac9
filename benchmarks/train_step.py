"""What a training step of MobileNetV2 on the CPU gains from its two shortcuts.

    python -m benchmarks.train_step [--steps 12] [--batch 34] [--rounds 3]

The shortcuts: ``training.models.strided`` (the gradient of strided depthwise convolutions) and
``training.fit.memory`` (freed memory kept). Each of the four variants runs in a process of its own,
one thread, bfloat16, in turn, several rounds; what is printed is the median step of each and how
many times as fast as with neither it is, by the medians of one round against each other.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

VARIANTS = ("neither", "memory", "strided", "both")


def measure(variant: str, steps: int, batch: int) -> float:
    """The median of ``steps`` steps in seconds, in this process."""
    import torch

    from training.fit.frame_model import FrameModel
    from training.fit.memory import keep_freed_memory
    from training.models.encoder import MobileNetV2Encoder, as_input
    from training.models.strided import StridedDepthwise

    torch.set_num_threads(1)
    torch.manual_seed(0)
    if variant in ("memory", "both") and not keep_freed_memory():
        raise SystemExit("the C library is not glibc: nothing to compare")
    encoder = MobileNetV2Encoder()
    if variant in ("neither", "memory"):
        for part in encoder.modules():
            if isinstance(part, StridedDepthwise):
                part.__class__ = StridedDepthwise.__base__  # timm's own
    model = FrameModel(encoder, encoder.dim).train()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    frames = torch.randint(0, 256, (batch, 224, 224, 3), dtype=torch.uint8)
    label = torch.tensor([0.0, 1.0]).repeat(batch // 2)
    spent: list[float] = []
    for _ in range(steps + 3):
        begun = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            score = model(as_input(frames))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score.float(), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent[3:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=34)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        print(json.dumps(measure(options.variant, options.steps, options.batch)))
        return 0
    size = ["--steps", str(options.steps), "--batch", str(options.batch)]
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for _ in range(options.rounds):
        for variant in VARIANTS:
            command = [sys.executable, "-m", "benchmarks.train_step", "--variant", variant, *size]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            found[variant].append(float(json.loads(answer.stdout)))
    for variant, seconds in found.items():
        ratios = [slow / quick for slow, quick in zip(found["neither"], seconds, strict=True)]
        step, ratio = 1000 * statistics.median(seconds), statistics.median(ratios)
        print(
            f"{variant:8} {step:6.0f} ms a step of {options.batch}, "
            f"{ratio:.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
