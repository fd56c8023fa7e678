"""What the embedders share, without a network."""

import os
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.embedder import Embedder, OpenVINOEmbedder
from indexer.errors import UsageError
from indexer.held_stderr import without_lines
from indexer.model import CHANNELS, FEATURES
from indexer.runners import Runners
from indexer.runtimes import RUNTIMES, require_runtime


def test_litert_is_kept_from_greeting(capfd):
    os.write(2, b"before\n")
    with without_lines(b"XNNPACK delegate"):
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nanother's\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nanother's\nafter\n"


def test_stderr_comes_back_after_an_error(capfd):
    with pytest.raises(RuntimeError), without_lines(b"XNNPACK delegate"):
        raise RuntimeError
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


PIXELS = np.zeros((75, 75, 3), np.uint8)


def without_network(kind, **attributes):
    embedder = kind.__new__(kind)
    vars(embedder).update(attributes)
    return embedder


@pytest.mark.parametrize("names", [FEATURES, FEATURES[:4]])
def test_a_network_gives_the_features_it_has(names):
    # In another order, and with more than is asked for, as Keras gives them.
    outputs = {name: np.full((1, CHANNELS), FEATURES.index(name)) for name in reversed(names)}
    runners = Runners([lambda _: {"mixed7": np.zeros((1, 3, 3, CHANNELS)), **outputs}])
    embedded = without_network(Embedder, _runners=runners).embed(PIXELS)
    assert embedded.tolist() == np.arange(len(names)).repeat(CHANNELS).tolist()


@pytest.mark.parametrize("names", [FEATURES, FEATURES[:4]])
def test_so_does_its_openvino_form(names):
    request = SimpleNamespace(
        infer=lambda _: None, get_tensor=lambda name: SimpleNamespace(data=np.ones((1, CHANNELS)))
    )
    compiled = SimpleNamespace(
        create_infer_request=lambda: request,
        outputs=[SimpleNamespace(get_any_name=lambda name=name: name) for name in names],
    )
    embedder = without_network(
        OpenVINOEmbedder, _compiled={1: compiled}, _compiling=threading.Lock()
    )
    run = embedder._runner("features", 1)
    assert set(run(PIXELS[None])) == set(names)


@pytest.mark.parametrize("name", RUNTIMES)
def test_runtimes(name):
    require_runtime(name)


def test_no_such_runtime():
    with pytest.raises(UsageError, match="none"):
        require_runtime("none")
