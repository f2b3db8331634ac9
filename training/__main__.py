"""``python -m training STEP``: the steps from raw videos to members of the model repository."""

from __future__ import annotations

import importlib
import sys

# Modules are imported when their step runs, so that --help needs no PyTorch.
STEPS: dict[str, tuple[str, str]] = {
    "extract": ("training.steps.extract", "videos and pictures to shards of face patches"),
    "splits": ("training.steps.splits", "split by identity; refuse a split that leaks"),
    "autoencoders": ("training.steps.autoencoders", "small nets that make real faces anew"),
    "train": ("training.steps.train", "train an encoder on single crops, or a head on windows"),
    "pack": ("training.steps.pack", "less of the shards, in pieces small enough to be carried"),
    "together": ("training.steps.together", "several nets on the same batches, on a quick GPU"),
    "assemble": ("training.steps.assemble", "weights of the together step as a whole net"),
    "probe": ("training.steps.probe", "a member on the features that served encoders give"),
    "published": ("training.steps.published", "MesoNet's published weights as a member"),
    "average": ("training.steps.average", "one set of weights from several runs of one model"),
    "synthesize": ("training.steps.synthesize", "self-blended fakes; --gan: face swaps"),
    "models": ("training.steps.models", "list the registry, one name a line"),
    "evaluate": ("training.steps.evaluate", "figures per group and delivery tier; JSON, HTML"),
    "ablate": ("training.steps.ablate", "head against mean, members against vote"),
    "calibrate": ("training.steps.calibrate", "fit the vote and its thresholds on dev"),
    "judge": ("training.steps.judge", "members and their votes by folds over people"),
    "explain": ("training.steps.explain", "show where in a face a member sees manipulation"),
    "export": ("training.steps.export", "write members and vote into the model repository"),
    "quantise": ("training.steps.quantise", "an encoder in 8 bit, for the embedded engine"),
    "heat": ("training.steps.heat", "the heat map model of a DINOv2 member"),
    "full": ("training.steps.full", "a repository of the large members, for a GPU"),
    "chain": ("training.steps.chain", "all of the above in order, from raw videos to a member"),
    "product": ("training.steps.product", "labelled videos through the whole product"),
    "lrnet": ("training.steps.lrnet", "the same videos through LRNet's published weights"),
    "card": ("training.steps.card", "put the evaluation's figures into the model card"),
    "sample": ("training.steps.sample", "make the sample clip that the live page shows"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one step; returns its exit status: 0 done, 2 for input that cannot be used."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, STEPS))
        lines = [f"  {name:{width}}  {what}" for name, (_, what) in STEPS.items()]
        sys.stdout.write("usage: python -m training STEP [--help]\n\n" + "\n".join(lines) + "\n")
        return 0
    step = arguments[0]
    if step not in STEPS:
        sys.stderr.write(f"no step {step!r}; there are {', '.join(STEPS)}\n")
        return 2
    try:
        result = importlib.import_module(STEPS[step][0]).main(arguments[1:])
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "training", "stream_server"):
            raise
        sys.stderr.write(
            f"{step}: {missing} is not installed; training runs in a checkout of the repository, "
            "with what pip install -e '.[train]' installs there\n"
        )
        return 2
    except (ValueError, FileNotFoundError) as error:
        sys.stderr.write(f"{step}: {error}\n")
        return 2
    return int(result or 0)


if __name__ == "__main__":
    raise SystemExit(main())
