"""Runners are lent to whoever has waited longest."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest

import indexer.runners
from indexer.runners import Runners, RunnersForPhotos


def until(true):
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.001)


def made(number):
    return lambda _: number


def all_cores(_):
    return "all"


def test_first_come_first_served():
    runners = Runners([made(1)])
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
    runners = Runners([made(1)])
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


def test_each_is_lent_to_one_at_a_time():
    runners = Runners(map(made, range(3)))
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
    assert max(most) == 3


def test_all_cores_for_whoever_is_alone():
    numbers = iter((1, 2))
    runners = RunnersForPhotos(all_cores, lambda: made(next(numbers)), 2)
    for _ in range(3):
        with runners.lent() as run:
            assert run(None) == "all"
    with runners.lent() as first:
        with runners.lent() as second, runners.lent() as third:
            assert first(None) == "all"
            assert {second(None), third(None)} == {1, 2}
        with runners.lent() as fourth:
            assert fourth(None) in (1, 2)
    with runners.lent() as again:
        assert again(None) == "all"


def test_nobody_waits_for_those_that_are_being_made():
    go_on = threading.Event()

    def make():
        go_on.wait(10)
        return made(1)

    runners = RunnersForPhotos(all_cores, make, 1)

    def work():
        with runners.lent() as run:
            return run(None)

    with ThreadPoolExecutor(2) as threads:
        with runners.lent():
            second, third = threads.submit(work), threads.submit(work)
            until(lambda: len(runners._waiting) == 2)
        assert second.result(10) == third.result(10) == "all"
        with runners.lent():
            fourth = threads.submit(work)
            until(lambda: runners._waiting)
            go_on.set()
            assert fourth.result(10) == 1


def test_all_cores_are_not_handed_on_beside_those_with_a_core_each():
    runners = RunnersForPhotos(all_cores, lambda: made(1), 1)
    done = []

    def work():
        with runners.lent() as run:
            done.append(run(None))

    with ThreadPoolExecutor(1) as threads, runners.lent() as alone:
        assert alone is all_cores
        one = runners._take()
        assert one(None) == 1
        waiting = threads.submit(work)
        until(lambda: runners._waiting)
        runners._give_back(all_cores)
        time.sleep(0.05)
        assert not done
        runners._give_back(one)
        waiting.result(10)
        assert runners._take() is all_cores  # given back at the end of the block
    assert done == [1]


def test_without_more_of_them_the_one_goes_on(caplog):
    def make():
        raise MemoryError("there is no room")

    runners = RunnersForPhotos(all_cores, make, 2)

    def work(_):
        with runners.lent() as run:
            time.sleep(0.001)
            return run(None)

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(work, range(20))) == {"all"}
    assert caplog.messages == ["No more than 1 photos are looked at at once: there is no room"]


def test_with_too_few_of_them_all_cores_go_on_too():
    numbers = iter((1,))

    def make():
        try:
            return made(next(numbers))
        except StopIteration:
            raise MemoryError from None

    runners = RunnersForPhotos(all_cores, make, 8)
    used, lock = [], threading.Lock()

    def work(_):
        with runners.lent() as run:
            time.sleep(0.001)
            with lock:
                used.append(run(None))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(200)))
    assert min(used.count("all"), used.count(1)) > 50


def test_no_more_are_made_than_are_waited_for():
    numbers = iter(range(1, 9))
    runners = RunnersForPhotos(all_cores, lambda: made(next(numbers)), 8)
    for _ in range(3):  # two at once need one more, however often
        with runners.lent(), runners.lent():
            pass
    assert next(numbers) == 2


@pytest.mark.parametrize("lent_already", [False, True])
def test_one_who_stops_waiting_leaves_the_line(monkeypatch, lent_already):
    runners = Runners([made(1)])

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
