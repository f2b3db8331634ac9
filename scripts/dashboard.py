"""Writes Grafana's dashboard: ``python -m scripts.dashboard``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "observe" / "grafana" / "dashboards"
FILE = FOLDER / "fakelight.json"
SOURCE = {"type": "prometheus", "uid": "fakelight-prometheus"}
_WIDE, _HIGH = 8, 8  # of Grafana's 24 columns


@dataclass(frozen=True)
class Panel:
    """One drawing: what it shows by PromQL, each with its legend; ``unit`` is Grafana's word."""

    title: str
    says: str
    unit: str
    drawn: tuple[tuple[str, str], ...]


def _rate(metric: str, *by: str, where: str = "") -> str:
    selector = f'instance=~"$instance"{"," if where else ""}{where}'
    grouped = f" by ({', '.join(by)})" if by else ""
    return f"sum{grouped} (rate({metric}{{{selector}}}[$__rate_interval]))"


def _share(share: float, metric: str, *by: str) -> str:
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', *by, 'le')})"


def _mean(metric: str, *by: str) -> str:
    return f"{_rate(f'{metric}_sum', *by)} / {_rate(f'{metric}_count', *by)}"


def _triton(total: str, count: str) -> str:
    by_model = "sum by (model) (rate({}[$__rate_interval]))"
    return f"{by_model.format(total)} / {by_model.format(count)}"


ROWS: dict[str, tuple[Panel, ...]] = {
    "People who watch": (
        Panel(
            "Lag of verdicts",
            "From a frame's arrival to its verdict.",
            "s",
            tuple(
                (_share(share, "fakelight_verdict_seconds"), f"{share:.0%}")
                for share in (0.5, 0.95, 0.99)
            ),
        ),
        Panel(
            "Streams and faces",
            "Open now.",
            "short",
            (
                ('sum(fakelight_streams{instance=~"$instance"})', "streams"),
                ('sum(fakelight_faces{instance=~"$instance"})', "faces"),
                (_rate("fakelight_streams_closed_total", "reason"), "closed a second, {{reason}}"),
            ),
        ),
        Panel(
            "Frames a second",
            "What came and what became of it.",
            "short",
            (
                (
                    _rate("fakelight_frames_total", "result", where='result!="dropped"'),
                    "{{result}}",
                ),
                (_rate("fakelight_frames_dropped_total", "reason"), "dropped: {{reason}}"),
            ),
        ),
        Panel(
            "Verdicts a second",
            "Faces in analysed frames.",
            "short",
            ((_rate("fakelight_face_verdicts_total", "verdict"), "{{verdict}}"),),
        ),
        Panel(
            "Why nothing is said",
            "Faces without enough evidence, by what is in the way.",
            "short",
            ((_rate("fakelight_face_abstentions_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            "Turned away",
            "Requests and streams refused, and pairings.",
            "short",
            (
                (_rate("fakelight_refusals_total", "reason"), "{{reason}}"),
                (_rate("fakelight_pairings_total", "result"), "pairing {{result}}"),
            ),
        ),
    ),
    "The networks": (
        Panel(
            "Wait for a batch, 95 %",
            "A queue here means that the engine is full.",
            "s",
            ((_share(0.95, "fakelight_batch_queue_seconds", "kind"), "{{kind}}"),),
        ),
        Panel(
            "Run time of each model",
            "Mean. With Triton the whole call; its own figures are below.",
            "s",
            ((_mean("fakelight_model_run_seconds", "engine", "model"), "{{engine}} {{model}}"),),
        ),
        Panel(
            "Batch of each model",
            "Mean rows of one run.",
            "short",
            ((_mean("fakelight_model_batch_rows", "engine", "model"), "{{engine}} {{model}}"),),
        ),
        Panel(
            "Wait for a worker, 95 %",
            "Inside the embedded engine.",
            "s",
            ((_share(0.95, "fakelight_model_queue_seconds", "model"), "{{model}}"),),
        ),
        Panel(
            "Fallback",
            "1 while the embedded engine stands in; and what came of the calls.",
            "short",
            (
                ('fakelight_engine_fallback{instance=~"$instance"}', "{{instance}}"),
                (_rate("fakelight_engine_calls_total", "result"), "{{result}}"),
            ),
        ),
        Panel(
            "Batches and rows a second",
            "Sent to the engine.",
            "short",
            (
                (_rate("fakelight_engine_batches_total", "kind"), "batches of {{kind}}"),
                (_rate("fakelight_engine_rows_total", "kind"), "{{kind}}"),
            ),
        ),
        Panel(
            "Triton: wait in its queue",
            "Mean, each model.",
            "µs",
            (
                (
                    _triton("nv_inference_queue_duration_us", "nv_inference_request_success"),
                    "{{model}}",
                ),
            ),
        ),
        Panel(
            "Triton: run time",
            "Mean of one execution, each model.",
            "µs",
            (
                (
                    _triton("nv_inference_compute_infer_duration_us", "nv_inference_exec_count"),
                    "{{model}}",
                ),
            ),
        ),
        Panel(
            "Triton: batch",
            "Mean rows of one execution, each model.",
            "short",
            (
                (
                    _triton("nv_inference_count", "nv_inference_exec_count"),
                    "{{model}}",
                ),
            ),
        ),
    ),
    "Files, monitors and the server": (
        Panel(
            "Scans",
            "Waiting and running now; ended a second.",
            "short",
            (
                ('sum(fakelight_scans_waiting{instance=~"$instance"})', "waiting"),
                ('sum(fakelight_scans_running{instance=~"$instance"})', "running"),
                (_rate("fakelight_scans_total", "result"), "{{result}} a second"),
                (_mean("fakelight_scan_seconds"), "seconds each"),
            ),
        ),
        Panel(
            "Monitors",
            "By state; every server that shares the database tells of all.",
            "short",
            (("max by (state) (fakelight_monitors)", "{{state}}"),),
        ),
        Panel(
            "Lag of monitors, 95 %",
            "From a picture's arrival at the reader to its verdict.",
            "s",
            ((_share(0.95, "fakelight_monitor_verdict_seconds"), "95 %"),),
        ),
        Panel(
            "Incidents and alerts",
            "In the last hour.",
            "short",
            (
                ("max by (change) (increase(fakelight_incidents_total[1h]))", "{{change}}"),
                (
                    "sum by (result) (increase(fakelight_webhook_attempts_total[1h]))",
                    "delivery {{result}}",
                ),
            ),
        ),
        Panel(
            "Answers over HTTP",
            "By the class of their status, a second.",
            "short",
            ((_rate("fakelight_http_responses_total", "status"), "{{status}}"),),
        ),
        Panel(
            "Processor, memory, files",
            "Cores in use, gigabytes, and open files and sockets.",
            "short",
            (
                (
                    'rate(process_cpu_seconds_total{job="fakelight"}[$__rate_interval])',
                    "cores {{instance}}",
                ),
                (
                    'process_resident_memory_bytes{job="fakelight"} / 1e9',
                    "GB {{instance}}",
                ),
                ('process_open_fds{job="fakelight"}', "files {{instance}}"),
                ("fakelight_build_info", "version {{version}}"),
            ),
        ),
    ),
}


def dashboard() -> dict[str, Any]:
    """The dashboard in Grafana's own form."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": top, "w": 24, "h": 1}
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place, "panels": []}
        )
        top += 1
        for number, panel in enumerate(row):
            across, down = number % 3 * _WIDE, top + number // 3 * _HIGH
            place = {"x": across, "y": down, "w": _WIDE, "h": _HIGH}
            panels.append({"id": len(panels) + 1, "gridPos": place, **_drawn(panel)})
        top += -(-len(row) // 3) * _HIGH
    return {
        "uid": "fakelight",
        "title": "Fakelight",
        "tags": ["fakelight"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "instance",
                    "label": "Server",
                    "type": "query",
                    "datasource": SOURCE,
                    "query": {"query": "label_values(fakelight_streams, instance)", "refId": "A"},
                    "refresh": 2,
                    "includeAll": True,
                    "multi": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                }
            ]
        },
        "panels": panels,
    }


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


def _drawn(panel: Panel) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 8}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expr,
                "legendFormat": legend,
                "exemplar": expr.startswith("histogram_quantile"),
            }
            for number, (expr, legend) in enumerate(panel.drawn)
        ],
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
