"""What `lookalike serve` sees to before it serves."""

import os
import subprocess
import sys

import pytest

# What is loaded looks at the environment once: so in a process of its own.
SCRIPT = """
import sys
from types import SimpleNamespace
import web.commands
assert "numpy" not in sys.modules, "it is loaded before the environment is set"

def run(*_):
    import faiss, numpy  # as the real one does
    from threadpoolctl import threadpool_info
    print(sorted({one["num_threads"] for one in threadpool_info()}))

sys.modules["web.serving.server"] = SimpleNamespace(serve=run, serve_as=None)
web.commands.serve([], standalone_mode=False)
"""


@pytest.mark.parametrize(("given", "threads"), [(None, "[1]"), ("2", "[2]")])
def test_a_question_takes_one_thread_of_numpy_and_faiss(given, threads):
    """Unless one says otherwise."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    left = {name: value for name, value in os.environ.items() if name not in names}
    env = left | ({} if given is None else dict.fromkeys(names, given))
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip() == threads
