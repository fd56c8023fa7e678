"""Input that is broken, by chance or by intent; `python -m tests.fuzz --minutes 10` goes on."""
