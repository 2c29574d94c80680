from __future__ import annotations

from penstock import plots
from penstock.sampling import Clause, SamplingSchedule, SamplingSpec


def spec(**weights):
    return SamplingSpec(clauses=tuple(Clause(name, weight) for name, weight in weights.items()))


SCHEDULE = SamplingSchedule([(0, spec(a=1, b=2, c=3)), (50, spec(a=4, c=3)), (200, spec(a=4, b=1, c=3))])


def test_each_clause_that_changes_is_a_step_from_entry_to_entry():
    fig = plots.schedule(SCHEDULE)
    assert {trace.name: list(trace.y) for trace in fig.data} == {"a": [1, 4, 4, 4], "b": [2, None, 1, 1]}
    assert {trace.line.shape for trace in fig.data} == {"hv"}
    assert {tuple(trace.x)[:3] for trace in fig.data} == {(0, 50, 200)}
    assert fig.layout.xaxis.title.text == "position of the stream"


def test_the_axis_counts_epochs_where_their_size_is_known():
    fig = plots.schedule(SCHEDULE, epoch_size=100, now=250)
    assert list(fig.data[0].x)[:3] == [0, 0.5, 2]
    assert fig.layout.xaxis.title.text == "epoch"
    assert fig.layout.shapes[0].x0 == 2.5
    assert fig.data[0].x[-1] > 2.5


def test_clauses_are_chosen_by_name_and_all_are_shown_where_none_changes():
    assert [trace.name for trace in plots.schedule(SCHEDULE, clauses=["c", "unknown"]).data] == ["c"]
    assert [trace.name for trace in plots.schedule(SamplingSchedule(spec(a=1, b=2))).data] == ["a", "b"]


def test_of_many_clauses_those_that_change_most_are_shown():
    first = spec(**{f"k{number}": 0 for number in range(40)})
    last = spec(**{f"k{number}": number for number in range(40)})
    names = [trace.name for trace in plots.schedule(SamplingSchedule([(0, first), (9, last)])).data]
    assert names == [f"k{number}" for number in range(16, 40)]


def test_a_name_with_markup_is_shown_to_the_letter():
    fig = plots.schedule(SamplingSchedule([(0, spec(**{"<b>": 1})), (9, spec(**{"<b>": 2}))]))
    assert fig.data[0].name == "&lt;b&gt;"
