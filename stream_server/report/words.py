"""The words of a report, for people without training."""

from __future__ import annotations

from pathlib import PurePath

from stream_server.report.model import FaceReport, Report
from stream_server.said import (
    accuracy_words,
    because,
    by_sense,
    looks_at_words,
    percent,
    say,
    verdict_words,
)

__all__ = [
    "accuracy_words",
    "because",
    "by_sense",
    "looks_at_words",
    "percent",
    "say",
    "verdict_words",
]

REASONS: dict[str, str] = {
    "small_face": "the face is too small in the picture; a larger version of the video may help",
    "blurred": "the face is too blurred",
    "profile": "the face is turned too far to the side",
    "dark": "the face is too dark",
    "overexposed": "the face is overexposed",
    "over_compressed": "the video is compressed so strongly that traces of manipulation are lost",
    "few_samples": "the face was not in view for long enough",
    "too_few_pictures": "too few pictures of the face came to judge it by",
}

SHORT_REASONS: dict[str, str] = {
    "small_face": "too small",
    "blurred": "blurred",
    "profile": "turned away",
    "dark": "too dark",
    "overexposed": "too bright",
    "over_compressed": "poor picture",
    "few_samples": "too brief",
    "too_few_pictures": "too few pictures",
}

SCOPE = (
    "Fakelight looks for traces of face manipulation, such as swapped or re-animated faces. It"
    " does not judge sound, and a scene that was generated as a whole may pass unnoticed."
)


HEAT = (
    "Bright yellow marks the parts of the picture that spoke for manipulation, dark the parts that"
    " did not. It shows what the models looked at. It is a hint where to look, not a proof: a model"
    " can be right for a wrong reason, and wrong altogether."
)


def place(heat: tuple[tuple[float, ...], ...]) -> str:
    """Where the most of a heat map lies, in words: the third of the face it falls into."""
    strengths = [
        (sum(heat[row][column] for row in rows for column in columns), name)
        for rows, down in _thirds(len(heat), ("top", "middle", "bottom"))
        for columns, across in _thirds(len(heat[0]), ("left", "middle", "right"))
        for name in [f"{down} {across}" if down != across else "middle"]
    ]
    strength, name = max(strengths)
    return f"mostly in the {name}" if strength > 0 else "nowhere in particular"


def _thirds(count: int, names: tuple[str, str, str]) -> list[tuple[range, str]]:
    edges = [round(count * part / 3) for part in range(4)]
    return [(range(edges[i], edges[i + 1]), name) for i, name in enumerate(names)]


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:03 or 1:02:03."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def reasons(codes: tuple[str, ...]) -> str:
    """Why a face was not judged, as the end of a sentence."""
    return "; ".join(REASONS.get(code, code.replace("_", " ")) for code in codes)


def file_name(report: Report) -> str:
    """What a page calls a file: not where it lies on somebody's computer."""
    return report.file if "://" in report.file else PurePath(report.file).name or report.file


def headline(report: Report) -> str:
    """The verdict on a file in one sentence, and before it how much of the file it speaks for
    where that is not all."""
    if report.error is not None:
        return "This file could not be checked."
    if report.status == "incomplete":
        return f"Not all of it was looked at: {missing(report)}. {_found(report)}"
    return _found(report)


def missing(report: Report) -> str:
    """How much of a file was not looked at."""
    account = report.account
    told = []
    seconds = account.seconds - account.looked_at_s
    if seconds > 0.5:
        told.append(f"{clock(max(seconds, 1))} of {clock(account.seconds)}")
    pictures = account.pictures - account.looked_at_pictures
    if pictures:
        told.append(f"{pictures} of {account.pictures} pictures")
    return " and ".join(told) + (" are missing" if len(told) > 1 or pictures > 1 else " is missing")


def _found(report: Report) -> str:
    if report.status == "incomplete" and report.verdict == "not_enough_evidence":
        flagged = any(face.probability is not None for face in report.faces)
        rest = "what was seen shows no sign of manipulation, the rest may" if flagged else ""
        return f"Cannot tell: {rest or 'no face in what was seen could be judged'}."
    if not report.faces:
        return "No face was found, so there is nothing to judge."
    if report.probability is None:
        many = len(report.faces) > 1
        told = "none of the faces could be judged" if many else "the face could not be judged"
        return f"Cannot tell: {told}."
    several = len(report.faces) > 1
    return {
        "likely_fake": "At least one face is likely fake."
        if several
        else "The face is likely fake.",
        "unsure": _in_between(report),
        "likely_real": "No sign of face manipulation was found."
        if not several
        else "No sign of manipulation was found in the faces that could be judged.",
    }[report.verdict]


def _in_between(report: Report) -> str:
    if by_passage(report):
        return "Unsure: a passage looks manipulated, the rest does not."
    side = "fake" if (report.probability or 0) >= 0.5 else "real"
    return f"Unsure: it leans {side}, but the signs are not clear."


def by_passage(report: Report) -> bool:
    """Whether a passage stands out of a file that looks rather real on the whole."""
    real = report.settings.get("threshold_real", 0.0)
    passage = any(map(_stands_out, report.faces)) or (report.probability or 0) <= real
    return report.verdict == "unsure" and (report.probability or 0) < 0.5 and passage


def file_verdict(report: Report) -> str:
    """The verdict on a file in two or three words."""
    if report.error is not None:
        return "Not checked"
    if not report.faces:
        return "No face"
    return verdict_words(report.verdict, None if by_passage(report) else report.probability)


def meaning(report: Report) -> str:
    """What the file's probability means, and what to do about it."""
    if report.error is not None:
        return str(report.error.get("detail", ""))
    if not report.faces and report.status != "incomplete":
        return (
            "That is not a finding that the file is genuine: Fakelight only judges faces, and saw"
            " none that is large enough."
        )
    if report.probability is None and report.status == "incomplete":
        return (
            "What was not looked at, and why, stands below. Nothing is said about it: a whole,"
            " undamaged file, or a larger budget, may tell more."
        )
    if report.probability is None:
        return "What kept each face from being judged stands below."
    shown = percent(report.probability)
    if report.verdict == "likely_fake":
        return (
            f"The models put the probability of manipulation at {shown}, above the line from which"
            " Fakelight raises an alarm. It errs sometimes: look at the moments below yourself,"
            " and look for the original before you judge anyone."
        )
    if report.verdict == "unsure":
        return (
            f"The models put the probability of manipulation at {shown}{_where(report)}."
            " Treat it as not checked; a longer, larger or less compressed version may tell more."
        )
    return (
        f"The models put the probability of manipulation at {shown}. That is no proof: a method"
        " that they have never seen, or a good one, can pass."
    )


def _where(report: Report) -> str:
    if by_passage(report):
        return " on the whole, but one passage stands out from the rest"
    return ", between the line for likely fake and the line for likely real"


def face_line(face: FaceReport) -> str:
    """A verdict on one face, and what it rests on."""
    if face.probability is None:
        return f"Cannot tell: {reasons(face.reasons)}."
    lean = face.probability if not _stands_out(face) else None
    line = (
        f"{verdict_words(face.verdict, lean)}, probability of manipulation"
        f" {percent(face.probability)}."
    )
    if _stands_out(face):
        return f"{line} Some of it looks manipulated."
    return f"{line} {because(face.verdict, face.grounds)}".rstrip()


def _stands_out(face: FaceReport) -> bool:
    return bool(face.stretches) and face.verdict == "unsure" and (face.probability or 0) < 0.5


def counted(share: float) -> str:
    """A member's part in a verdict, and which way it spoke."""
    return say("counted_fake" if share > 0 else "counted_real", f"{round(100 * abs(share))} %")


def seen_by(face: FaceReport) -> str:
    """What the members behind a face's heat maps look at; empty where that is not known."""
    members = face.explanations[0].members if face.explanations else ()
    told = [one.looks_at for one in face.grounds if one.member in members]
    return ", ".join(dict.fromkeys(looks_at_words(one) for one in told))


def looks(report: Report) -> str:
    """How often a file was looked at, and what a verdict looks back on."""
    rate, window = report.settings["sample_hz"], report.settings["window"]
    back = f"; a verdict looks back on {window / rate:.3g} s" if window > 1 else ""
    return f"{rate:g} a second{back}; at most {report.settings['budget_samples']} in a file"


def provenance_line(provenance: dict[str, object]) -> str:
    """The line on content credentials."""
    return str(provenance.get("detail") or "Content credentials were not looked for.")
