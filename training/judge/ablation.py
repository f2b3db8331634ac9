"""What each part is worth: heads against the mean of their frames, members against the vote."""

from __future__ import annotations

from dataclasses import replace

from training.judge.evaluation import Evaluation, aucs
from training.judge.vote import Vote, Voter
from training.models.heads import SequenceHead
from training.models.member import Member

Figures = dict[str, dict[str, float]]


def ablate(evaluation: Evaluation, vote: Vote) -> Figures:
    """AUC by video and group of the vote, of each member alone, and of each encoder without more
    of a head than the mean of its frames.

    Raises ``ValueError`` where the vote is not one of the evaluation's members.
    """
    vote.check_members(member.name for member in evaluation.members)
    judged = evaluation.judged()
    figures: Figures = {"vote": aucs(judged, vote)}
    for number, member in enumerate(evaluation.members):
        alone = vote.alone(member.name)
        figures[member.name] = aucs(judged, alone)
        if isinstance(member.head, SequenceHead):
            evaluation.members[number] = mean_of_frames(member)
            figures[f"{member.name}, mean of frames"] = aucs(evaluation.judged(), alone)
            evaluation.members[number] = member
    return figures


def uncalibrated(evaluation: Evaluation) -> dict[str, float]:
    """AUC by video and group of an evaluation's one member, by its logit as it is."""
    (member,) = evaluation.members
    return aucs(evaluation.judged(), Vote((Voter(member.name),)))


def mean_of_frames(member: Member) -> Member:
    """``member`` with a head that is the mean of its frame logits.

    Raises ``ValueError`` for a head that has no frame logit.
    """
    if not isinstance(member.head, SequenceHead):
        raise ValueError(f"{member.name} has no frame logit to take the mean of")
    head = SequenceHead(member.dim, "mean")
    head.frame.load_state_dict(member.head.frame.state_dict())
    return replace(member, head=head.eval(), facts={})
