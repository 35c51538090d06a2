"""The whole report in a browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

PLAN = """
[cohort]
file = "cohort.csv"
unit = "months"
[endpoint.os]
time = "os_months"
event = "os_event"
[model]
formula = "cti2 + stage + (1 | centre)"
baseline = ["weibull", "piecewise-exponential"]
[estimand]
treatment = "cti2"
horizon = 12
[sampling]
seed = 4
"""


@pytest.fixture(scope="module")
def address(bayesurv, make_cohort, tmp_path_factory):
    """A report on disk."""
    base = tmp_path_factory.mktemp("report")
    make_cohort().to_csv(base / "cohort.csv", index=False)
    (base / "plan.toml").write_text(PLAN)
    shown = bayesurv("fit", base / "plan.toml", "--out", base / "out")
    assert (shown.code, shown.error) == (0, "")
    return (base / "out/report.html").as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1200, "dark")])
def test_it_opens_from_disk_is_quiet_and_accessible(open_page, width, scheme):
    page = open_page(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    images = page.eval_on_selector_all("img", "all => all.map(i => i.complete && i.naturalWidth)")
    assert images
    assert all(images)
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_keyboard_goes_from_the_top_to_the_explorer(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id").startswith("explorer-"):
            break
    assert page.evaluate("document.activeElement.id").startswith("explorer-")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_what_is_wider_than_the_page_scrolls_by_keyboard(open_page):
    page = open_page(360)
    unreachable = page.evaluate(
        """[...document.querySelectorAll('main *')].filter(e =>
             e.scrollWidth > e.clientWidth + 1
             && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
             && e.tabIndex < 0).map(e => e.className)"""
    )
    assert unreachable == []


def test_no_figure_is_cut_in_print(open_page):
    page = open_page()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})
    boxes = page.eval_on_selector_all(
        ".picture img, #explorer-figure svg",
        "all => all.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right, b.height])",
    )
    assert len(boxes) > 8
    assert all(left >= 0 and right <= 718 for left, right, _ in boxes)
    assert all(0 < height < 1000 for *_, height in boxes)  # a page of A4 holds each of them
    breaks = "all => all.map(e => getComputedStyle(e).breakInside)"
    assert set(page.eval_on_selector_all(".picture", breaks)) == {"avoid"}
    assert len(page.pdf(format="A4")) > 50_000
