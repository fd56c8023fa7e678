"""The files in deploy/: they cannot be run here, and are checked as far as that goes."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from web.setting_values import variable
from web.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KNOWN = {"LOOKALIKE_CACHE", *(variable(setting.name) for setting in fields(Settings))}


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "lookalike.service"])
def test_only_settings_that_there_are_are_set(name: str) -> None:
    named = set(re.findall(r"LOOKALIKE_[A-Z_]+", (DEPLOY / name).read_text()))
    assert named <= KNOWN | {"LOOKALIKE_"}


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    linted = subprocess.run(
        [hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_dockerfile_copies_what_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    (line,) = re.findall(r"^COPY (pyproject.*) \./$", text, re.MULTILINE)
    folders = re.findall(r"^COPY (\w+) \./", text, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name in (*line.split(), *folders):
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert "USER 10001" in text


def test_the_services_are_confined() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for service in (services["web"], services["index"]):
        assert f" AS {service['build']['target']}" in dockerfile
        shop = [volume for volume in service["volumes"] if "/shop" in volume]
        assert all(volume.endswith(":ro") for volume in shop)
    assert services["web"]["read_only"]
    assert services["web"]["cap_drop"] == ["ALL"]
    assert "ports" not in services["web"]  # only the proxy is reached from outside


def test_the_unit_is_one() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "lookalike.service")
    assert "lookalike serve" in unit["Service"]["ExecStart"]
    assert unit["Service"]["DynamicUser"] == "yes"
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    said = subprocess.run(
        [verify, "verify", DEPLOY / "lookalike.service"],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    # The program is not installed there on this machine; everything else must be right.
    wrong = [line for line in said.splitlines() if "lookalike.service" in line]
    assert all("is not executable" in line for line in wrong), said
