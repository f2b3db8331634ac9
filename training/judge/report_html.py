"""The evaluation as one HTML file: tables, curves, and the worst mistakes as pictures."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from stream_server.vision.types import Image
from training.judge.vote import Array

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .7rem; border-bottom: 1px solid #ccc; text-align: right }
td:first-child, th:first-child { text-align: left }
figure { display: inline-block; margin: .4rem; width: 150px; vertical-align: top }
figure img { width: 150px } figcaption { font-size: 12px; overflow-wrap: anywhere }
.plots img { width: 420px }
"""


def html_page(
    report: Mapping[str, Any], plots: Sequence[bytes], mistakes: Sequence[dict[str, Any]]
) -> str:
    """The page; ``plots`` are PNGs, ``mistakes`` hold ``image``, ``video``, ``text``."""
    body = ["<h1>Evaluation</h1>", f"<p>{html.escape(str(report.get('protocol', '')))}</p>"]
    for tier, figures in report["tiers"].items():
        body.append(f"<h2>Delivery: {html.escape(tier)}</h2>")
        body.append(group_table(figures["groups"]))
        alarms, kept = figures["false_alarms"], figures["unflagged"]
        if kept.get("videos"):
            low, high = kept["interval"]
            body.append(
                f"<p>{kept['share']:.1%} of {kept['videos']} real videos not flagged (95 % interval"
                f" "
                f"{low:.1%} to {high:.1%}); {alarms['alarms']} false alarms in "
                f"{alarms['hours']:.2f} h of real video.</p>"
            )
        body.append("<h3>AUC by window length</h3>" + figure_table(figures["lengths"]))
        body.append("<h3>AUC by member</h3>" + figure_table(figures["members"]))
        body.append("<h3>Reals of a row against fakes of a column</h3>")
        body.append(figure_table(figures["cross_auc"]))
    images = "".join(f'<img alt="" src="{_inline(plot)}">' for plot in plots)
    body.append(f'<h2>Curves</h2><div class="plots">{images}</div>')
    body.append("<h2>Worst mistakes</h2>")
    for mistake in mistakes:
        body.append(
            f'<figure><img alt="" src="{_inline(_jpeg(mistake["image"]), "jpeg")}"><figcaption>'
            f"{html.escape(mistake['video'])}<br>{html.escape(mistake['text'])}"
            "</figcaption></figure>"
        )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>'
        f"<style>{_STYLE}</style><body>{''.join(body)}</body></html>"
    )


def group_table(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures of each group as an HTML table."""
    head = "<tr><th>group</th><th>real</th><th>fake</th><th>AUC</th><th>95 % interval</th>"
    head += "<th>EER</th><th>AP</th><th>ECE</th><th>real flagged</th><th>fake flagged</th></tr>"
    rows = []
    for name, one in groups.items():
        confusion = one["confusion"]
        cells = [str(one["real"]), str(one["fake"])]
        if "auc" in one:
            low, high = one["auc_interval"]
            cells += [f"{one['auc']:.3f}", f"{low:.2f} to {high:.2f}", f"{one['eer']:.3f}"]
            cells += [f"{one['ap']:.3f}", f"{one['ece']:.3f}"]
        else:
            cells += ["", "", "", "", ""]
        cells += [str(confusion[kind]["likely_fake"]) for kind in ("real", "fake")]
        joined = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f"<tr><td>{html.escape(name)}</td>{joined}</tr>")
    return f"<table>{head}{''.join(rows)}</table>"


def figure_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Figures by row and column as an HTML table; what a row lacks stays empty."""
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = ""
    for name, values in rows.items():
        cells = "".join(
            f"<td>{values[column]:.3f}</td>" if column in values else "<td></td>"
            for column in columns
        )
        body += f"<tr><td>{html.escape(name)}</td>{cells}</tr>"
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def curves(labels: np.ndarray[Any, np.dtype[np.bool_]], values: Array, title: str) -> bytes:
    """ROC and reliability side by side, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 4))
    order = np.argsort(-values)
    caught = np.concatenate(([0], np.cumsum(labels[order]))) / max(labels.sum(), 1)
    alarms = np.concatenate(([0], np.cumsum(~labels[order]))) / max((~labels).sum(), 1)
    left.plot(alarms, caught)
    left.plot([0, 1], [0, 1], ":", color="grey")
    left.set(xlabel="real flagged", ylabel="fake flagged", title=f"ROC, {title}")
    edges = np.linspace(0, 1, 11)
    place = np.clip(np.digitize(values, edges) - 1, 0, 9)
    bins = [number for number in range(10) if (place == number).any()]
    right.plot(
        [float(values[place == number].mean()) for number in bins],
        [float(labels[place == number].mean()) for number in bins],
        "o-",
    )
    right.plot([0, 1], [0, 1], ":", color="grey")
    right.set(xlabel="probability given", ylabel="share of fakes", title="Reliability")
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    pyplot.close(figure)
    return buffer.getvalue()


def _inline(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _jpeg(image: Image) -> bytes:
    good, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not good:
        raise ValueError(f"a picture of shape {image.shape} could not be written as JPEG")
    return data.tobytes()
