"""Writes ``docs/metrics.md`` from the catalogue: ``python -m scripts.metrics_reference``."""

from __future__ import annotations

from pathlib import Path

from stream_server.server.metrics.catalogue import GROUPS, MODEL, Described

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
HEAD = """# Metrics

Made from `stream_server/server/metrics/catalogue.py` by `make docs`; change the descriptions there.

`GET /metrics` answers with them to whoever has an operator's token (`Authorization: Bearer TOKEN`),
in Prometheus' text format or, where a scraper asks for it, in OpenMetrics. A histogram has
`_bucket`, `_sum` and `_count` behind its name. Beside what stands here there are Python's usual
`process_*` and `python_*`.

No label says anything that a client has sent: its values stand in the table, or they are the names
of the operator's own models and members (marked *models*) or the version of this program.

With Triton, what each model takes *inside* it, its queue and its batches are Triton's own metrics:
`nv_inference_queue_duration_us`, `nv_inference_compute_infer_duration_us`,
`nv_inference_request_success` and `nv_inference_exec_count`, by `model`.
[operations.md](operations.md) says how to have all of it collected and drawn."""


def page() -> str:
    """The whole page, Markdown."""
    lines = [HEAD]
    for heading, group in GROUPS.items():
        lines += [f"\n## {heading}\n", "| metric | type | labels | |", "|---|---|---|---|"]
        lines += [_row(one) for one in group]
    return "\n".join(lines) + "\n"


def _row(one: Described) -> str:
    labels = "; ".join(
        f"`{label}`: {', '.join(f'`{value}`' for value in values)}"
        if values != MODEL
        else f"`{label}` (*{'version' if label == 'version' else 'models'}*)"
        for label, values in one.labels.items()
    )
    return f"| `{one.name}` | {one.kind} | {labels} | {one.help} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
