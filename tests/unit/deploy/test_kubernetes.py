"""The Kubernetes bases: composed by kustomize, valid in several versions, shut by default."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from stream_server.server.metrics.catalogue import CATALOGUE
from stream_server.settings import Settings
from tests.support.paths import ROOT

BASES = ROOT / "deploy" / "kubernetes"
KINDS = ("cpu", "gpu")
VERSIONS = ("1.28.0", "1.32.0", "1.37.0")
KUBECTL = shutil.which("kubectl")
Document = dict[str, Any]


@cache
def composed(kind: str) -> list[Document]:
    """All documents of one base, in the order in which its files name them.

    The bases use nothing of kustomize but ``resources``, so that this is what it comes to; that it
    does is tested below with kustomize itself.
    """
    documents: list[Document] = []

    def take(folder: Path) -> None:
        wanted = yaml.safe_load((folder / "kustomization.yaml").read_text())
        assert wanted.keys() == {"apiVersion", "kind", "resources"}
        for name in wanted["resources"]:
            path = (folder / name).resolve()
            if path.is_dir():
                take(path)
            else:
                documents.extend(yaml.safe_load_all(path.read_text()))

    take(BASES / kind)
    return documents


def one(kind: str, name: str, base: str = "gpu") -> Document:
    (found,) = (d for d in composed(base) if (d["kind"], d["metadata"]["name"]) == (kind, name))
    return found


def pods(base: str) -> list[Document]:
    return [d["spec"]["template"]["spec"] for d in composed(base) if d["kind"] == "Deployment"]


def key(document: Document) -> tuple[str, str, str]:
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", ""), meta["name"]


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here (Debian: kubernetes-client)")
@pytest.mark.parametrize("base", KINDS)
def test_kustomize_makes_of_it_what_stands_in_the_files(base: str, tmp_path: Path) -> None:
    shutil.copytree(BASES, tmp_path / "kubernetes")
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(tmp_path / "kubernetes" / base)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = sorted(yaml.safe_load_all(done.stdout), key=key)
    assert made == sorted(composed(base), key=key)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid_in_each_version(version: str) -> None:
    of_cpu = composed("cpu")
    for document in [*of_cpu, *(one for one in composed("gpu") if one not in of_cpu)]:
        kubernetes_validate.validate(document, version, strict=True)
    wrong = deepcopy(one("Deployment", "server"))
    wrong["spec"]["template"]["spec"]["containers"][0]["securityContext"]["readOnlyRoot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


@pytest.fixture(scope="module")
def on_ray() -> list[Document]:
    """What ``deploy/kubernetes/ray`` comes to; it patches, so that kustomize itself is asked."""
    if KUBECTL is None:
        pytest.skip("no kubectl here (Debian: kubernetes-client)")
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(BASES / "ray")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [*yaml.safe_load_all(done.stdout), yaml.safe_load((BASES / "ray/scan.yaml").read_text())]


def pods_on_ray(documents: list[Document]) -> dict[str, Document]:
    """By their name: those of the cluster as pods, since that is what KubeRay makes of them."""
    found = {}
    for document in documents:
        spec = document.get("spec", {})
        if document["kind"] == "RayCluster":
            found["head"] = spec["headGroupSpec"]["template"]["spec"]
            found |= {one["groupName"]: one["template"]["spec"] for one in spec["workerGroupSpecs"]}
        elif document["kind"] in ("Deployment", "Job"):
            found[document["kind"]] = spec["template"]["spec"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_ray_and_its_pods_are_valid_in_each_version(on_ray: Any, version: str) -> None:
    """KubeRay's own kind has no schema here; the pods in it have."""
    for document in on_ray:
        if document["kind"] != "RayCluster":
            named = deepcopy(document)
            named["metadata"].setdefault("name", "made")
            kubernetes_validate.validate(named, version, strict=True)
    pods = pods_on_ray(on_ray)
    assert pods.keys() == {"head", "nodes", "Deployment", "Job"}
    for name, spec in pods.items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name.lower()}, "spec": spec}
        kubernetes_validate.validate(pod, version, strict=True)


def test_nodes_of_ray_are_shut_in_and_run_the_servers_image(on_ray: Any) -> None:
    server = one("Deployment", "server", "cpu")["spec"]["template"]["spec"]["containers"][0]
    for name, pod in pods_on_ray(on_ray).items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["image"] == server["image"]
        assert container["securityContext"] == server["securityContext"]
        assert {"cpu", "memory", "ephemeral-storage"} <= container["resources"]["limits"].keys()
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        assert "/dev/shm" in {mount["mountPath"] for mount in container["volumeMounts"]}
        if name in ("Deployment", "Job"):  # KubeRay gives its own pods the token
            token = next(e for e in container["env"] if e["name"] == "RAY_AUTH_TOKEN")
            where = {"name": "fakelight-ray", "key": "auth_token"}
            assert token["valueFrom"]["secretKeyRef"] == where
            assert "--address=fakelight-head-svc:6379 --num-cpus=0" in container["args"][0]
            assert "--ray auto" in container["args"][0]


def test_ray_asks_for_a_token_and_is_reached_by_its_guests_alone(on_ray: Any) -> None:
    (cluster,) = (document for document in on_ray if document["kind"] == "RayCluster")
    assert cluster["apiVersion"] == "ray.io/v1"
    spec = cluster["spec"]
    assert spec["authOptions"] == {"mode": "token", "secretName": "fakelight-ray"}
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["ray"] == ["ray[client]>=2.50,<3"]
    assert (2, 50) <= tuple(map(int, spec["rayVersion"].split(".")[:2])) < (3, 0)
    policies = {d["metadata"]["name"]: d["spec"] for d in on_ray if d["kind"] == "NetworkPolicy"}
    nodes = {"podSelector": {"matchLabels": {"ray.io/cluster": cluster["metadata"]["name"]}}}
    guests = {"podSelector": policies["guests-of-ray"]["podSelector"]}
    (within,) = policies["ray"]["ingress"]
    assert within == {"from": [nodes, guests]}
    assert policies["guests-of-ray"]["ingress"] == [{"from": [nodes]}]
    assert policies["guests-of-ray"]["egress"][0] == {"to": [nodes]}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("base", KINDS)
def test_every_pod_is_shut_in(base: str) -> None:
    """What the standard `restricted` asks (https://kubernetes.io/docs/concepts/security), and a
    root that cannot be written to."""
    assert one("Namespace", "fakelight", base)["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }
    for pod in pods(base):
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "a service's name may make a setting's name"
        assert pod["serviceAccountName"] == "fakelight"
        for container in pod["containers"]:
            closed = container["securityContext"]
            assert closed["readOnlyRootFilesystem"] and not closed["allowPrivilegeEscalation"]
            assert closed["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory", "ephemeral-storage"} <= container["resources"]["limits"].keys()
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("base", KINDS)
def test_selectors_find_what_they_are_for(base: str) -> None:
    documents = composed(base)
    labels = {
        d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"]
        for d in documents
        if d["kind"] == "Deployment"
    }
    for document in documents:
        assert document["metadata"].get("namespace", "fakelight") == "fakelight"
        name, spec = document["metadata"]["name"], document.get("spec", {})
        if document["kind"] == "Deployment":
            assert spec["selector"]["matchLabels"] == labels[name]
        elif document["kind"] == "Service":
            assert spec["selector"] == labels[name]
            names = {
                port["name"]
                for d in documents
                if key(d) == ("Deployment", "fakelight", name)
                for port in d["spec"]["template"]["spec"]["containers"][0]["ports"]
            }
            assert {port["targetPort"] for port in spec["ports"]} <= names
        elif document["kind"] == "PodDisruptionBudget":
            assert spec["selector"]["matchLabels"] == labels[name]
        elif document["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] in labels
            assert spec["minReplicas"] >= 2


def test_triton_is_reached_by_the_servers_alone() -> None:
    triton = one("Deployment", "triton")["spec"]["template"]["metadata"]["labels"]
    server = one("Deployment", "server")["spec"]["template"]["metadata"]["labels"]
    nothing = one("NetworkPolicy", "nothing")["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    policy = one("NetworkPolicy", "triton")["spec"]
    assert policy["podSelector"]["matchLabels"] == triton
    assert policy["egress"] == []
    asks, reads = policy["ingress"]
    assert asks["from"] == [{"podSelector": {"matchLabels": server}}]
    assert [port["port"] for port in asks["ports"]] == [8001]
    assert [port["port"] for port in reads["ports"]] == [8002], "figures alone"
    assert one("Service", "triton")["spec"].get("type", "ClusterIP") == "ClusterIP"
    ingress = one("Ingress", "server")["spec"]["rules"][0]["http"]["paths"]
    assert [path["backend"]["service"]["name"] for path in ingress] == ["server"]


def test_a_server_reaches_the_internet_and_little_else() -> None:
    blocks = [
        to["ipBlock"]
        for rule in one("NetworkPolicy", "server")["spec"]["egress"]
        for to in rule["to"]
        if "ipBlock" in to
    ]
    assert [block["cidr"] for block in blocks] == ["0.0.0.0/0"]
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(
        blocks[0]["except"]
    )


@pytest.mark.parametrize("base", KINDS)
def test_what_is_set_is_a_setting_and_secrets_come_from_the_secret(base: str) -> None:
    (container,) = one("Deployment", "server", base)["spec"]["template"]["spec"]["containers"]
    known = {f"FAKELIGHT_{name.upper()}" for name in Settings.model_fields}
    environment = {entry["name"]: entry for entry in container["env"]}
    assert environment.keys() - {"POD_IP"} <= known
    for name in ("FAKELIGHT_TOKEN", "FAKELIGHT_METRICS_TOKEN", "FAKELIGHT_DATABASE"):
        assert environment[name]["valueFrom"]["secretKeyRef"]["name"] == "fakelight"
    names = [entry["name"] for entry in container["env"]]
    assert names.index("POD_IP") < names.index("FAKELIGHT_ALLOWED_HOSTS"), "it is used there"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in ("/readyz", "/healthz")
        assert asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


@pytest.mark.parametrize("base", KINDS)
def test_it_grows_by_a_metric_there_is(base: str) -> None:
    metrics = one("HorizontalPodAutoscaler", "server", base)["spec"]["metrics"]
    (pods,) = (metric["pods"] for metric in metrics if metric["type"] == "Pods")
    name = pods["metric"]["name"].removesuffix("_mean")
    assert CATALOGUE[name].kind == "histogram"
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert pods["metric"]["name"] in page and f"{name}_sum" in page


@pytest.mark.parametrize("base", KINDS)
def test_images_and_models_are_those_of_compose(base: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (server,) = one("Deployment", "server", base)["spec"]["template"]["spec"]["containers"]
    assert server["image"] == compose["server"]["image"]
    if base == "gpu":
        (triton,) = one("Deployment", "triton")["spec"]["template"]["spec"]["containers"]
        assert triton["image"] == compose["triton"]["image"]
        assert triton["resources"]["limits"]["nvidia.com/gpu"] == "1"
        shared = set(compose["triton"]["command"]) - {"--http-address=127.0.0.1"}
        assert shared <= set(triton["command"])
