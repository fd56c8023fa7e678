"""The example in deploy/kubernetes: not run here, and checked as far as that goes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

import lookalike
from indexer.milvus.address import Address
from indexer.ray_cluster import require_ray
from web.setting_values import variable
from web.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBERNETES = "1.37"
SETTINGS = {"LOOKALIKE_CACHE", *(variable(setting.name) for setting in fields(Settings))}
CHART = {"cluster", "image", "extraConfigFiles", "proxy", "queryNode", "indexNode", "dataNode"}
CHART |= {"mixCoordinator", "etcd", "minio"}
"""Parts of Milvus' own chart."""


def documents(name: str) -> list[dict]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def of_kind(name: str, kind: str) -> dict:
    (found,) = (one for one in documents(name) if one["kind"] == kind)
    return found


@pytest.mark.parametrize("name", ["web.yaml", "index-job.yaml"])
def test_what_is_of_kubernetes_itself_is_valid(name):
    for document in documents(name):
        if document["apiVersion"] != "ray.io/v1":
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


def pod_templates() -> list[dict]:
    cluster = of_kind("index-job.yaml", "RayJob")["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    web = of_kind("web.yaml", "Deployment")["spec"]
    return [web["template"], cluster["headGroupSpec"]["template"], workers["template"]]


@pytest.mark.parametrize("template", pod_templates(), ids=["web", "head", "workers"])
def test_its_pods(template):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": template["spec"]}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    (container,) = template["spec"]["containers"]
    assert template["spec"]["securityContext"]["runAsNonRoot"]
    assert container["resources"]["limits"]["memory"]
    assert re.fullmatch(r"\S+:\d+\.\d+\.\d+", container["image"])


def test_no_secret_stands_in_it():
    for path in FOLDER.iterdir():
        text = path.read_text()
        assert not re.search(r"^kind: Secret$", text, re.MULTILINE)
        given = re.findall(
            r"(?i)(?<![a-z])(?:token|password|secretkey|accesskey)[ ]*[:=][ ]*(\S+)", text
        )
        assert all(value.startswith(("root:...", "...")) for value in given), given
    for template in pod_templates():
        for one in template["spec"]["containers"][0]["env"]:
            secret = "TOKEN" in one["name"] or "KEY_" in one["name"]
            assert ("valueFrom" if secret else "value") in one


def test_only_settings_that_there_are_are_set():
    for path in FOLDER.glob("*.yaml"):
        assert set(re.findall(r"LOOKALIKE_[A-Z_]+", path.read_text())) <= SETTINGS


def test_the_web_server():
    deployment = of_kind("web.yaml", "Deployment")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    options = {name for p in command("serve").params for name in p.opts}
    assert {word for word in container["command"] if word.startswith("--")} <= options
    settings = {one["name"]: one.get("value") for one in container["env"]}
    assert Address.parse(settings["LOOKALIKE_INDEX"]).consistency == "Bounded"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    labels = pod["metadata"]["labels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"]
    service = of_kind("web.yaml", "Service")["spec"]
    assert service["selector"] == labels
    assert service["ports"][0]["targetPort"] in {port["name"] for port in container["ports"]}
    (rule,) = of_kind("web.yaml", "Ingress")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (backend["name"], backend["port"]["name"]) == ("lookalike", "http")
    scaler = of_kind("web.yaml", "HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    # Whoever scales it is the only one to say how many there are.
    assert "replicas" not in deployment["spec"]


def command(name: str):
    return lookalike.cli.get_command(lookalike.click.Context(lookalike.cli), name)


def test_the_job():
    job = of_kind("index-job.yaml", "RayJob")["spec"]
    program, name, _, *arguments = shlex.split(job["entrypoint"])
    assert (program, name) == ("lookalike", "index")
    context = command("index").make_context("index", ["catalogue", *arguments])
    require_ray(context.params["ray"])
    Address.parse(context.params["index_folder"])
    mounts = job["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0][
        "volumeMounts"
    ]
    assert str(context.params["work"]).startswith(mounts[0]["mountPath"])
    claim = of_kind("index-job.yaml", "PersistentVolumeClaim")["metadata"]["name"]
    (volume,) = job["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim
    (workers,) = job["rayClusterSpec"]["workerGroupSpecs"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    assert job["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_one_version_of_ray():
    asked = of_kind("index-job.yaml", "RayJob")["spec"]["rayClusterSpec"]["rayVersion"]
    (image,) = re.findall(
        r"^FROM rayproject/ray:([\d.]+)-", (FOLDER / "Dockerfile").read_text(), re.M
    )
    assert asked == image == version("ray")


def test_milvus():
    values = yaml.safe_load((FOLDER / "milvus-values.yaml").read_text())
    assert set(values) == CHART
    assert values["image"]["all"]["tag"] == "v2.3.5"
    settings = yaml.safe_load(values["extraConfigFiles"]["user.yaml"])
    assert settings["common"]["security"]["authorizationEnabled"]
    assert values["minio"]["existingSecret"]
    assert "accessKey" not in values["minio"]


def test_hadolint_finds_nothing_in_the_dockerfile():
    hadolint = shutil.which("hadolint") or Path(sys.executable).with_name("hadolint")
    linted = subprocess.run(
        [hadolint, FOLDER / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
