"""Runners are lent to whoever has waited longest."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest

import indexer.runners
from indexer.runners import Runners


def until(true):
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.001)


class Maker:
    """Makes runners, and counts them; fails as often as it is told to."""

    def __init__(self, failures=0):
        self.made = 0
        self.failures = failures

    def __call__(self):
        if self.failures:
            self.failures -= 1
            raise MemoryError
        self.made += 1
        number = self.made
        return lambda _: number


def test_first_come_first_served():
    runners = Runners(Maker(), 1)
    served = []

    def work(number):
        with runners.lent():
            served.append(number)

    with runners.lent():
        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda number=number: len(runners._waiting) == number)
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_nobody_passes_those_who_wait():
    runners = Runners(Maker(), 1)
    rounds, other = [], threading.Event()

    def wait_once():
        with runners.lent():
            other.set()

    with runners.lent():
        waiting = threading.Thread(target=wait_once)
        waiting.start()
        until(lambda: runners._waiting)
    # Whoever gives it back and asks again at once does so before the other is even awake.
    with runners.lent():
        rounds.append(other.is_set())
    waiting.join(10)
    assert rounds == [True]


def test_as_many_as_needed_and_no_more():
    maker = Maker()
    runners = Runners(maker, 3)
    for _ in range(5):
        with runners.lent():
            pass
    assert maker.made == 1
    at_work, most, lock = set(), [], threading.Lock()

    def work(_):
        with runners.lent() as run:
            number = run(None)
            with lock:
                assert number not in at_work
                at_work.add(number)
                most.append(len(at_work))
            time.sleep(0.002)
            with lock:
                at_work.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(60)))
    assert maker.made == max(most) == 3


def test_all_cores_for_whoever_is_alone():
    def alone(_):
        return "all"

    runners = Runners(Maker(), 2, alone)
    with runners.lent() as first:
        with runners.lent() as second, runners.lent() as third:
            assert [first(None), second(None), third(None)] == ["all", 1, 2]
        with runners.lent() as fourth:
            assert fourth(None) in (1, 2)
    with runners.lent() as again:
        assert again(None) == "all"


def test_one_that_cannot_be_made_is_told_and_nobody_waits_for_it():
    with pytest.raises(MemoryError):
        Runners(Maker(failures=1), 1)
    runners = Runners(Maker(failures=1), 1, lambda _: "all")
    with runners.lent():
        with pytest.raises(MemoryError), runners.lent():
            pass
        with runners.lent() as run:
            assert run(None) == 1
    with runners.lent() as run:
        assert run(None) == "all"


def test_those_who_wait_for_one_that_cannot_be_made_try_themselves():
    begun, fail = threading.Event(), threading.Event()
    made = []

    def make():
        if not made:
            made.append("failed")
            begun.set()
            fail.wait(10)
            raise MemoryError
        return lambda _: "made"

    runners = Runners(make, 1, lambda _: "all")
    with runners.lent(), ThreadPoolExecutor(2) as threads:

        def work():
            with runners.lent() as run:
                return run(None)

        first = threads.submit(work)
        begun.wait(10)
        second = threads.submit(work)
        until(lambda: runners._waiting)
        fail.set()
        assert isinstance(first.exception(10), MemoryError)
        assert second.result(10) == "made"


@pytest.mark.parametrize("lent_already", [False, True])
def test_one_who_stops_waiting_leaves_the_line(monkeypatch, lent_already):
    runners = Runners(Maker(), 1)

    class Interrupted(SimpleQueue):
        def get(self, *given):
            if lent_already and not self.empty():
                return super().get(*given)
            if lent_already:
                runners._give_back(held)
            raise KeyboardInterrupt

    held = runners._take()
    monkeypatch.setattr(indexer.runners, "SimpleQueue", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        runners._take()
    if not lent_already:
        runners._give_back(held)
    assert not runners._waiting
    assert runners._take() is held
