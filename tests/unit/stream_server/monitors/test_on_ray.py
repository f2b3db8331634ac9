"""What crosses the wire to a cluster's nodes, and what a node does with it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_server.database import Database
from stream_server.engine.fingerprint import fingerprint
from stream_server.monitors import actor
from stream_server.monitors.actor import DATABASE, MonitorActor
from stream_server.monitors.on_ray import WatchersOnRay, sent_settings
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.monitors.store.monitors import MonitorTable
from stream_server.ray_cluster import ClusterError
from stream_server.settings import Settings, SettingsError, load
from tests.support.monitor_desk import greenish_is_real, looped_clip
from tests.support.monitored import monitor

pytestmark = pytest.mark.patient

PATIENCE = 120.0


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greenish_is_real(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return looped_clip(tmp_path_factory.mktemp("clips"), real=1.0, fake=6.0)


@pytest.fixture
def settings(models: Path, clip: Path, tmp_path: Path) -> Settings:
    return load(state_dir=tmp_path, models=models, monitor_files=str(clip.parent))


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def test_no_secret_is_sent_to_the_nodes(models: Path) -> None:
    settings = Settings(
        models=models,
        token="secret-token-0123456789",
        metrics_token="secret-metrics-0123456789",
        tokens={"other": {"role": "viewer", "token": "secret-other-0123456789"}},
        turn_username="secret-name",
        turn_credential="secret-word",
        database="postgresql://user:secret-database@host/db",
        scan_database="postgresql://user:secret-database@host/db",
        smtp_user="secret-user",
        smtp_password="secret-password",
    )
    sent = sent_settings(settings)
    assert sent.models == models and b"secret" not in pickle.dumps(sent)


def test_nodes_need_a_database_that_they_can_share(settings: Any) -> None:
    with pytest.raises(SettingsError, match="PostgreSQL"):
        WatchersOnRay(settings)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The actor's node has a name, and to end its process is written down instead of done."""
    ended: list[int] = []
    monkeypatch.setattr(actor, "this_node", lambda: "far/12345678")
    monkeypatch.setattr("stream_server.monitors.actor.os._exit", ended.append)
    yield ended


def test_an_actor_watches_into_the_database_of_its_node(
    settings: Any, database: Database, address: str, elsewhere: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv(DATABASE, address)
    table, incidents = MonitorTable(database), IncidentTable(database)
    table.add(monitor("m", url=f"file://{settings.monitor_files}/loop.mp4", sample_hz=5.0), 9)
    one = MonitorActor(settings, False, fingerprint(settings.models), "m")
    assert one.timeline() == [] and one.picture(64) is None
    until(lambda: table.get("m").state == "watching")
    until(incidents.find)
    at, picture, _ = until(lambda: one.picture(64))
    assert at > 0 and picture.startswith(b"\xff\xd8") and one.timeline()
    table.take_over("m")  # as another node does; this one leaves off
    one.done.wait(PATIENCE)
    assert one.done.is_set() and elsewhere == []


def test_an_actor_of_a_monitor_that_is_gone_ends(
    settings: Any, database: Database, address: str, elsewhere: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv(DATABASE, address)
    one = MonitorActor(settings, False, fingerprint(settings.models), "gone")
    one.done.wait(PATIENCE)
    assert elsewhere == []


def test_an_actor_that_cannot_reach_the_database_ends_its_process(
    settings: Any, elsewhere: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv(DATABASE, f"postgresql://x@/x?host={tmp_path}")
    one = MonitorActor(settings, False, fingerprint(settings.models), "m")
    one.done.wait(PATIENCE)
    assert elsewhere == [1]  # Ray starts another one


def test_a_node_says_what_it_lacks(settings: Any, elsewhere: Any, monkeypatch: Any) -> None:
    del elsewhere
    monkeypatch.delenv(DATABASE, raising=False)
    with pytest.raises(ClusterError, match="far/12345678 has no FAKELIGHT_DATABASE"):
        MonitorActor(settings, False, fingerprint(settings.models), "m")
    monkeypatch.setenv(DATABASE, "sqlite:////nowhere")
    with pytest.raises(ClusterError, match="far/12345678 has other models"):
        MonitorActor(settings, False, "another", "m")
