"""From a trained frame model to a member: features of augmented passes, then the head."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import lightning as L
from torch import nn
from torch.utils.data import DataLoader

from training.data.manifest import Manifest
from training.fit.frame_model import FrameModel
from training.fit.head_module import HeadModule
from training.fit.settings import HeadSettings
from training.fit.windows import Windows, make_passes, read_passes
from training.judge.metrics import auc
from training.judge.scoring import Followed, follow, series_of, video_logit
from training.models.encoding import encode_with
from training.models.heads import SequenceHead
from training.models.member import Member, save_member
from training.models.registry import Spec, feature_dim, make_encoder, make_head
from training.models.weights import frames_figures, read_frames
from training.run_dir import RunDir


def train_head(
    spec: Spec,
    run: RunDir,
    train: Manifest,
    dev: Manifest,
    frames: Path | None,
    settings: HeadSettings,
) -> Member:
    """Train the head of ``spec`` on the frozen encoder in ``frames``; writes ``member.pt``.

    ``frames`` is a file of a frames run; None for a member that sees landmarks alone.

    Where the trained head does worse on dev than the mean of its frames, from which it began,
    the mean is kept; the run's log holds both figures. A head of another kind has no mean of
    frames in it and is kept as it is.
    """
    encoder, logit = load_frames(spec, frames) if frames is not None else (None, None)
    dim = feature_dim(encoder)
    encode = encode_with(encoder, settings.half)
    paths: list[Path] = []
    features, seed = run.path / "features", settings.seed
    for path in make_passes(
        train, encode, features / "train", settings.passes, settings.stills, seed
    ):
        paths.append(path)
        if sys.stderr.isatty():
            sys.stderr.write(f"\rfeatures: {len(paths)} files\033[K")
    tracks = [views[0] for views in follow(dev, [(encode, features / "dev")])]
    head = make_head(spec, dim)
    begun: nn.Module = head
    if logit is not None:
        begun = SequenceHead(dim, "mean")
        for one in (begun, head):
            if isinstance(one, SequenceHead):
                one.frame.load_state_dict(logit.state_dict())
    before = head_figures(Member(spec.name, encoder, begun, dim).eval(), tracks)
    windows = Windows(read_passes(paths), settings.batch, seed, landmarks=encoder is None)
    module = HeadModule(head, settings.steps)
    head.train()
    trainer = L.Trainer(
        max_steps=settings.steps,
        max_epochs=1,
        accelerator=settings.accelerator,
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        gradient_clip_val=1.0,
    )
    trainer.fit(module, DataLoader(windows, batch_size=None))
    member = Member(spec.name, encoder, module.averaged, dim).eval()
    after = head_figures(member, tracks)
    run.log("head", mean_of_frames=before, trained=after)
    worse = _choice(after, tracks) < _choice(before, tracks)
    if logit is not None and isinstance(head, SequenceHead) and worse:
        kept = make_head(spec, dim)
        assert isinstance(kept, SequenceHead)
        kept.frame.load_state_dict(logit.state_dict())
        member, after = Member(spec.name, encoder, kept, dim).eval(), before
    save_member(run.path / "member.pt", member, {"dev": after, "mean_of_frames": before})
    return member


def mean_member(spec: Spec, frames: Path, path: Path) -> Member:
    """The encoder in ``frames`` with the mean of its frame logits as its head, written to ``path``.

    Raises ``FileNotFoundError`` without ``frames``, and ``ValueError`` where they are another
    model's, and for a model without an encoder or whose head holds no mean of frames.
    """
    encoder, logit = load_frames(spec, frames)
    dim = feature_dim(encoder)
    head = make_head(spec, dim)
    if not isinstance(head, SequenceHead):
        raise ValueError(f"{spec.name}: its head is not the mean of frames and must be trained")
    head.frame.load_state_dict(logit.state_dict())
    member = Member(spec.name, encoder, head, dim).eval()
    dev = frames_figures(frames)
    save_member(path, member, {"dev": dev, "mean_of_frames": dev})
    return member


def load_frames(spec: Spec, path: Path) -> tuple[nn.Module, nn.Linear]:
    """The encoder and the frame logit of a frames run.

    Raises ``FileNotFoundError``, and ``ValueError`` where the file is of another model.
    """
    state = read_frames(path)
    encoder = make_encoder(spec)
    if encoder is None:
        raise ValueError(f"{spec.name} has no encoder")
    model = FrameModel(encoder, feature_dim(encoder))
    model.take(state, path)
    return model.encoder, model.logit


def head_figures(member: Member, tracks: Sequence[Followed]) -> dict[str, float]:
    """AUC by video and data set on windows of 20."""
    groups: dict[str, list[Followed]] = {}
    for track in tracks:
        groups.setdefault(track.sample.dataset, []).append(track)
    result: dict[str, float] = {}
    for name, members in groups.items():
        labels = [track.fake for track in members]
        if any(labels) and not all(labels):
            scores = [
                video_logit(member, series_of(member, {member.name: track})) for track in members
            ]
            result[name] = auc(labels, scores)
    return result


def _choice(figures: dict[str, float], tracks: Sequence[Followed]) -> float:
    """The mean over data sets of video: single pictures have no windows to choose by."""
    moving = {track.sample.dataset for track in tracks if not track.still}
    values = [value for name, value in figures.items() if name in moving] or list(figures.values())
    return sum(values) / len(values) if values else 0.0
