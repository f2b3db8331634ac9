"""Where a run's figures are shown: TensorBoard always, Weights & Biases where it is asked for."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from lightning.pytorch.loggers import Logger, TensorBoardLogger

from training.run_dir import RunDir


def make_loggers(run: RunDir, wandb: str = "") -> list[Logger]:
    """The loggers of ``run``; ``wandb`` is a project of Weights & Biases.

    Raises ``ValueError`` where its package is missing.
    """
    loggers: list[Logger] = [TensorBoardLogger(run.path, name="tensorboard", version="")]
    if wandb:
        loggers.append(_wandb(run, wandb))
    return loggers


def close(loggers: Sequence[Logger]) -> None:
    """End the Weights & Biases run, which would else stay open as long as the process."""
    if len(loggers) > 1:
        import wandb

        wandb.finish()


def _wandb(run: RunDir, project: str) -> Logger:
    """Weights & Biases; a run that is taken up again goes on in the same one there."""
    try:
        import wandb  # noqa: F401  # Lightning's own message names no extra of this project
    except ImportError as error:
        raise ValueError("--wandb needs a package more: pip install 'fakelight[wandb]'") from error
    from lightning.pytorch.loggers import WandbLogger

    known = run.path / "wandb_id.txt"
    if not known.exists() and not run.silent:
        known.write_text(secrets.token_hex(4) + "\n")
    name = known.read_text().strip() if known.exists() else None
    return WandbLogger(
        project=project, save_dir=run.path, name=run.path.name, version=name, resume="allow"
    )
