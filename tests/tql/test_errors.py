"""The error cases of the specification: kind, span, words and suggestion."""

from __future__ import annotations

import pytest

from penstock import errors
from penstock.tql import parse, run
from tests.tql.conftest import cases

CASES = cases("errors.tsv")


def error_of(table, case):
    _, query, kind, *_ = case
    with pytest.raises(getattr(errors, kind)) as caught:
        run(query, table)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_error_says_what_is_wrong(table, case):
    text = str(error_of(table, case))
    for word in case[5:]:
        assert word in text


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_error_has_the_place_in_the_text(table, case):
    error, start, end = error_of(table, case), int(case[3]), int(case[4])
    assert error.start == start
    assert error.end in {end, end + (start == end)}


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_error_marks_the_place_below_the_line(table, case):
    line, caret = str(error_of(table, case)).splitlines()[-2:]
    assert line == f"  {case[1]}"
    assert caret.index("^") == 2 + int(case[3])


def test_two_types_that_do_not_compare_are_both_marked(table):
    with pytest.raises(errors.QueryBindError) as caught:
        run("select * where id == 'car'", table)
    spans = [(start, end) for start, end, _ in caught.value.related]
    assert spans == [(15, 17), (21, 26)]


def test_line_and_column_count_from_one_over_several_lines(table):
    with pytest.raises(errors.QueryBindError) as caught:
        run("select *\nwhere id > 1\n  and nme = 2", table)
    assert (caught.value.line, caught.value.column) == (3, 7)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select * where " + "(" * 200 + "id" + ")" * 200, "nested more than 100"),
        ("select * where " + "not " * 200 + "id", "nested more than 100"),
        ("select * where id = " + "-" * 0 + "- " * 150 + "1", "nested more than 100"),
        ("select * where " + "(" * 100_000, "nested more than 100"),
        ("(" * 100_000 + "select *", "nested more than 100"),
        ("select * where id in " + "(" * 90_000 + "1" + ")" * 90_000, "nested more than 100"),
        (
            "select * from a " + " ".join(f"join b as b{i} on a.id = b{i}.id" for i in range(150)),
            "Expected at most 100",
        ),
        ("select * where id" + "[0]" * 150, "nested more than 100"),
        ("select '" + "x" * 300_000 + "'", "at most 200,000"),
        ("select * where id = 99999999999999999999", "too large"),
        ("select * where id = 1e999", "too large"),
        ("select * limit 1.5", "must be an integer"),
        ("select * limit 'a'", "constant number"),
        ("select * having id > 1", "HAVING needs GROUP BY"),
        ("select * from a, b", "cannot be joined by a comma"),
        ("select * where id = 1 && id = 2", "Hint: write AND"),
        ("select * where id = 1 & id = 2", "Hint: write AND"),
        ("select * where id = 1 | id = 2", "Hint: write OR, or || for text"),
        ("select * where id = 1 || id = 2", "write OR between two conditions"),
        ("select * where name || name", "write OR between two conditions"),
        ("select * where !contains(findings, 'Hernia')", "Hint: write NOT"),
        ("select * where ! id = 1", "Hint: write NOT"),
        (
            "select * sample by min_weight(id = 1: 2)",
            "unknown weight function 'min_weight'. Expected one of: max_weight, ",
        ),
        ("select * sample by avg_weight(id = 1: 2)", "max_weight uses the greatest"),
        ("select * sample by mx_weight(id = 1: 2)", "did you mean max_weight?"),
        ("select * from a join b using id", "write using (id)"),
        ("select * from a join b using (id, name)", "write on a.id = b.id and"),
        ("select * from a natural join b", "NATURAL JOIN is not supported"),
        ("select * from (select *) join (select *) as b using (id)", "name it: "),
        ("select * where stuff/kind = 1", 'quote the name of this tensor: "stuff/kind"'),
        ("select * where id = 1 limit 2 limit 3", "appears twice"),
        ("select * sample by 1 offset 3", "OFFSET cannot follow SAMPLE"),
        ("select * order by id union select *", "UNION cannot follow ORDER BY"),
        ("select id id2", "expected an operator, AS"),
        ("drop table x", "expected SELECT"),
        ("", "expected SELECT"),
        ("select order where order > 1", "expected an expression"),
        ("select * where order > 1", 'write "order"'),
        ("select * where a.b.c = 1", "unknown table"),
        ("select * where id in ()", "expected an expression"),
        ("select * where max_weight(True) > 1", "only after SAMPLE BY"),
        ("select * where v[0,1] = 1", "2 indices for v"),
        ("select * where id[0] = 1", "only arrays can be indexed"),
        ("select * where v[0.5] = 1", "an index must be an integer"),
        ("select * where v[::0] = 1", "step of a slice cannot be 0"),
        ("select * where id - 'a' > 1", "Expected a number"),
        ("select * where name + 'a' = 'b'", "concatenate text with ||"),
        ("select * where label like 3", "must be text"),
        ("select * where id like '3'", "LIKE needs text"),
        ("select * where cast(id as foo) = 1", "unknown type 'foo'"),
        ("select * where count(*) > 1", "counts the rows of groups"),
        ("select * group by v", "GROUP BY needs one value"),
        ("select * where id = (select id)", "must return one row, but this one returns 6"),
        ("select * where id in (select *)", "must have one column"),
        ("select * from nowhere", "unknown dataset 'nowhere'"),
        ("select id + label", "needs a name"),
        ("select * as x", "* cannot have a name"),
        ("(select id) union (select name)", "needs the same columns"),
        ("(select id as x) union (select name as x)", "on one side and"),
        ("select * where mean(label) > 1", "mean needs numbers"),
        ("select * where timestamp 'yesterday' is null", "is not a timestamp"),
        ("select * ungroup by id", "only be ungrouped BY SPLIT"),
        ("select * where contains(label, '*zz*')", "no class matches"),
        ("select * where v = ARRAY[1, 'a']", "cannot contain both numbers and text"),
        ("select * where any(v, 7)", "axis 7"),
        ("select * where max(v, 1, 2) > 1", "takes 1 to 2 arguments"),
        ("select * where sum(v, axiss => 0) > 1", "no argument 'axiss'"),
        ("select * sample by max_weight(True: 1, cap => 3)", "can be used in product_weight"),
        ("select * sample by name", "Expected a number as the weight"),
        ("select * sample by v", "SAMPLE BY needs one value"),
        ("select * group by label sample by 1", "grouped results cannot be sampled"),
    ],
)
def test_what_is_refused_says_why(table, query, words):
    with pytest.raises(errors.TQLError) as caught:
        run(query, table)
    assert words in str(caught.value).replace("\n", " ")


def test_parse_alone_knows_no_tensors():
    assert parse("select * where anything = 1") is not None
