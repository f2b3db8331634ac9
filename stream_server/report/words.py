"""The words of a report, for people without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from stream_server.languages import Worded, _, _n, tell, worded
from stream_server.report.model import FaceReport, Report, most_suspicious
from stream_server.said import (
    accuracy_words,
    because,
    by_sense,
    looks_at_words,
    part,
    percent,
    say,
    verdict_words,
)

__all__ = [
    "accuracy_words",
    "because",
    "by_sense",
    "looks_at_words",
    "part",
    "percent",
    "say",
    "tell",
    "verdict_words",
]

REASONS: dict[str, Worded] = {
    "small_face": worded(
        "the face is too small in the picture; a larger version of the video may help"
    ),
    "blurred": worded("the face is too blurred"),
    "profile": worded("the face is turned too far to the side"),
    "dark": worded("the face is too dark"),
    "overexposed": worded("the face is overexposed"),
    "over_compressed": worded(
        "the video is compressed so strongly that traces of manipulation are lost"
    ),
    "few_samples": worded("the face was not in view for long enough"),
    "too_few_pictures": worded("too few pictures of the face came to judge it by"),
}

SHORT_REASONS: dict[str, Worded] = {
    "small_face": worded("too small"),
    "blurred": worded("blurred"),
    "profile": worded("turned away"),
    "dark": worded("too dark"),
    "overexposed": worded("too bright"),
    "over_compressed": worded("poor picture"),
    "few_samples": worded("too brief"),
    "too_few_pictures": worded("too few pictures"),
}


def place(heat: tuple[tuple[float, ...], ...]) -> str:
    """Where the most of a heat map lies, in words: the third of the face it falls into."""
    strengths = [
        (sum(heat[row][column] for row in rows for column in columns), 3 * down + across)
        for down, rows in enumerate(_thirds(len(heat)))
        for across, columns in enumerate(_thirds(len(heat[0])))
    ]
    strength, third = max(strengths)
    names = (
        _("mostly in the top left"),
        _("mostly in the top middle"),
        _("mostly in the top right"),
        _("mostly in the middle left"),
        _("mostly in the middle"),
        _("mostly in the middle right"),
        _("mostly in the bottom left"),
        _("mostly in the bottom middle"),
        _("mostly in the bottom right"),
    )
    return names[third] if strength > 0 else _("nowhere in particular")


def _thirds(count: int) -> list[range]:
    edges = [round(count * third / 3) for third in range(4)]
    return [range(edges[i], edges[i + 1]) for i in range(3)]


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:03 or 1:02:03."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def passages(stretches: Sequence[tuple[float, float]]) -> str:
    """Times from and to, one after the other."""
    return ", ".join(say("time_span", clock(start), clock(end)) for start, end in stretches)


def capital(text: str) -> str:
    """``text`` with a large first letter, and the others as they are: German has large ones."""
    return text[:1].upper() + text[1:]


def counted_reasons(refused: Sequence[tuple[str, int]]) -> str:
    """Why pictures were not judged, and how many for each reason."""
    return ", ".join(f"{short_reason(code)} ({count})" for code, count in refused)


def reasons(codes: tuple[str, ...]) -> str:
    """Why a face was not judged, as the end of a sentence."""
    return "; ".join(tell(REASONS.get(code, code.replace("_", " "))) for code in codes)


def short_reason(code: str) -> str:
    """Why a picture was not judged, in two or three words."""
    return tell(SHORT_REASONS.get(code, code))


def file_name(report: Report) -> str:
    """What a page calls a file: not where it lies on somebody's computer."""
    return report.file if "://" in report.file else PurePath(report.file).name or report.file


def headline(report: Report) -> str:
    """The verdict on a file in one sentence, and before it how much of the file it speaks for
    where that is not all."""
    if report.error is not None:
        return _("This file could not be checked.")
    if report.status == "incomplete":
        return f"{missing(report)} {_found(report)}"
    return _found(report)


def missing(report: Report) -> str:
    """How much of a file was not looked at, in a sentence."""
    account = report.account
    seconds = account.seconds - account.looked_at_s
    pictures = account.pictures - account.looked_at_pictures
    time = {"time": clock(max(seconds, 1)), "whole": clock(account.seconds)}
    if seconds > 0.5 and pictures:
        return _(
            "Not all of it was looked at: {time} of {whole} and {count} of {all} pictures are"
            " missing.",
            **time,
            count=pictures,
            all=account.pictures,
        )
    if pictures:
        return _n(
            "Not all of it was looked at: {count} of {all} pictures is missing.",
            "Not all of it was looked at: {count} of {all} pictures are missing.",
            pictures,
            all=account.pictures,
        )
    return _("Not all of it was looked at: {time} of {whole} is missing.", **time)


def _found(report: Report) -> str:
    if report.status == "incomplete" and report.verdict == "not_enough_evidence":
        flagged = any(face.probability is not None for face in report.faces)
        if flagged:
            return _("Cannot tell: what was seen shows no sign of manipulation, the rest may.")
        return _("Cannot tell: no face in what was seen could be judged.")
    if not report.faces:
        return _("No face was found, so there is nothing to judge.")
    if report.probability is None:
        if len(report.faces) > 1:
            return _("Cannot tell: none of the faces could be judged.")
        return _("Cannot tell: the face could not be judged.")
    several = len(report.faces) > 1
    if report.verdict == "unsure":
        return _("Unsure: {what}", what=in_between(report))
    if report.verdict == "likely_fake":
        return _("At least one face is likely fake.") if several else _("The face is likely fake.")
    if several:
        return _("No sign of manipulation was found in the faces that could be judged.")
    return _("No sign of face manipulation was found.")


def in_between(report: Report) -> str:
    """What makes a verdict unsure, as the rest of a sentence."""
    if by_passage(report):
        return _("a passage looks manipulated, the rest does not.")
    if by_one_look(report):
        return _("it leans real, but a single picture shows too little to be sure.")
    if (report.probability or 0) >= 0.5:
        return _("it leans fake, but the signs are not clear.")
    return _("it leans real, but the signs are not clear.")


def by_passage(report: Report) -> bool:
    """Whether a passage stands out of a file that looks rather real on the whole."""
    real = report.settings.get("threshold_real", 0.0)
    passage = any(map(_stands_out, report.faces)) or (report.probability or 0) <= real
    lean = report.verdict == "unsure" and (report.probability or 0) < 0.5
    return lean and passage and not by_one_look(report)


def by_one_look(report: Report) -> bool:
    """Whether a file that leans real is unsure because it is a picture, which gets one look."""
    decisive = most_suspicious(report.faces)
    return report.verdict == "unsure" and decisive is not None and _one_look(decisive)


def file_verdict(report: Report) -> str:
    """The verdict on a file in two or three words."""
    if report.error is not None:
        return _("Not checked")
    if not report.faces:
        return _("No face")
    return verdict_words(report.verdict, None if by_passage(report) else report.probability)


def meaning(report: Report) -> str:
    """What the file's probability means, and what to do about it."""
    if report.error is not None:
        return tell(report.error.get("detail", ""))
    if not report.faces and report.status != "incomplete":
        return _(
            "That is not a finding that the file is genuine: Fakelight only judges faces, and saw"
            " none that is large enough."
        )
    if report.probability is None and report.status == "incomplete":
        return _(
            "What was not looked at, and why, stands below. Nothing is said about it: a whole,"
            " undamaged file, or a larger budget, may tell more."
        )
    if report.probability is None:
        return _("What kept each face from being judged stands below.")
    shown = percent(report.probability)
    if report.verdict == "likely_fake":
        return _(
            "The models put the probability of manipulation at {share}, above the line from which"
            " Fakelight raises an alarm. It errs sometimes: look at the moments below yourself,"
            " and look for the original before you judge anyone.",
            share=shown,
        )
    if by_one_look(report):
        return _(
            "The models put the probability of manipulation at {share}. A picture shows no"
            " movement, and generated ones often look real to Fakelight, so it calls none likely"
            " real. Look for the original.",
            share=shown,
        )
    if report.verdict == "unsure" and by_passage(report):
        return _(
            "The models put the probability of manipulation at {share} on the whole, but one"
            " passage stands out from the rest. Treat it as not checked; a longer, larger or less"
            " compressed version may tell more.",
            share=shown,
        )
    if report.verdict == "unsure" and not report.settings["threshold_real"]:
        return _(
            "The models put the probability of manipulation at {share}, below the line for likely"
            " fake; no picture is called likely real. Treat it as not checked; a larger or less"
            " compressed version may tell more.",
            share=shown,
        )
    if report.verdict == "unsure":
        return _(
            "The models put the probability of manipulation at {share}, between the line for likely"
            " fake and the line for likely real. Treat it as not checked; a longer, larger or less"
            " compressed version may tell more.",
            share=shown,
        )
    return _(
        "The models put the probability of manipulation at {share}. That is no proof: a method"
        " that they have never seen, or a good one, can pass.",
        share=shown,
    )


def face_line(face: FaceReport) -> str:
    """A verdict on one face, and what it rests on."""
    if face.probability is None:
        return _("Cannot tell: {reasons}.", reasons=reasons(face.reasons))
    lean = face.probability if not _stands_out(face) else None
    line = _(
        "{verdict}, probability of manipulation {share}.",
        verdict=verdict_words(face.verdict, lean),
        share=percent(face.probability),
    )
    if _stands_out(face):
        some = _("Some of it looks manipulated.")
        return f"{line} {some}"
    if _one_look(face):
        little = _("A single picture shows too little to be sure.")
        return f"{line} {little}"
    return f"{line} {because(face.verdict, face.grounds)}".rstrip()


def _one_look(face: FaceReport) -> bool:
    return face.samples == 1 and _leans_real(face)


def _stands_out(face: FaceReport) -> bool:
    return bool(face.stretches) and _leans_real(face)


def _leans_real(face: FaceReport) -> bool:
    return face.verdict == "unsure" and (face.probability or 0) < 0.5


def lines(report: Report) -> str:
    """From where on a face is called likely fake, and up to where likely real."""
    fake = percent(report.settings["threshold_fake"])
    if not report.settings["threshold_real"]:
        return _("likely fake from {fake}; no picture is called likely real", fake=fake)
    real = percent(report.settings["threshold_real"])
    return _("likely fake from {fake}, likely real up to {real}", fake=fake, real=real)


def counted(share: float) -> str:
    """A member's part in a verdict, and which way it spoke."""
    return say("counted_fake" if share > 0 else "counted_real", part(abs(share)))


def seen_by(face: FaceReport) -> str:
    """What the members behind a face's heat maps look at; empty where that is not known."""
    members = face.explanations[0].members if face.explanations else ()
    told = [one.looks_at for one in face.grounds if one.member in members]
    return ", ".join(dict.fromkeys(looks_at_words(one) for one in told))


def looks(report: Report) -> str:
    """How often a file was looked at, and what a verdict looks back on."""
    rate, window = float(report.settings["sample_hz"]), report.settings["window"]
    most = report.settings["budget_samples"]
    if window > 1:
        return _(
            "{rate:g} a second; a verdict looks back on {seconds:.3g} s; at most {most} in a file",
            rate=rate,
            seconds=window / rate,
            most=most,
        )
    return _("{rate:g} a second; at most {most} in a file", rate=rate, most=most)


def provenance_line(provenance: dict[str, object]) -> str:
    """The line on content credentials."""
    detail = provenance.get("detail")
    if isinstance(detail, str) and detail:
        return tell(detail)
    return _("Content credentials were not looked for.")
