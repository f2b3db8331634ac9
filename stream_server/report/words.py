"""The words of a report, for people without training."""

from __future__ import annotations

from stream_server.report.model import FaceReport, Report
from stream_server.verdict import Verdict

VERDICTS: dict[Verdict, str] = {
    "gathering": "Cannot tell",
    "not_enough_evidence": "Cannot tell",
    "likely_real": "Likely real",
    "unsure": "Unsure",
    "likely_fake": "Likely fake",
}

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

#: What it means where one member that asks a question of its own speaks for the verdict.
QUESTIONS: dict[str, str] = {
    "generated_heads": "The signs are those of a head that was generated as a whole or driven by"
    " sound, more than of a swapped face.",
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


def percent(probability: float) -> str:
    """A probability for people: never 0 and never 100, no detector knows that much."""
    return f"{min(99, max(1, round(100 * probability)))} %"


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:03 or 1:02:03."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def reasons(codes: tuple[str, ...]) -> str:
    """Why a face was not judged, as the end of a sentence."""
    return "; ".join(REASONS.get(code, code.replace("_", " ")) for code in codes)


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
        "unsure": "Unsure: the signs point both ways.",
        "likely_real": "No sign of face manipulation was found."
        if not several
        else "No sign of manipulation was found in the faces that could be judged.",
    }[report.verdict]


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
            f"The models put the probability of manipulation at {shown}, between the line for"
            " likely fake and the line for likely real, or one passage stands out from the rest."
            " Treat it as not checked; a longer, larger or less compressed version may tell more."
        )
    return (
        f"The models put the probability of manipulation at {shown}. That is no proof: a method"
        " that they have never seen, or a good one, can pass."
    )


def face_line(face: FaceReport) -> str:
    """One sentence on one face."""
    if face.probability is None:
        return f"Cannot tell: {reasons(face.reasons)}."
    line = f"{VERDICTS[face.verdict]}, probability of manipulation {percent(face.probability)}"
    if face.stretches and face.verdict != "likely_fake":
        return line + ". Some passages look manipulated; they are marked below."
    return " ".join((line + ".", *_answered(face)))


def _answered(face: FaceReport) -> list[str]:
    """Which question a verdict of likely fake answers, where that is another than the usual.

    The probability P joins the usual answer p and this member's q as 1 - (1 - p)(1 - q), so q
    outweighs p where it is above 1 - sqrt(1 - P).
    """
    if face.verdict != "likely_fake" or face.probability is None:
        return []
    least = 1 - (1 - face.probability) ** 0.5
    return [
        text
        for name, text in QUESTIONS.items()
        if name in face.members and face.members[name] > least
    ]


def provenance_line(provenance: dict[str, object]) -> str:
    """The line on content credentials."""
    return str(provenance.get("detail") or "Content credentials were not looked for.")
