"""A page over a dataset that another process edits: who that is, and the three ways on."""

from __future__ import annotations

import re
import warnings

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import penstock
from tests.dataset.peers import Peer

QUERY = "select * where contains(labels, 'Circle') limit 6"


@pytest.fixture(scope="module")
def other():
    peer = Peer()
    yield peer
    peer.end()


@pytest.fixture
def held(open_plain, other, tmp_path):
    """Return the page of a dataset whose sample 3 the other process has edited, and the dataset."""
    path = penstock.demo(tmp_path / "demo.penstock", num_samples=40).path
    other(f"ds = penstock.load({path!r})")
    other("ds.labels[3] = ['Cross'] * len(ds.labels[3].numpy())")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = penstock.load(path)
    page = open_plain(lambda: penstock.explore(ds, query=QUERY))
    yield page, ds
    assert page.faults == []
    other("ds.discard_edits() if ds.draft_holder is None else None")


def test_the_banner_names_the_process_and_edits_wait_until_it_commits(held, other):
    page, ds = held
    banner = page.get_by_test_id("penstock-held")
    expect(banner).to_contain_text(f"Process {other.pid} on")
    expect(banner).to_contain_text("has unsaved edits")
    assert Axe().run(page, context=".penstock").response["violations"] == []
    banner.get_by_role("button", name="Read only").click()
    expect(banner).to_have_count(0)
    grid = page.get_by_test_id("penstock-grid")
    grid.focus()
    grid.press("Shift+ArrowRight")
    page.get_by_test_id("penstock-selection-menu").click()
    expect(page.get_by_test_id("penstock-selection")).to_contain_text("Another process has unsaved edits")
    page.keyboard.press("Escape")
    page.get_by_test_id("penstock-held-chip").click()
    expect(banner).to_be_visible()
    other("ds.commit('crosses')")
    expect(banner).to_have_count(0)
    page.get_by_test_id("penstock-selection-menu").click()
    panel = page.get_by_test_id("penstock-selection")
    panel.get_by_role("button", name="Circle", exact=True).click()
    panel.get_by_role("button", name="Cross", exact=True).click()
    expect(page.get_by_test_id("penstock-edits")).to_have_text("2 unsaved edits")
    assert other("ds.refresh(); ds.labels[0] = []")[0] == "DraftHeldError"
    ds.discard_edits()


def test_a_new_branch_is_edited_beside_the_other_process(held, other):
    page, ds = held
    banner = page.get_by_test_id("penstock-held")
    banner.get_by_role("button", name="New branch…").click()
    page.get_by_test_id("penstock-branch").fill("main")
    banner.get_by_role("button", name="Create branch").click()
    expect(banner).to_contain_text(re.compile("main.*(exists|taken|already)"))
    page.get_by_test_id("penstock-branch").fill("mine")
    page.keyboard.press("Enter")
    expect(banner).to_have_count(0)
    expect(page.get_by_test_id("penstock-header")).to_contain_text("mine")
    ds.labels[0] = ["Cross"] * len(ds.labels[0].numpy())
    ds.commit("mine")
    assert other("ds.num_edits, ds.branch") == (1, "main")


def test_edits_are_taken_over_after_a_second_question(held, other):
    page, ds = held
    banner = page.get_by_test_id("penstock-held")
    banner.get_by_role("button", name="Take over…").click()
    expect(banner).to_contain_text("Its edits become yours")
    banner.get_by_role("button", name="Take over", exact=True).click()
    expect(banner).to_have_count(0)
    expect(page.get_by_test_id("penstock-edits")).to_have_text("1 unsaved edit")
    assert other("ds.labels[5] = []")[0] == "DraftHeldError"
    ds.commit("taken")
    names = ds.labels.info.class_names
    assert {names[label] for label in penstock.load(ds.path, version=ds.commit_id).labels[3].numpy()} == {"Cross"}


@pytest.mark.slow
def test_edits_that_a_killed_process_left_are_offered(open_plain, tmp_path):
    path = penstock.demo(tmp_path / "demo.penstock", num_samples=40).path
    dying = Peer()
    dying(f"ds = penstock.load({path!r}); ds.labels[3] = ['Cross'] * len(ds.labels[3].numpy())")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = penstock.load(path)
    page = open_plain(lambda: penstock.explore(ds, query=QUERY))
    expect(page.get_by_test_id("penstock-held")).to_be_visible()
    dying.kill()
    expect(page.get_by_test_id("penstock-behind")).to_contain_text("ended and left 1 unsaved edit")
    expect(page.get_by_test_id("penstock-held")).to_have_count(0)
    page.get_by_test_id("penstock-update").click()
    expect(page.get_by_test_id("penstock-edits")).to_have_text("1 unsaved edit")
    expect(page.get_by_test_id("penstock-behind")).to_have_count(0)
    ds.commit("taken")
    assert page.faults == []
