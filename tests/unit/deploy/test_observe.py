"""Prometheus' rules and Grafana's dashboard: by their own tools, and true to the metrics there are.

That the rules and every drawing work over a real server is tested in ``tests/contract``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dashboard import FILE, ROWS, SOURCE, dashboard, text
from stream_server.server.metrics.catalogue import CATALOGUE
from tests.support.paths import ROOT

OBSERVE = ROOT / "deploy" / "observe"
COMPOSE = ROOT / "docker-compose.yml"
RULES = OBSERVE / "alerts.yml"
PROMTOOL = shutil.which("promtool")
OTHERS = re.compile(r"up|process_\w+|nv_inference_\w+")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="no promtool here (Debian: prometheus)"
)


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def drawn() -> list[str]:
    return [expr for row in ROWS.values() for panel in row for expr, _ in panel.drawn]


def promtool(*arguments: str | Path, cwd: Path = OBSERVE) -> subprocess.CompletedProcess[str]:
    command = [str(PROMTOOL), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@needs_promtool
def test_promtool_takes_the_configuration_and_the_rules(tmp_path: Path) -> None:
    config = (OBSERVE / "prometheus.yml").read_text()
    (tmp_path / "token").write_text("x")
    there = config.replace("/run/secrets/metrics_token", str(tmp_path / "token"))
    assert there != config
    (tmp_path / "prometheus.yml").write_text(there)
    shutil.copy(RULES, tmp_path)
    done = promtool("check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(alerts())} rules found" in done.stdout
    (tmp_path / "alerts.yml").write_text(RULES.read_text().replace("rate(", "rat("))
    assert promtool("check", "rules", tmp_path / "alerts.yml").returncode == 1


@needs_promtool
def test_each_alert_fires_on_its_incident_and_on_no_other() -> None:
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    tested = yaml.safe_load((OBSERVE / "alerts_test.yml").read_text())["tests"]
    asked = [
        (one["alertname"], bool(one["exp_alerts"]))
        for test in tested
        for one in test["alert_rule_test"]
    ]
    for alert in alerts():
        assert (alert["alert"], True) in asked, alert["alert"]
        assert (alert["alert"], False) in asked, alert["alert"]


def test_each_alert_says_what_it_is_and_what_to_do() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for alert in alerts():
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} == alert["annotations"].keys()
        assert f"| `{alert['alert']}` |" in page, alert["alert"]
    told = re.findall(r"^\| `(Fakelight\w+)` \|", page, re.M)
    assert told == [alert["alert"] for alert in alerts()]


@pytest.mark.parametrize("expr", drawn() + [alert["expr"] for alert in alerts()])
def test_what_is_asked_for_is_a_metric_there_is(expr: str) -> None:
    for name, selector in re.findall(
        r"\b(fakelight_\w+|up|process_\w+|nv_\w+)(?:\{(.*?)\})?", expr
    ):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if OTHERS.fullmatch(name):
            continue
        one = CATALOGUE.get(name) or CATALOGUE[base]
        assert (name != base) == (one.kind == "histogram"), name
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', selector):
            if label not in ("instance", "job"):
                known = one.labels[label]
                assert set(values.split("|")) <= set(known), (name, label, values)
    rates = re.findall(r"(?:rate|increase)\((\w+)", expr)
    assert not [name for name in rates if name.endswith(("streams", "monitors"))]


@needs_promtool
def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"drawn:number{i}", "expr": re.sub(r"\$__rate_interval", "1m", expr)}
        for i, expr in enumerate(drawn())
    ]
    file = tmp_path / "drawn.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "drawn", "rules": rules}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_is_drawn() -> None:
    shown = "\n".join(drawn())
    assert [
        name for name in CATALOGUE if not re.search(rf"\b{name}(_bucket|_sum|_count)?\b", shown)
    ] == []


def test_the_dashboard_is_up_to_date_and_whole() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `make docs`"
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        assert x + w <= 24
        own = {(column, line) for column in range(x, x + w) for line in range(y, y + h)}
        assert not own & taken, panel["title"]
        taken |= own


def test_grafana_finds_its_source_and_its_dashboard_where_compose_puts_them() -> None:
    compose = yaml.safe_load(COMPOSE.read_text())["services"]
    (source,) = yaml.safe_load(
        (OBSERVE / "grafana/provisioning/datasources/prometheus.yml").read_text()
    )["datasources"]
    assert (source["uid"], source["type"]) == (SOURCE["uid"], SOURCE["type"])
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load(
        (OBSERVE / "grafana/provisioning/dashboards/fakelight.yml").read_text()
    )["providers"]
    mounts = dict(volume.split(":")[:2] for volume in compose["grafana"]["volumes"])
    assert mounts["./deploy/observe/grafana/dashboards"] == provider["options"]["path"]
    for service in ("grafana", "prometheus"):
        for volume in compose[service]["volumes"]:
            if volume.startswith("./"):
                assert (ROOT / volume.split(":")[0]).exists(), volume
    for job in yaml.safe_load((OBSERVE / "prometheus.yml").read_text())["scrape_configs"]:
        for name in job["dns_sd_configs"][0]["names"]:
            assert set(compose[name]["networks"]) & set(compose["prometheus"]["networks"]), name
            hosts = compose[name].get("environment", {}).get("FAKELIGHT_ALLOWED_HOSTS", name)
            assert name in hosts.split(",")
    assert "ports" not in compose["prometheus"]
    assert compose["grafana"]["ports"] == ["127.0.0.1:3000:3000"]


def begun(service: str, folder: Path, program: str, **environment: str) -> Any:
    """Run a service's entrypoint as its container would, with ``program`` in place of its own and
    its secrets in ``folder``."""
    compose = yaml.safe_load(COMPOSE.read_text())["services"][service]
    shell, option, script, *rest = compose["entrypoint"]
    for old, new in (("$$", "$"), (program, "echo started"), ("/run/secrets", str(folder))):
        script = script.replace(old, new)
    command = [shell, option, script, *rest, *compose.get("command", ())]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_grafana_does_not_start_without_a_password(tmp_path: Path) -> None:
    bare = begun("grafana", tmp_path, "/run.sh", GF_SECURITY_ADMIN_PASSWORD="")
    assert bare.returncode == 1 and "GRAFANA_PASSWORD is not set" in bare.stderr
    assert "started" not in bare.stdout
    assert "started" in begun("grafana", tmp_path, "/run.sh", GF_SECURITY_ADMIN_PASSWORD="x").stdout


def test_prometheus_finds_its_token_where_its_configuration_says(tmp_path: Path) -> None:
    ran = begun(
        "prometheus", tmp_path, "/bin/prometheus", FAKELIGHT_METRICS_TOKEN="opens-the-metrics"
    )
    assert ran.stdout.startswith("started --config.file="), ran.stderr
    job = yaml.safe_load((OBSERVE / "prometheus.yml").read_text())["scrape_configs"][0]
    name = Path(job["authorization"]["credentials_file"]).name
    assert (tmp_path / name).read_text() == "opens-the-metrics"
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
