"""How the Explorer looks in each of its states, at each width, light and dark: nothing clipped, overlapping or pushed, and axe content.

With PENSTOCK_PICTURES=docs/images the images of the documentation are remade there, and those of all states in test-results/pictures.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import penstock
from tests.ui.training import LIVE, hardest, recorded, training

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (1220, 932, 848, 683, 420)  # 683: 1366 pixels at a zoom of 200 %
THEMES = ("light", "dark")
AXE_WIDTHS = {"light": (932, 420), "dark": (1220, 683)}
# a theme moves nothing: in the dark only what axe looks at, unless images of everything are wanted
SHOWN_WIDTHS = {"light": WIDTHS, "dark": WIDTHS if os.environ.get("PENSTOCK_PICTURES") else AXE_WIDTHS["dark"]}
TWO_REGIONS = 760
HEIGHT = 620
LAPTOP = (1366, 768)
IN_DOCS = {1220: "wide", 848: "848", 420: "narrow"}
QUERY = "select * where shape(boxes)[0] > 0 sample by max_weight(contains(labels, 'Cross'): 20, contains(labels, 'Ring'): 8, contains(labels, 'Star'): 6, True: 1)"
COCO = (
    """
person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow
elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard
surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch
potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors
teddy bear,hair drier,toothbrush
""".strip()
    .replace("\n", ",")
    .split(",")
)

CLIPPED = """(root) => {
  const text = (e) => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const scrolls = (e) => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  const wide = [...root.querySelectorAll('*')].filter(e => e.offsetParent !== null && text(e) && !(e instanceof SVGElement) && !e.closest('.cm-editor')
      && getComputedStyle(e).textOverflow !== 'ellipsis' && !scrolls(e) && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible')
    .map(e => `${e.className}: ${e.textContent.slice(0, 40)}`);
  // letters of a drawing that its edge cuts
  const drawn = [...root.querySelectorAll('svg text')].filter(e => {
    const svg = e.ownerSVGElement;
    if (!e.getClientRects().length || getComputedStyle(svg).overflow === 'visible') return false;
    const a = e.getBoundingClientRect(), b = svg.getBoundingClientRect();
    return a.left < b.left - 1 || a.right > b.right + 1 || a.bottom > b.bottom + 2;
  }).map(e => `svg: ${e.textContent}`);
  // words that may not be cut: toolbars, header, sentence
  const whole = [...root.querySelectorAll('.penstock-head > *, .penstock-bar > *, .penstock-table-tools > *, [data-testid=penstock-sentence], .penstock-cover-say, .penstock-cover-say strong')]
    .filter(e => e.offsetParent !== null && !e.matches('input, .penstock-name, .penstock-filters') && getComputedStyle(e).overflowX !== 'visible'
      && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2))
    .map(e => `cut: ${e.className}: ${e.textContent.slice(0, 60)}`);
  // controls that the frame cuts off
  const frame = root.getBoundingClientRect();
  const inScroller = (e) => { for (let p = e.parentElement; p && root.contains(p); p = p.parentElement) if (['auto', 'scroll'].includes(getComputedStyle(p).overflowY)) return true; };
  const cut = [...root.querySelectorAll('button, input, textarea, select')].filter(e => {
    const { right, bottom, width } = e.getBoundingClientRect();
    return width > 1 && !e.closest('[popover], [inert]') && !inScroller(e) && e.checkVisibility({ visibilityProperty: true }) && (right > frame.right + 1 || bottom > frame.bottom + 1);
  }).map(e => `outside: ${e.dataset.testid ?? e.className}: ${e.textContent.slice(0, 40)}`);
  return [...wide, ...drawn, ...whole, ...cut];
}"""
GRID_GONE = """(root) => [...root.querySelectorAll('[data-testid=penstock-grid]')].filter(e => {
  const { width, height } = e.getBoundingClientRect();
  return e.checkVisibility({ visibilityProperty: true }) && Math.min(width, height) < 90;
}).map(e => `no room for the grid: ${JSON.stringify(e.getBoundingClientRect())}`)"""
OVERLAPPING = """(root) => {
  const shown = (e) => { // what of the element is not scrolled or clipped away
    let { left, right, top, bottom } = e.getBoundingClientRect();
    for (let p = e.parentElement; p && root.contains(p); p = p.parentElement) {
      if (getComputedStyle(p).overflowY === 'visible') continue;
      const clip = p.getBoundingClientRect();
      left = Math.max(left, clip.left); right = Math.min(right, clip.right); top = Math.max(top, clip.top); bottom = Math.min(bottom, clip.bottom);
    }
    return { left, right, top, bottom };
  };
  const seen = (e) => e.getClientRects().length && !e.closest('[inert]') && e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.textContent.trim();
  const texts = [...root.querySelectorAll('svg text, .penstock-chip, button, label, select, h3')]
    .filter(e => seen(e) && !e.closest('[data-testid=penstock-grid]') && !(e.closest('[popover]') && !root.matches('[popover]')));
  const boxes = texts.map(e => [e, shown(e)]);
  const found = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, p] = boxes[i], [b, q] = boxes[j];
    if (a.contains(b) || b.contains(a)) continue;
    const line = a.ownerSVGElement != null && b.ownerSVGElement != null && Math.abs(p.top - q.top) < 3; // one axis: needs a gap
    const w = Math.min(p.right, q.right) - Math.max(p.left, q.left), h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (w > (line ? -2 : 2) && h > 2) found.push(`${a.textContent.slice(0, 24)} | ${b.textContent.slice(0, 24)}`);
  }
  return found;
}"""
PAINT = """(theme) => {
  document.body.className = theme;
  for (const model of window.models.values()) if ('theme' in model.state) { model.state.theme = theme; model.emit('change:theme'); }
}"""
SETTLED = """(width) => new Promise(done => {
  const frame = document.querySelector('.penstock');
  const look = (tries) => {
    const images = [...frame.querySelectorAll('[data-testid=penstock-grid] img, [data-testid=penstock-review-row] img')];
    if (tries > 0 && (Math.abs(frame.getBoundingClientRect().width - width) > 1 || !images.every(image => image.complete)))
      requestAnimationFrame(() => look(tries - 1));
    else requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
  };
  look(120);
})"""


@cache
def _shapes(folder):
    return penstock.demo(folder / "shapes.penstock")


@cache
def _coco(folder):
    """Eighty classes, the first 300 times as frequent as the last, one to nine boxes a sample."""
    rng = np.random.default_rng(3)
    num_samples, share = 400, 1 / np.arange(1, 81) ** 1.3
    counts = rng.integers(1, 10, num_samples)
    labels = [[COCO[i] for i in rng.choice(80, n, p=share / share.sum())] for n in counts]
    labels[:80] = [[*names, COCO[i]] for i, names in enumerate(labels[:80])]
    boxes = [np.array([[*rng.integers(0, 50, 2), *rng.integers(8, 44, 2)] for _ in names], "f4") for names in labels]
    hues = rng.integers(120, 230, (num_samples, 1, 1, 3))
    images = np.broadcast_to(hues, (num_samples, 96, 96, 3)).astype("u1")
    arrays = {"images": images, "labels": labels, "boxes": boxes}
    return penstock.from_arrays(
        arrays, folder / "coco_val.penstock", class_names=COCO, htypes={"boxes": "bbox"}, progress=False
    )


@cache
def _patients(folder):
    """No images: numbers, texts, dates and a diagnosis."""
    rng = np.random.default_rng(7)
    arrays = {
        "labels": np.array(["healthy", "pneumonia", "fracture"])[rng.choice(3, 900, p=[0.8, 0.15, 0.05])].tolist(),
        "age": [None if i % 20 == 0 else i % 96 for i in range(900)],
        "view": [("PA", "AP", "lateral")[i % 3] for i in range(900)],
        "taken": [str(np.datetime64("2021-03-01") + i % 500) for i in range(900)],
        **{f"feature_{i}": rng.normal(size=900) for i in range(6)},
    }
    return penstock.from_arrays(arrays, folder / "patients.penstock", progress=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@dataclass
class Shown:
    """An Explorer in a page."""

    page: Page
    source: penstock.Dataset

    @property
    def root(self):
        return self.page.get_by_test_id("penstock-explorer")

    def resize(self, width: int, height: int = 1400) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(SETTLED, width)

    def paint(self, theme: str) -> None:
        self.page.evaluate(PAINT, theme)
        expect(self.root).to_have_attribute("data-theme", theme)

    def height(self) -> float:
        return self.root.bounding_box()["height"]

    def picture(self, name: str, *, whole: bool = False) -> None:
        if not os.environ.get("PENSTOCK_PICTURES"):
            return
        folder = ROOT / "test-results" / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        (self.page if whole else self.root).screenshot(path=folder / f"{name}.png", animations="disabled")

    def document(self, width: int, theme: str) -> None:
        """Keep the image that docs/ has of this width."""
        folder = os.environ.get("PENSTOCK_PICTURES")
        if not folder or width not in IN_DOCS:
            return
        path = ROOT / folder / f"explorer-{IN_DOCS[width]}-{theme}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.root.screenshot(path=path, animations="disabled")


@pytest.fixture
def show(open_plain, folder):
    """Return a function that brings an Explorer into one of the states."""

    def show_it(name: str, *, width: int = 932, height: int = 1400, scale: float = 1.0) -> Shown:
        state = STATES[name]
        source = state.source(folder)
        page = open_plain(
            lambda: penstock.explore(source, query=state.query, theme="light"), width=width, height=height, scale=scale
        )
        shown = Shown(page, source)
        state.prepare(shown)
        page.mouse.move(0, 0)
        return shown

    return show_it


def nothing(shown):
    expect(shown.page.locator("[data-testid=penstock-grid] img").first).to_be_visible()


def first(shown):
    nothing(shown)
    expect(shown.page.get_by_test_id("penstock-hint")).to_be_visible()


def weighted(shown):
    nothing(shown)
    tile(shown, 4).click()
    expect(shown.page.get_by_test_id("penstock-labels")).to_be_visible()
    expect(shown.page.get_by_test_id("drawn-dot").first).to_be_attached()


def tile(shown, position):
    return shown.page.locator(f"[data-testid=penstock-grid] [role=gridcell][data-position='{position}']")


def balanced(shown):
    nothing(shown)
    shown.page.get_by_test_id("penstock-balance").click()
    shown.page.get_by_test_id("preset-balanced").click()
    expect(shown.page.get_by_test_id("penstock-balance")).to_contain_text("Balanced")
    expect(shown.page.get_by_test_id("drawn-dot").first).to_be_attached()


def editing(shown):
    nothing(shown)
    tile(shown, 4).dblclick()
    expect(shown.page.get_by_test_id("penstock-editor")).to_be_visible()
    shown.page.get_by_test_id("penstock-editor").get_by_test_id("penstock-stage").focus()
    shown.page.keyboard.press("Tab")


def review(shown):
    ds = shown.source
    names = ds.labels.info.class_names
    for row in (0, 4, 5):
        ds.labels[row] = ["Cross", *[names[i] for i in ds.labels[row].numpy()[1:]]]
    shown.page.get_by_test_id("penstock-edits").click()
    expect(shown.page.get_by_test_id("penstock-review-row")).to_have_count(3)


def error(shown):
    weighted(shown)
    misspell(shown)


def misspell(shown):
    shown.page.locator(".cm-content").click()
    shown.page.keyboard.press("Control+a")
    shown.page.keyboard.insert_text(QUERY.replace("contains(labels, 'Ring')", "contains(labls, 'Ring')"))
    expect(shown.page.get_by_test_id("penstock-query-error")).to_be_visible()
    shown.page.keyboard.press("Escape")


def dead(shown):
    weighted(shown)
    lose_kernel(shown)


def lose_kernel(shown):
    shown.page.evaluate("() => { window.alive = false }")
    shown.page.locator(".cm-content").press("Shift+Enter")
    expect(shown.page.get_by_test_id("penstock-dead")).to_be_visible()


def table(shown):
    expect(shown.page.locator("[data-column=age] [data-testid=penstock-profile] svg").first).to_be_visible()
    expect(shown.page.locator("[data-testid=penstock-rows] [data-position='1']")).to_be_visible()


def grouped(shown):
    expect(shown.page.locator("[data-testid=penstock-table]")).to_contain_text("A table of 3 rows")
    expect(shown.page.locator("[data-column=n] [data-testid=penstock-profile] svg").first).to_be_visible()


def empty(shown):
    expect(shown.page.get_by_test_id("penstock-empty")).to_be_visible()


@dataclass(frozen=True)
class State:
    source: Callable
    query: str
    prepare: Callable[[Shown], None]


STATES = {
    "first": State(_shapes, "select *", first),
    "weighted": State(_shapes, QUERY, weighted),
    "coco80": State(_coco, "select *", balanced),
    "editing": State(_shapes, QUERY, editing),
    "review": State(lambda folder: penstock.demo(num_samples=60, fresh=True), QUERY, review),
    "error": State(_shapes, QUERY, error),
    "dead": State(_shapes, QUERY, dead),
    "table": State(_patients, "select *", table),
    "grouped": State(_patients, "select view, count(*) as n, avg(age) as age group by view", grouped),
    "empty": State(_shapes, "select * where shape(boxes)[0] > 99", empty),
    "training": State(recorded, LIVE, training),
    "hardest": State(recorded, QUERY, hardest),
}
DARK = ("weighted", "editing", "table", "error")  # the other states in the dark are exhaustive
IN_THEMES = [
    pytest.param(name, theme, marks=pytest.mark.exhaustive if theme == "dark" and name not in DARK else ())
    for name in STATES
    for theme in THEMES
]
MENUS = ("penstock-balance", "penstock-export", "penstock-filter-menu", "penstock-columns-menu")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "theme"), IN_THEMES)
def test_every_state_is_whole_at_every_width(show, name, theme):
    shown = show(name)
    shown.paint(theme)
    faults = {}
    for width in SHOWN_WIDTHS[theme]:
        shown.resize(width)
        shown.picture(f"{name}-{width}-{theme}")
        if name == "weighted":
            shown.document(width, theme)
        faults[width] = faults_of(shown, width)
        if width in AXE_WIDTHS[theme]:
            faults[width] += violations(shown)
    assert {where: found for where, found in faults.items() if found} == {}
    assert shown.page.faults == []


def faults_of(shown, width) -> list[str]:
    found = [text for look in (CLIPPED, OVERLAPPING, GRID_GONE) for text in shown.root.evaluate(look)]
    if shown.page.evaluate("document.documentElement.scrollWidth") > width:
        found.append("scrolls sideways")
    if width >= TWO_REGIONS and shown.height() != HEIGHT:
        found.append(f"is {shown.height()} px high")
    return found


def violations(shown, context="[data-testid=penstock-explorer]") -> list[str]:
    found = Axe().run(shown.page, context=context).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]


@pytest.mark.slow
def test_menus_are_whole_in_the_page(show):
    shown = show("weighted")
    faults = {}
    for theme, width in (("light", 420), ("dark", 932)):
        shown.paint(theme)
        shown.resize(width)
        for menu in MENUS:
            button = shown.page.get_by_test_id(menu)
            button.click()
            panel = shown.page.locator(":popover-open").first
            expect(panel).to_contain_text(re.compile(r"\w{3}"))
            expect(shown.page.locator(":popover-open [data-testid=penstock-lazy]")).to_have_count(0)
            shown.picture(f"{menu}-{width}-{theme}", whole=True)
            found = [*panel.evaluate(CLIPPED), *panel.evaluate(OVERLAPPING), *violations(shown, ":popover-open")]
            box = panel.bounding_box()
            if box["x"] < 0 or box["x"] + box["width"] > width:
                found.append("outside the page")
            faults[menu, theme] = found
            shown.page.keyboard.press("Escape")
            expect(button).to_be_focused()
    assert {where: found for where, found in faults.items() if found} == {}


@pytest.mark.slow
def test_nothing_that_appears_pushes_the_body(show):
    shown = show("weighted")
    body = shown.page.get_by_test_id("penstock-left")
    before = body.bounding_box()
    misspell(shown)
    assert body.bounding_box() == before
    lose_kernel(shown)
    assert body.bounding_box() == before


IN_VIEW = """(testids) => {
  const inside = (e, clip) => {
    const a = e.getBoundingClientRect(), b = clip.getBoundingClientRect?.() ?? clip;
    return a.top >= Math.max(0, b.top) - 1 && a.bottom <= Math.min(innerHeight, b.bottom) + 1;
  };
  const screen = { top: 0, bottom: innerHeight };
  const table = document.querySelector('[data-testid=penstock-classes]');
  return {
    tiles: [...document.querySelectorAll('[role=gridcell]')].filter(e => inside(e, e.closest('[role=grid]'))).length,
    rows: [...document.querySelectorAll('[data-testid=penstock-class-row]')].filter(e => inside(e, table)).length,
    coverage: inside(document.querySelector('[data-testid=coverage]'), screen),
  };
}"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [LAPTOP[0], 932])
def test_a_laptop_shows_grid_eight_classes_and_coverage_at_once(show, width):
    shown = show("coco80", width=width, height=LAPTOP[1])
    shown.page.evaluate(SETTLED, width)
    seen = shown.page.evaluate(IN_VIEW)
    assert seen["tiles"] >= 8
    assert seen["rows"] >= 8
    assert seen["coverage"]


STOP = """() => {
  const e = document.activeElement;
  const regions = { 'penstock-header': 'header', 'penstock-query': 'query', 'penstock-left': 'left', 'penstock-class-table': 'table', 'coverage': 'coverage' };
  const region = Object.entries(regions).find(([id]) => e.closest(`[data-testid=${id}]`));
  const row = e.closest('[data-testid=penstock-class-row]');
  const list = e.closest('[role=grid], [role=listbox], [role=tablist], [role=toolbar]') ?? (e.matches('[data-chip], [data-cell=chip]') ? e.closest('[data-testid=penstock-labels]') : null);
  return region && { region: region[1], row: row && row.dataset.key, cell: row && (e.dataset.cell ?? e.dataset.testid), list: row ? null : list && (list.dataset.testid ?? list.role) };
}"""


def stops_after_the_query(shown) -> list[dict]:
    """What Tab reaches from the text of the query to the end of the widget, in order."""
    shown.page.locator(".cm-content").focus()
    stops = []
    for _ in range(90):
        shown.page.keyboard.press("Tab")
        stop = shown.page.evaluate(STOP)
        if stop is None or stop["region"] == "header":
            return stops
        stops.append(stop)
    raise AssertionError(f"Tab does not end: {stops[-3:]}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "width", "order"),
    [
        ("weighted", 1220, ["query", "left", "table", "coverage"]),
        ("editing", 932, ["query", "left", "table", "coverage"]),
        ("weighted", 420, ["query", "table", "coverage", "left"]),
    ],
)
def test_tab_goes_through_the_regions_with_one_stop_a_list(show, state, width, order):
    shown = show(state, width=width)
    shown.page.evaluate(SETTLED, width)
    stops = stops_after_the_query(shown)
    regions = [stop["region"] for stop in stops]
    assert [one for one, before in zip(regions, [None, *regions], strict=False) if one != before] == order
    lists = [stop["list"] for stop in stops if stop["list"] is not None]
    assert len(lists) == len(set(lists)), lists
    assert len({stop["row"] for stop in stops if stop["row"] is not None}) == 1
    cells = [stop["cell"] for stop in stops if stop["row"] is not None]
    assert len(cells) == len(set(cells)), cells
