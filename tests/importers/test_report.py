from __future__ import annotations

import pytest

from penstock.errors import ImporterError
from penstock.importers.building._report import ImportIssue, ImportReport, IssueLog


def report(num_issues):
    issues = [
        ImportIssue(source=f"{n}.jpg", problem="is missing", action="rejected" if n else "repaired")
        for n in range(num_issues)
    ]
    return ImportReport(source="x", num_samples=1000, issues=tuple(issues))


def test_report_survives_json():
    assert ImportReport.from_json(report(3).to_json()) == report(3)


def test_report_reads_in_a_few_lines():
    assert str(report(0)) == "1,000 samples from x, nothing rejected or repaired"
    lines = str(report(8)).splitlines()
    assert lines[0] == "1,000 samples from x, 7 rejected, 1 repaired"
    assert lines[1] == "  repaired: 0.jpg: is missing"
    assert lines[-1] == "  … and 3 more"


def test_report_as_a_table_has_its_columns_also_when_empty():
    assert report(0).to_pandas().columns.tolist() == ["action", "source", "problem"]
    assert len(report(2).to_pandas()) == 2


def test_log_raises_or_gathers():
    with pytest.raises(ImporterError, match="on_error='ignore' is not valid"):
        IssueLog("ignore")
    with pytest.raises(ImporterError, match=r"a.jpg: is missing.*on_error='skip'"):
        IssueLog("raise").refuse("a.jpg", "is missing")
    log = IssueLog("skip")
    log.refuse("a.jpg", "is missing")
    log.repair("b.jpg", "clipped")
    log.ignore("c.txt", "belongs to no image")
    log.note("d.jpg", "states another size")
    assert [issue.action for issue in log.issues] == ["rejected", "repaired", "ignored", "noted"]


def test_names_of_files_that_are_not_utf8_can_be_printed():
    log = IssueLog("skip")
    log.refuse("caf\udce9.png", "is missing")
    assert log.issues[0].source == "caf\\udce9.png"
    with pytest.raises(ImporterError) as caught:
        IssueLog("raise").refuse("caf\udce9.png", "is missing")
    assert str(caught.value).encode()


@pytest.fixture
def issues():
    log = IssueLog("skip")
    log.ignore("c.txt", "belongs to no image")
    log.refuse("a.jpg", "is missing")
    return tuple(log.issues)


def test_report_shows_what_was_ignored_last(issues):
    lines = str(ImportReport(source="x", num_samples=2, issues=issues)).splitlines()
    assert lines == [
        "2 samples from x, 1 rejected, 0 repaired, 1 ignored",
        "  rejected: a.jpg: is missing",
        "  ignored: c.txt: belongs to no image",
    ]


def test_report_of_ignored_files_alone_says_that_nothing_was_refused(issues):
    report = ImportReport(source="x", num_samples=2, issues=issues[:1])
    assert report.summary() == "2 samples from x, nothing rejected or repaired, 1 ignored"
