"""Jobs done ahead: in order, bounded by the window, errors where they belong, no thread left."""

from __future__ import annotations

import threading

import pytest

from penstock.loader.running._jobs import Pipeline, PipelineEnded

THREADS = pytest.mark.parametrize("num_threads", [0, 1, 3], ids=lambda count: f"{count}-threads")


def squares(number):
    return lambda: number**2


def take_all(pipeline):
    taken = []
    try:
        while True:
            taken.append(pipeline.take())
    except PipelineEnded:
        return taken


@THREADS
def test_results_come_in_order(num_threads):
    pipeline = Pipeline(squares, 50, num_threads=num_threads, window=4)
    assert take_all(pipeline) == [number**2 for number in range(50)]


@THREADS
def test_jobs_are_claimed_in_order(num_threads):
    claimed = []
    pipeline = Pipeline(lambda n: claimed.append(n) or squares(n), 50, num_threads=num_threads, window=4)
    take_all(pipeline)
    assert claimed == list(range(50))


def test_no_more_jobs_are_claimed_than_the_window_holds():
    claimed, third = [], threading.Event()

    def claim(number):
        claimed.append(number)
        if number == 3:
            third.set()
        return squares(number)

    pipeline = Pipeline(claim, 50, num_threads=2, window=3)
    assert pipeline.take() == 0
    assert third.wait(20)  # 0 was taken, and 1 to 3 are ahead
    assert claimed == [0, 1, 2, 3]


def test_without_threads_nothing_is_done_ahead():
    claimed = []
    pipeline = Pipeline(lambda n: claimed.append(n) or squares(n), 50, num_threads=0, window=4)
    pipeline.take()
    assert claimed == [0]


@THREADS
@pytest.mark.parametrize("within", ["claim", "job"])
def test_an_error_is_raised_in_place_of_its_result(num_threads, within):
    def fails():
        raise ZeroDivisionError("two")

    def claim(number):
        if number == 2 and within == "claim":
            fails()
        return fails if number == 2 else squares(number)

    pipeline = Pipeline(claim, 4, num_threads=num_threads, window=4)
    assert [pipeline.take(), pipeline.take()] == [0, 1]
    with pytest.raises(ZeroDivisionError, match="two"):
        pipeline.take()
    assert take_all(pipeline) == [9]


@THREADS
def test_nothing_comes_after_close(num_threads):
    pipeline = Pipeline(squares, 50, num_threads=num_threads, window=4)
    pipeline.take()
    pipeline.close()
    with pytest.raises(PipelineEnded):
        pipeline.take()


def test_close_ends_the_wait_for_a_result():
    began, gate = threading.Event(), threading.Event()

    def waits():
        began.set()
        gate.wait(20)

    pipeline = Pipeline(lambda _: waits, 1, num_threads=1, window=1)
    closer = threading.Thread(target=lambda: (began.wait(20), pipeline.close()))
    closer.start()
    with pytest.raises(PipelineEnded):
        pipeline.take()
    gate.set()
    closer.join()


def test_jobs_that_have_not_begun_are_prepared_by_the_function_that_replaces_the_first():
    pipeline = Pipeline(squares, 4, num_threads=0, window=1)
    assert pipeline.take() == 0
    pipeline.replace_claim(lambda number: lambda: -number)
    assert take_all(pipeline) == [-1, -2, -3]


def test_a_renewed_pipeline_goes_on_after_the_last_result_that_was_taken():
    pipeline = Pipeline(squares, 6, num_threads=2, window=3)
    assert [pipeline.take(), pipeline.take()] == [0, 1]
    pipeline.renew()
    assert take_all(pipeline) == [4, 9, 16, 25]
