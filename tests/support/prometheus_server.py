"""A real Prometheus over the configuration in ``deploy/observe``, in a hurry."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT
from tests.support.server import free_port

PROMETHEUS = shutil.which("prometheus")
OBSERVE = ROOT / "deploy" / "observe"


class Prometheus:
    """``url`` is where it answers, without a slash at the end."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **query: str) -> Any:
        """The data that its API gives; raises ``AssertionError`` with its own words on an error."""
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=60
            ) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from None

    def value(self, expr: str) -> list[dict[str, Any]]:
        """The series that ``expr`` gives now."""
        found: list[dict[str, Any]] = self.ask("query", query=expr)["result"]
        return found

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {
            alert["labels"]["alertname"]
            for alert in self.ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }


@contextmanager
def running_prometheus(
    folder: Path, targets: Mapping[str, str], token: str
) -> Iterator[Prometheus]:
    """Collects from ``targets`` (job to HOST:PORT) every second; alerts fire after two."""
    config = yaml.safe_load((OBSERVE / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (folder / "token").write_text(token)
    for job in config["scrape_configs"]:
        assert job.pop("dns_sd_configs")
        job.pop("relabel_configs", None)
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        if "authorization" in job:
            job["authorization"]["credentials_file"] = str(folder / "token")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    rules = (OBSERVE / "alerts.yml").read_text()
    (folder / "alerts.yml").write_text(re.sub(r"for: \d+m", "for: 2s", rules))
    port = free_port()
    command = [str(PROMETHEUS), f"--config.file={folder}/prometheus.yml"]
    command += ["--enable-feature=exemplar-storage"]
    command += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/-/ready", folder)
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, folder: Path) -> None:
    limit = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            said = (folder / "prometheus.log").read_text()[-2000:]
            assert process.poll() is None and time.monotonic() < limit, said
            time.sleep(0.1)
