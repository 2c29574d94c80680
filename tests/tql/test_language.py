"""What an editor asks: tokens, completion, lint, hover, layout, explain, edits of one literal."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from penstock import tql
from penstock.errors import QuerySyntaxError, SamplingError
from penstock.table import ArrayTable
from penstock.tql.syntax._lexer import KEYWORDS
from tests.tql.conftest import cases

SEED = "select * sample by max_weight(contains(findings, 'Hernia'): 20, label == 'cat': 5, shape(boxes)[0] > 1: 0.5, True: 1)"


def labels(text: str, table: ArrayTable) -> list[str]:
    """Return what is offered at the mark |."""
    caret = text.index("|")
    return [offer.label for offer in tql.complete(text.replace("|", ""), caret, table)]


def applied(text: str, label: str, table: ArrayTable) -> str:
    """Return the text after one offer at the mark | was taken."""
    caret = text.index("|")
    text = text.replace("|", "")
    offer = next(offer for offer in tql.complete(text, caret, table) if offer.label == label)
    return text[: offer.start] + offer.insert + text[offer.end :]


# -- tokens -------------------------------------------------------------------------------


def test_tokens_say_kinds_and_spans_in_utf16():
    text = "select '😀' -- x"
    found = tql.tokens(text)
    assert [(token.kind, token.start, token.end) for token in found] == [
        ("keyword", 0, 6),
        ("string", 7, 11),
        ("comment", 12, 16),
    ]


@pytest.mark.parametrize("text", ["where 'open", '"open', "/* open", "a | b é § $", ""])
def test_tokens_cover_text_that_is_wrong(text):
    found = tql.tokens(text)
    assert "".join(text[token.start : token.end] for token in found) == text.replace(" ", "") or " " in text


def test_keyword_tables_of_python_and_the_browser_are_equal():
    source = Path(__file__).parents[2] / "widgets_js" / "src" / "query" / "tokens.ts"
    listed = re.search(r"KEYWORDS[^`]*`([^`]*)`", source.read_text(encoding="utf-8"))
    assert set(listed.group(1).split()) == KEYWORDS


# -- completion ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("|", "SELECT"),
        ("select * |", "WHERE"),
        ("select * wh|", "WHERE"),
        ("select * where |", "findings"),
        ("select * where fi|", "findings"),
        ("select * where id |", "BETWEEN"),
        ("select * order by id |", "DESC"),
        ("select * order by id nulls |", "LAST"),
        ("select * sample by |", "max_weight"),
        ("select * sample by max_weight(True: 1) |", "REPLACE"),
        ("select * sample by max_weight(|", "contains"),
        ("select * where id > 1 union |", "SELECT"),
    ],
)
def test_completion_offers_what_can_stand_there(table, text, offered):
    assert offered in labels(text, table)


def test_completion_offers_no_clause_that_must_come_before(table):
    assert "WHERE" not in labels("select * limit 2 |", table)


@pytest.mark.parametrize(
    "text",
    [
        "select * where contains(findings, '|",
        "select * where contains(findings, '|')",
        "select * where findings[0] = 1 and findings == '|",
        "select * where findings in ('Mass', '|",
        "select * where findings != |",
        "select * sample by max_weight(contains(findings, '|",
    ],
)
def test_completion_offers_class_names_where_a_class_is_asked_for(table, text):
    offered = labels(text, table)
    assert [label for label in offered if label in {"Hernia", "Mass", "No_Finding", "Edema"}] == offered[:4]


def findings_offered(table):
    text = "select * where contains(findings, '"
    return tql.complete(text, len(text), table)


def test_completion_orders_classes_by_their_labels(table):
    assert [offer.label for offer in findings_offered(table)] == ["Hernia", "Mass", "No_Finding", "Edema"]


def test_completion_says_how_many_labels_a_class_has(table):
    counts = {offer.label: offer.detail for offer in findings_offered(table)}
    assert counts == {"Hernia": "3", "Mass": "3", "No_Finding": "1", "Edema": "0"}


def test_completion_replaces_a_class_name_up_to_its_closing_quote(table):
    assert applied("select * where contains(findings, 'He|')", "Hernia", table) == (
        "select * where contains(findings, 'Hernia')"
    )


def test_completion_quotes_names_that_need_it(table):
    assert applied("select * where st|", "stuff/kind", table) == 'select * where "stuff/kind"'


def test_completion_follows_the_case_of_what_is_typed(table):
    assert applied("SELECT * WH|", "WHERE", table) == "SELECT * WHERE "
    assert applied("select * wh|", "WHERE", table) == "select * where "


@pytest.mark.parametrize("text", ["select * -- wh|", "select * limit |", "select * /* wh|"])
def test_completion_is_silent_where_nothing_fits(table, text):
    assert "findings" not in labels(text, table)


def test_completion_counts_in_utf16(table):
    text = "select * where name = '😀' and fi"
    offer = tql.complete(text, len(text.encode("utf-16-le")) // 2, table)[0]
    assert offer.start == len("select * where name = '😀' and ".encode("utf-16-le")) // 2


# -- lint ---------------------------------------------------------------------------------


def test_lint_finds_nothing_in_a_good_query(table):
    assert tql.lint(SEED, table) == ()


def test_lint_marks_every_clause_that_is_wrong(table):
    found = tql.lint("select * where nme = 1 order by idd sample by max_weight(label = 'cta': 1, True: 1)", table)
    assert [diagnostic.fix for diagnostic in found] == ["name", "id", "'cat'"]
    assert all(diagnostic.severity == "error" for diagnostic in found)


def test_lint_marks_a_syntax_error_with_its_fix(table):
    (found,) = tql.lint("select * whre id > 1", table)
    assert (found.start, found.end, found.fix) == (9, 13, "WHERE")


def test_lint_spans_are_utf16(table):
    (found,) = tql.lint("select * where name = '😀' and nme = 1", table)
    assert (found.start, found.end) == (31, 34)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select * where contains(name, 'ca*')", "literally"),
        ("select * sample by max_weight(label = 'cat': 1, label='cat': 2)", "same condition"),
        ("select * sample by max_weight(1 > 2: 1, True: 1)", "never true"),
    ],
)
def test_lint_warns_of_what_is_suspicious(table, text, message):
    (found,) = tql.lint(text, table)
    assert found.severity == "warning"
    assert message in found.message


def test_applying_the_fix_of_every_error_case_leaves_fewer_errors(table):
    for _, query, *_ in cases("errors.tsv"):
        for found in tql.lint(query, table):
            if found.fix is not None:
                repaired = query[: found.start] + found.fix + query[found.end :]
                assert found not in tql.lint(repaired, table)


# -- hover, explain, layout ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("select * where |findings[0] = 1", "findings"),
        ("select * where |any(v > 1)", "any(x [, axis])"),
        ("select * where label = '|car'", "car"),
        ("select * |where id = 1", "WHERE"),
        ('select * where "|stuff/kind" = 1', "stuff/kind"),
    ],
)
def test_hover_tells_what_stands_there(table, text, title):
    assert tql.hover(text.replace("|", ""), text.index("|"), table).title == title


@pytest.mark.parametrize(("text", "place"), [("select  *", 7), ("select 'open", 8)], ids=["blank", "broken"])
def test_hover_is_silent_where_there_is_no_word(table, text, place):
    assert tql.hover(text, place, table) is None


def test_explain_counts_rows_after_every_step(table):
    explanation = tql.explain(
        "select * where id > 1 limit 3 sample by max_weight(label = 'car': 3, True: 1) limit 10", table
    )
    assert explanation.funnel == (("rows", 6), ("where id > 1", 4), ("limit", 3), ("sample by", 10))
    # of rows 2, 3, 4 only row 3 is a car
    assert explanation.weights == ((3.0, 1), (1.0, 2))
    expected = dict(explanation.expected)
    assert expected["car"] == pytest.approx(10 * 3 / 5)
    assert "where id > 1" in str(explanation)
    assert "where id &gt; 1" in explanation._repr_html_()


def known_trees():
    """Return the queries of the specification that can be read, with their trees."""
    found = {}
    for case in [*cases("cases.tsv"), *cases("layout.tsv")]:
        with contextlib.suppress(QuerySyntaxError):
            found[case[0]] = (case[1], tql.parse(case[1]))
    return found


KNOWN_TREES = known_trees()


@pytest.mark.parametrize(("text", "tree"), KNOWN_TREES.values(), ids=KNOWN_TREES)
def test_layout_keeps_the_tree(text, tree):
    assert tql.parse(tql.format_query(text)) == tree


@pytest.mark.parametrize("text", [text for text, _ in KNOWN_TREES.values()], ids=KNOWN_TREES)
def test_layout_of_a_layout_is_the_same(text):
    laid_out = tql.format_query(text)
    assert tql.format_query(laid_out) == laid_out


@pytest.mark.parametrize("tree", [tree for _, tree in KNOWN_TREES.values()], ids=KNOWN_TREES)
def test_unparse_keeps_the_tree(tree):
    assert tql.parse(tql.unparse(tree)) == tree


def test_layout_puts_clauses_of_a_long_query_on_lines_of_their_own():
    assert tql.format_query(SEED + " replace true limit 100") == (
        "select *\n"
        "sample by max_weight(\n"
        "    contains(findings, 'Hernia'): 20,\n"
        "    label == 'cat': 5,\n"
        "    shape(boxes)[0] > 1: 0.5,\n"
        "    true: 1\n"
        ") replace true limit 100"
    )


def test_layout_keeps_comments():
    text = "select * -- every one\nwhere id > 1 /* above */ and id < 5 # below\n"
    laid_out = tql.format_query(text)
    for comment in ("-- every one", "/* above */", "# below"):
        assert comment in laid_out


# -- clauses and single literals ----------------------------------------------------------


def test_clauses_name_their_class_beside_its_weight(table):
    found = tql.clauses(SEED, table)
    assert [(clause.label, clause.class_index, clause.weight) for clause in found] == [
        ("Hernia", 1, 20.0),
        ("cat", 2, 5.0),
        ("shape(boxes)[0] > 1", None, 0.5),
        ("everything else", None, 1.0),
    ]


def test_clauses_have_the_place_of_their_weight(table):
    assert [SEED[clause.start : clause.end] for clause in tql.clauses(SEED, table)] == ["20", "5", "0.5", "1"]


def test_clauses_without_a_literal_have_no_place():
    (first, second, third) = tql.clauses("select * sample by max_weight(id = 0: 3, id = 1: 1 / 2, True: 1)")
    assert (first.weight, second.weight) == (3, 0.5)
    assert (first.start is None, second.start is None, third.start is None) == (False, True, False)


def test_clauses_have_no_place_where_a_weight_differs_from_row_to_row():
    (first, second) = tql.clauses("select * sample by max_weight(id = 0: id + 3, True: 1)")
    assert (first.start, second.start, second.weight) == (None, None, 1.0)


def test_clauses_of_other_forms():
    assert tql.clauses("select *") == ()
    (constant,) = tql.clauses("select * sample by 0.1")
    assert (constant.label, constant.weight, constant.start) == ("everything else", 0.1, 19)
    (column,) = tql.clauses("select * sample by score")
    assert (column.expression, column.start) == ("score", None)


def test_clause_spans_are_utf16():
    text = "select * sample by max_weight(name = '😀': 20)"
    (clause,) = tql.clauses(text)
    assert text.encode("utf-16-le")[clause.start * 2 : clause.end * 2].decode("utf-16-le") == "20"


def test_rewriting_a_weight_keeps_the_rest_to_the_letter():
    text = "select *  -- mine\nsample BY max_weight( a>1 :20 ,\n True:1 )  # end"
    assert tql.rewrite_weight(text, 0, 0.125) == text.replace(":20", ":0.125")
    assert tql.rewrite_weight(text, 1, 3) == text.replace("True:1", "True:3")


@pytest.mark.parametrize("value", [0, 1e-7, 1e20, 1.5, 123456])
def test_rewritten_weights_read_back(value):
    text = tql.rewrite_weight("select * sample by max_weight(True: 1)", 0, value)
    assert tql.clauses(text)[0].weight == value


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_rewriting_refuses_what_is_no_weight(value):
    with pytest.raises(SamplingError, match="finite number >= 0"):
        tql.rewrite_weight("select * sample by max_weight(True: 1)", 0, value)


def test_rewriting_refuses_a_clause_that_is_not_there():
    with pytest.raises(SamplingError, match="clause 2 does not exist"):
        tql.rewrite_weight("select * sample by max_weight(True: 1)", 2, 1)


ADDED = [
    ("select *", "select * sample by max_weight(a > 1: 5, True: 1)"),
    ("select * limit 3;", "select * limit 3 sample by max_weight(a > 1: 5, True: 1);"),
    ("select * -- all", "select * sample by max_weight(a > 1: 5, True: 1) -- all"),
    ("select * sample by max_weight(True: 2) limit 3", "select * sample by max_weight(a > 1: 5, True: 2) limit 3"),
    ("select * sample by sum_weight(b: 2)", "select * sample by sum_weight(b: 2, a > 1: 5)"),
    ("select * sample by 0.5", "select * sample by max_weight(a > 1: 5, True: 0.5)"),
]


@pytest.mark.parametrize(("text", "expected"), ADDED)
def test_adding_a_clause(text, expected):
    assert tql.add_clause(text, "a > 1", 5) == expected
    tql.parse(expected)


def test_removing_every_clause_removes_sample_by():
    text = SEED
    for _ in range(4):
        text = tql.remove_clause(text, 0)
        tql.parse(text)
    assert text == "select *"


def test_removing_the_last_of_several_leaves_the_others():
    assert tql.remove_clause(SEED, 3).endswith("shape(boxes)[0] > 1: 0.5)")


def test_a_text_is_read_as_a_spec():
    spec = tql.parse_sampling(SEED, seed=3, mode="deck")
    assert (spec.seed, spec.mode, spec.weights) == (3, "deck", (20.0, 5.0, 0.5, 1.0))
    assert json.loads(spec.to_json())["combine"] == "max"


def test_a_spec_is_written_as_a_text_of_the_same_spec():
    spec = tql.parse_sampling(SEED, seed=3, mode="deck")
    assert tql.parse_sampling(spec.to_tql(), seed=3, mode="deck") == spec
