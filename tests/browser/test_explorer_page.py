"""The explorer in a browser: every control, by mouse and by keyboard, in light, dark and print."""

import re
import zlib
from itertools import product

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from bayesurv.data.cohort import Cohort
from bayesurv.estimands.curves import survival
from bayesurv.estimands.summary import survival_table
from bayesurv.fitting import prior
from bayesurv.models.baselines import PiecewiseExponential
from bayesurv.models.priors import MedianSurvival, Normal, Priors
from bayesurv.report.page.explorer import explorer_data

pytestmark = pytest.mark.browser

FORMULA = "cti2 + bulky + stage + (1 | centre)"
PRIORS = Priors(coefficient=Normal(0.3, 0.4), median_survival=MedianSurvival(6, 30))
WEIGHTS = {"weibull": 0.3, "piecewise-exponential": 0.7}
BASELINES = {"weibull": None, "piecewise-exponential": PiecewiseExponential(cuts=(3, 8))}
CONTROLS = ["endpoint", "model", "whom"]
CONTROLS += ["covariate-bulky", "covariate-stage", "covariate-centre", "show"]


@pytest.fixture(scope="module")
def fits(make_cohort):
    """Two endpoints and two baselines; draws of a prior, which stand for any."""

    def make(endpoint, baseline):
        columns = {"time": f"{endpoint}_months", "event": f"{endpoint}_event", "id": "pid"}
        cohort = Cohort.from_frame(make_cohort(), unit="months", **columns)
        return prior(
            cohort, FORMULA, baseline=baseline, priors=PRIORS, draws=400, seed=len(endpoint)
        )

    return {
        endpoint: {name: make(endpoint, baseline) for name, baseline in BASELINES.items()}
        for endpoint in ("efs", "os")
    }


@pytest.fixture(scope="module")
def address(fits, render, tmp_path_factory):
    weights = dict.fromkeys(fits, WEIGHTS)
    data = explorer_data(fits, "cti2", 12.0, weights)
    return render(data, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def page(open_page):
    return open_page()


def picture(page):
    """What the curves look like: the path of every line and band."""
    return page.eval_on_selector_all(
        "#explorer-figure path", "paths => paths.map(path => path.getAttribute('d'))"
    )


def table(page):
    """The table's cells by the name of their row."""
    rows = page.eval_on_selector_all(
        "#explorer-table tbody tr",
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent.trim()))",
    )
    return {name: cells for name, *cells in rows}


def sides(page):
    """Left and right side of the figure, in one step: it is drawn anew when the width changes."""
    return page.eval_on_selector(
        "#explorer-figure svg",
        "svg => [svg.getBoundingClientRect().left, svg.getBoundingClientRect().right]",
    )


def choose(page, control, label):
    page.select_option(f"#explorer-{control}", label=label)


def test_every_control_is_there_and_labelled(page):
    found = page.eval_on_selector_all(
        "#explorer-controls select, #explorer-controls input",
        "all => all.map(each => [each.id.replace('explorer-', ''), each.labels[0].textContent])",
    )
    assert [name for name, _ in found] == CONTROLS
    assert [label for _, label in found] == [
        "Endpoint", "Model", "Patients", "bulky", "stage", "centre", "Show the difference",
    ]  # fmt: skip
    assert page.locator("#explorer-model option").all_text_contents() == [
        "Weibull", "Piecewise exponential", "Model-averaged",
    ]  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS[:-1])
def test_every_control_changes_picture_table_and_sentence(page, control):
    def seen():
        return picture(page), table(page), page.inner_text("#explorer-summary")

    before = seen()
    select = page.locator(f"#explorer-{control}")
    last = select.evaluate("each => each.options.length - 1")
    other = 0 if select.evaluate("each => each.selectedIndex") == last else last
    select.select_option(index=other)
    assert all(new != old for new, old in zip(seen(), before, strict=True))


def test_numbers_are_those_of_survival_csv(page, fits, tmp_path):
    names = {"weibull": "Weibull", "piecewise-exponential": "Piecewise exponential"}
    for (endpoint, models), bulky, stage in product(fits.items(), (0, 1), ("I", "IV")):
        for name, fit in models.items():
            profiles = [{"label": f"arm {arm}", "cti2": arm, "bulky": bulky, "stage": stage}
                        for arm in (0, 1)]  # fmt: skip
            path = tmp_path / "survival.csv"
            survival_table(survival(fit, profiles, [3, 6, 12])).to_csv(path, index=False)
            choose(page, "endpoint", endpoint.upper())
            choose(page, "model", names[name])
            choose(page, "covariate-bulky", ("no", "yes")[bulky])
            choose(page, "covariate-stage", stage)
            agrees(table(page), pd.read_csv(path))


def agrees(shown, expected):
    """Whole per cent of numbers that were packed to four decimals; never 0% or 100%."""
    for row in expected.itertuples():
        arm = int(row.profile.removeprefix("arm "))
        cell = shown[f"Survival at {row.time:g} months"][arm]
        numbers = re.findall(r"([<>]?)(\d+)%", cell)
        for (sign, whole), value in zip(numbers, (row.median, row.lower, row.upper), strict=True):
            if sign:
                assert value < 0.0101 if sign == "<" else value > 0.9899
            else:
                assert abs(int(whole) - 100 * value) < 0.51


def test_sentence_and_choice_say_what_is_shown(page):
    choose(page, "covariate-stage", "IV")
    choose(page, "covariate-centre", "Rome")
    choice = page.inner_text("#explorer-choice")
    assert "stage IV" in choice
    assert "centre Rome" in choice
    summary = page.inner_text("#explorer-summary")
    survived = table(page)["Survival at 12 months"]
    first = survived[0].replace("(", "(95% CrI ")
    assert summary.startswith(f"Survival at 12 months: {first} with cti2 = 0")
    assert summary.endswith(f"P(benefit) {survived[3]}.")
    label = page.get_attribute("#explorer-figure", "aria-label")
    assert choice in label
    assert summary in label
    assert page.get_attribute("#explorer-summary", "aria-live") == "polite"


def test_difference_is_shown_when_asked_for(page):
    figure = page.locator("#explorer-difference")
    assert not figure.is_visible()
    page.check("#explorer-show")
    assert figure.is_visible()
    assert "Difference in survival" in figure.get_attribute("aria-label")
    page.uncheck("#explorer-show")
    assert not figure.is_visible()


def test_choosing_a_covariate_leaves_the_averaged_cohort(page):
    choose(page, "whom", "Cohort, averaged")
    assert "all patients of the cohort" in page.inner_text("#explorer-choice")
    assert "Hazard ratio, marginal, to 12 months" in table(page)
    choose(page, "covariate-stage", "I")
    assert page.locator("#explorer-whom").evaluate("each => each.selectedIndex") == 0
    assert "stage I," in page.inner_text("#explorer-choice")


def test_what_was_chosen_outlives_a_change_of_model(page):
    choose(page, "covariate-stage", "IV")
    choose(page, "model", "Model-averaged")
    choose(page, "endpoint", "OS")
    assert "OS, Model-averaged" in page.inner_text("#explorer-choice")
    assert "stage IV" in page.inner_text("#explorer-choice")
    assert "weibull 0.30" in page.inner_text("#explorer-notes")


def test_keyboard_alone_reaches_and_changes_everything(page):
    reached = []
    for _ in CONTROLS:
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.id.replace('explorer-', '')")
        reached.append(name)
        before = page.inner_text("#explorer-choice"), page.is_visible("#explorer-difference")
        if name == "show":
            page.keyboard.press("Space")
        else:
            chosen = "document.activeElement.selectedIndex"
            last = page.evaluate("document.activeElement.options.length - 1")
            page.keyboard.press("ArrowUp" if page.evaluate(chosen) == last else "ArrowDown")
        after = page.inner_text("#explorer-choice"), page.is_visible("#explorer-difference")
        assert after != before, name
        assert page.evaluate("document.activeElement.id") == f"explorer-{name}"
    assert reached == CONTROLS


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_axe_finds_no_serious_fault(open_page, scheme, width):
    page = open_page(width, scheme)
    page.check("#explorer-show")
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_axe_would_find_a_fault(page):
    page.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    assert "select-name" in [each["id"] for each in Axe().run(page).response["violations"]]


def test_dark_has_other_colours(open_page):
    ink = [
        open_page(scheme=scheme).eval_on_selector(
            "#explorer-summary", "e => getComputedStyle(e).color"
        )
        for scheme in ("light", "dark")
    ]
    assert ink[0] != ink[1]


@pytest.mark.parametrize("width", [320, 360, 1000])
def test_no_sideways_scroll(open_page, width):
    page = open_page(width)
    page.check("#explorer-show")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert sides(page)[1] <= width


def test_figure_follows_the_width_of_the_window(page):
    before = page.eval_on_selector("#explorer-figure svg", "svg => svg.clientWidth")
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function(
        "before => document.querySelector('#explorer-figure svg').clientWidth < before / 1.5",
        arg=before,
    )


def drawn(pdf):
    """Number of lines and curves in a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    text = b"".join(zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x")
    return len(re.findall(rb"\s[lc]\n", text))


def test_print_holds_the_figure(page):
    choose(page, "covariate-stage", "IV")
    whole = drawn(page.pdf(format="A4"))
    page.evaluate("document.querySelector('#explorer-figure').replaceChildren()")
    assert whole > drawn(page.pdf(format="A4")) + 200


def test_print_cuts_nothing_off(page):
    choose(page, "covariate-stage", "IV")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    page.wait_for_function(
        "() => { const svg = document.querySelector('#explorer-figure svg');"
        " return svg.clientWidth > 500 && svg.getBoundingClientRect().right <= 718; }"
    )
    assert sides(page)[0] >= 0
    assert not page.is_visible("#explorer-controls")
    assert "stage IV" in page.inner_text("#explorer-choice")


def test_without_javascript_a_sentence(open_page):
    page = open_page(java_script_enabled=False)
    assert "This part needs JavaScript" in page.inner_text("noscript")
    assert not page.is_visible("#explorer-app")


def test_without_an_explorer_nothing(chromium, render, tmp_path):
    page = chromium.new_page()
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(render(None, tmp_path / "report.html"))
    assert page.inner_text("main") == "A report"
    assert said == []
    page.close()


def test_failed_draws_are_marked(chromium, render, fits, tmp_path):
    data = explorer_data({"os": {"weibull": fits["os"]["weibull"]}}, "cti2", 12.0)
    data["endpoints"][0]["models"][0]["failed"] = True
    page = chromium.new_page()
    page.goto(render(data, tmp_path / "report.html"))
    assert "do not report these numbers" in page.inner_text("#explorer-failed")
    page.close()


def test_text_cannot_break_out_of_the_data(chromium, render, fits, tmp_path):
    data = explorer_data({"os": {"weibull": fits["os"]["weibull"]}}, "cti2", 12.0)
    data["endpoints"][0]["label"] = "</script><img src=x onerror=alert(1)>"
    page = chromium.new_page()
    page.goto(render(data, tmp_path / "report.html"))
    assert page.locator("img").count() == 0
    assert "</script><img" in page.inner_text("#explorer-choice")
    page.close()


def test_no_chromium_is_said(monkeypatch, find_chromium):
    monkeypatch.delenv("BAYESURV_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        find_chromium()
