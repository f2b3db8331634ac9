"""What crosses the wire to a cluster's nodes, and what a node that lacks a file says."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stream_server import resources
from stream_server.engine.fingerprint import fingerprint
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ray_cluster import ClusterError, Done
from stream_server.scan import on_ray as cluster
from stream_server.scan.inputs import Input
from stream_server.scan.on_ray import Job, ScanUnit, job_for, scan_unit
from stream_server.scan.options import ScanOptions
from stream_server.settings import Settings
from tests.support.tiny_repository import tiny_repository
from training.data.extract import Extracted, Unit
from training.data.layouts import Item
from training.data.on_ray import Found, _settled, extract_unit

OPTIONS = ScanOptions(20, 10.0, 6000)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_repository(tmp_path_factory.mktemp("models") / "triton_models")


@pytest.fixture
def job(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    monkeypatch.setattr(cluster, "this_node", lambda: "far/12345678")
    monkeypatch.setattr(cluster, "_worker", None)
    yield job_for(Settings(models=models), OPTIONS)
    if cluster._worker is not None:
        cluster._worker.close()


def test_no_secret_is_sent_to_the_nodes(models: Path) -> None:
    settings = Settings(
        models=models,
        token="secret-token-0123456789",
        metrics_token="secret-metrics-0123456789",
        tokens={"other": {"role": "viewer", "token": "secret-other-0123456789"}},
        turn_username="secret-name",
        turn_credential="secret-word",
        scan_database="postgresql://user:secret-database@host/db",
        database="postgresql://user:secret-database@host/db",
        smtp_sender="a@mail.example",
        smtp_user="secret-user",
        smtp_password="secret-password",
    )
    job = job_for(settings, OPTIONS)
    assert job.settings.models == models
    assert b"secret" not in pickle.dumps(job)


def test_the_models_that_come_with_fakelight_are_each_nodes_own() -> None:
    assert job_for(Settings(models=resources.models_dir()), OPTIONS).own_models


def test_a_node_with_other_models_is_named(job: Job) -> None:
    with pytest.raises(ClusterError, match="node far/12345678 has other models"):
        scan_unit(replace(job, fingerprint="0" * 64), ScanUnit(0, Input("a"), False))


def test_the_fingerprint_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = fingerprint(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = fingerprint(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({first, second, fingerprint(tmp_path)}) == 3


def test_a_file_that_the_node_does_not_have_is_told_apart(job: Job, tmp_path: Path) -> None:
    one = Input("a.mp4", path=tmp_path / "a.mp4")
    far = scan_unit(job, ScanUnit(0, one, True)).error
    assert far is not None and "node far/12345678 has no" in far["detail"]
    assert "same path on every node" in far["detail"]
    nowhere = scan_unit(job, ScanUnit(0, one, False)).error
    assert nowhere is not None and nowhere["detail"] == "a.mp4: there is no such file"
    assert job == job_for(job.settings, OPTIONS)


def test_an_input_that_is_unusable_travels_with_its_reason(job: Job) -> None:
    error = UnusableError("empty", "folder: no video or picture in this folder", 422)
    unit = pickle.loads(pickle.dumps(ScanUnit(0, Input("folder", error=error), False)))
    assert scan_unit(job, unit).error == error.problem()


def test_a_node_that_lacks_the_data_set_or_writes_elsewhere_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    unit = Unit("a", (Item("a", path, "video", "real", "set"),))
    settings = (tmp_path / "out", 10.0, 40, 30.0, False, "shards")
    found = extract_unit(settings, unit)
    assert found.unseen == (path,)
    # Gone for everyone: listed, as without a cluster.
    assert "a.mp4" in _settled(settings, Done(unit, found, "far/1", 1)).skipped[0]
    path.touch()
    with pytest.raises(ClusterError, match=r"node far/1 has no .*a\.mp4"):
        _settled(settings, Done(unit, found, "far/1", 1))


def test_a_shard_that_does_not_appear_here_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.on_ray._VISIBLE_SECONDS", 0.0)
    unit = Unit("b", (Item("b", tmp_path / "b.mp4", "video", "real", "set"),))
    settings = (tmp_path / "out", 10.0, 40, 30.0, False, "shards")
    with pytest.raises(ClusterError, match="one folder that every node shares"):
        _settled(settings, Done(unit, Found(Extracted(1)), "far/1", 1))
