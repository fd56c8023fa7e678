"""What the embedders share, without a network."""

import os

import pytest

from indexer.embedder import _without_greeting
from indexer.errors import UsageError
from indexer.runtimes import RUNTIMES, require_runtime


def test_litert_is_kept_from_greeting(capfd):
    os.write(2, b"before\n")
    with _without_greeting():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nanother's\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nanother's\nafter\n"


def test_stderr_comes_back_after_an_error(capfd):
    with pytest.raises(RuntimeError), _without_greeting():
        raise RuntimeError
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


@pytest.mark.parametrize("name", RUNTIMES)
def test_runtimes(name):
    require_runtime(name)


def test_no_such_runtime():
    with pytest.raises(UsageError, match="none"):
        require_runtime("none")
