"""What is drawn: lines, bands, ticks and text, not pixels."""

import re
import threading
import warnings

import matplotlib
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.testing import assert_allclose, assert_array_equal

from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.plots.chains import plot_chains, rank_counts
from bayesurv.plots.curves import MOST_TICKS, plot_hazard, plot_survival
from bayesurv.plots.fonts import FontWarning
from bayesurv.plots.forest import plot_forest
from bayesurv.plots.style import (
    COLOURS,
    DPI,
    figure_files,
    look,
    new_axes,
    number,
    probability,
    root,
    save,
    save_all,
    time_ticks,
)

TIME = np.linspace(0, 36, 13)
BANDS = {"mean": 1.0, "lower": 0.7, "upper": 1.4}


def curve(scale: float = 20, end: float | None = None, ci_prob: float = 0.95) -> xr.Dataset:
    parts = {name: np.exp(-TIME / (scale * by)) for name, by in BANDS.items()}
    attrs = {"ci_prob": ci_prob} | ({} if end is None else {"end_of_follow_up": end})
    return xr.Dataset({k: ("time", v) for k, v in parts.items()}, {"time": TIME}, attrs)


def arm(n: int, seed: int, delayed: bool = False) -> KaplanMeier:
    rng = np.random.default_rng(seed)
    time, event = rng.uniform(6, 30, n), rng.random(n) < 0.6
    return kaplan_meier(time, event, rng.uniform(0, 5, n) if delayed else None)


TWO = {"second": curve(20), "none": curve(9)}
OBSERVED = {"second": arm(27, 1), "none": arm(34, 2)}


def survival(curves=TWO, observed=OBSERVED, **options) -> Axes:
    return plot_survival(curves, observed, **({"unit": "months", "label": "OS"} | options))


def lines(ax: Axes, colour: str, **style) -> list[np.ndarray]:
    found = [line for line in ax.get_lines() if line.get_color() == colour]
    for name, value in style.items():
        found = [line for line in found if getattr(line, f"get_{name}")() == value]
    return [np.column_stack(line.get_data()) for line in found]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def boxes(ax: Axes) -> list[Bbox]:
    """Places of the axes' texts, ticks and labels, once laid out."""
    figure = root(ax)
    figure.draw_without_rendering()
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
    found = [text.get_window_extent() for text in (*ax.texts, *labels) if text.get_text()]
    found += [ax.get_legend().get_window_extent()] if ax.get_legend() else []
    page = figure.bbox.padded(1)
    assert all(page.contains(*corner) for box in found for corner in (box.p0, box.p1))
    return found


# -- survival ----------------------------------------------------------------------------------


def test_survival_curve_and_band():
    ax = survival(observed=None)
    (drawn,) = lines(ax, COLOURS[0])
    assert_array_equal(drawn, np.column_stack([TIME, TWO["second"]["mean"]]))
    band = ax.collections[0].get_paths()[0].vertices
    for name in ("lower", "upper"):
        edge = np.column_stack([TIME, TWO["second"][name]])
        assert all((np.abs(band - point).max(axis=1) < 1e-12).any() for point in edge)
    assert legend(ax) == ["second", "none"]
    assert ax.get_legend().get_title().get_text() == "Posterior mean, 95% credible interval"
    assert texts(ax) == []


def test_survival_axes():
    ax = survival(origin="relapse")
    assert ax.get_xlabel() == "Months since relapse"
    assert ax.get_ylabel() == "OS"
    assert ax.get_xlim() == (0, 36)
    assert_array_equal(ax.get_xticks(), [0, 6, 12, 18, 24, 30, 36])
    assert_allclose(ax.get_yticks(), [0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ax.get_ylim() == pytest.approx((0, 1), abs=0.03)
    assert [side for side, spine in ax.spines.items() if spine.get_visible()] == ["left", "bottom"]


def test_the_unit_and_the_probability_are_named():
    ax = survival({"a": curve(ci_prob=0.8)}, {}, unit="years")
    assert ax.get_xlabel() == "Years since origin"
    assert "80%" in ax.get_legend().get_title().get_text()


def test_kaplan_meier_over_the_curve():
    ax, km = survival(), OBSERVED["none"]
    (steps,) = lines(ax, COLOURS[1], drawstyle="steps-post")
    assert_array_equal(steps[:-1], np.column_stack([km.time, km.survival]))
    assert_array_equal(steps[-1], [km.end, km.survival[-1]])
    ticks = max(lines(ax, COLOURS[1], marker="|"), key=len)  # the other marks the end
    assert_array_equal(ticks[:, 0], km.censored)
    assert_array_equal(ticks[:, 1], km.survival_at(km.censored))
    assert "Kaplan–Meier" in legend(ax)


def test_too_many_censored_to_mark():
    many = kaplan_meier(np.arange(1, MOST_TICKS + 3), np.zeros(MOST_TICKS + 2))
    assert lines(survival({}, {"a": many}), COLOURS[0], marker="|") == []


def test_beyond_the_end_the_curve_is_dashed():
    ax = survival(observed=None, ends={"second": 20.0})
    solid, dashed = (lines(ax, COLOURS[0], linestyle=style) for style in ("-", "--"))
    at_end = [20, np.interp(20, TIME, TWO["second"]["mean"])]
    assert_array_equal(solid[0][-1], at_end)
    assert_array_equal(dashed[0][0], at_end)
    assert dashed[0][-1, 0] == 36
    assert lines(ax, COLOURS[1], linestyle="--") == []
    assert legend(ax)[-1] == "Beyond follow-up"
    (mark,) = lines(ax, COLOURS[0], marker="|")
    assert_array_equal(mark, [at_end])
    assert lines(ax, COLOURS[1], marker="|") == []


@pytest.mark.parametrize(
    ("end", "curves", "observed", "ends"),
    [
        (OBSERVED["second"].end, TWO, OBSERVED, None),
        (15, TWO, OBSERVED, {"second": 15}),
        (24, {"second": curve(end=24)}, None, None),
        (OBSERVED["second"].end, {"second": curve(end=24)}, OBSERVED, None),
    ],
    ids=["observed", "given", "attribute", "observed first"],
)
def test_where_the_end_comes_from(end, curves, observed, ends):
    ax = survival(curves, observed, ends=ends)
    (dashed,) = lines(ax, COLOURS[0], linestyle="--")
    assert dashed[0, 0] == end


def test_nothing_is_dashed_within_follow_up():
    ax = survival(observed=None, ends={"second": 36, "none": 40})
    assert "Beyond follow-up" not in legend(ax)
    assert lines(ax, COLOURS[0], linestyle="--") == []


def test_numbers_at_risk_under_the_ticks():
    ax = survival()
    ticks = ax.get_xticks()
    for name, km in OBSERVED.items():
        rows = km.at_risk(ticks), km.events_before(ticks), km.censored_before(ticks)
        start = texts(ax).index(name)
        assert texts(ax)[start + 1] == "At risk\nEvents\nCensored"
        columns = ax.texts[start + 2 : start + 2 + len(ticks)]
        assert [c.get_text() for c in columns] == [
            "\n".join(map(str, c)) for c in np.transpose(rows)
        ]
        assert_array_equal([c.xy[0] for c in columns], ticks)
        assert (np.sum(rows, axis=0) == km.n).all()
    assert "27\n0\n0" in texts(ax)


def test_delayed_entry_in_the_table():
    km = arm(27, 1, delayed=True)
    ax = survival({"second": TWO["second"]}, {"second": km})
    assert texts(ax)[3:5] == ["0\n0\n0", f"{km.at_risk(6)}\n0\n0"]


@pytest.mark.parametrize("arms", [1, 2, 4, 6])
def test_nothing_overlaps_or_is_cut(arms: int):
    names = [f"Arm {i}" for i in range(arms)]
    ax = survival(
        {n: curve(5 + 3 * i) for i, n in enumerate(names)}, {n: arm(30, 3) for n in names}
    )
    found = boxes(ax)
    assert not any(a.overlaps(b) for i, a in enumerate(found) for b in found[:i])
    assert ax.get_legend().get_window_extent().y0 > ax.transData.transform((0, 1))[1]
    assert root(ax).get_figwidth() == (3.5 if arms <= 2 else 7.1)
    assert len({line.get_marker() for line in ax.get_lines()} - {"None", "|"}) == arms


def test_long_names_stay_on_the_page():
    name = "Second infusion of CAR-T cells after progression, with bridging radiotherapy"
    ax = survival({name: curve()}, {name: arm(27, 1)})
    boxes(ax)
    assert legend(ax)[0].replace("\n", " ") == name
    assert texts(ax)[1].endswith("…")


def test_kaplan_meier_alone():
    ax = survival({}, OBSERVED)
    assert legend(ax) == ["second", "none"]
    assert ax.get_legend().get_title().get_text() == "Kaplan–Meier, 95% confidence interval"
    band = ax.collections[0].get_paths()[0].vertices
    assert OBSERVED["second"].lower[1] in band[:, 1]
    assert len(survival().collections) == 4  # two arms, within and beyond; no such band


def test_axes_can_be_given():
    ax = new_axes(2, 5)
    assert survival(ax=ax) is ax


def test_curves_are_told_apart_without_colour():
    assert len({look(i) for i in range(36)}) == 36
    assert len({look(i)[1] for i in range(6)}) == 6


# -- hazard ------------------------------------------------------------------------------------


def test_hazard():
    ax = plot_hazard(TWO, unit="months", ends={"second": 30})
    assert ax.get_ylabel() == "Hazard per month"
    assert ax.get_yscale() == "linear"
    highest = max(float(c["upper"].max()) for c in TWO.values())
    assert ax.get_ylim() == pytest.approx((0, 1.05 * highest))
    assert len(lines(ax, COLOURS[0], linestyle="--")) == 1
    assert_array_equal(lines(ax, COLOURS[1])[0][:, 1], TWO["none"]["mean"])


def test_hazard_on_a_log_axis():
    ax = plot_hazard(TWO, unit="months", log=True)
    assert ax.get_yscale() == "log"
    assert ax.yaxis.get_major_formatter()(0.05) == "0.05"


def test_knots_on_the_axis_of_time():
    ax = plot_hazard(TWO, unit="months", knots=np.array([0.0, 3, 9, 36, 50]))
    (marks,) = (line for line in ax.get_lines() if line.get_marker() == "|")
    assert_array_equal(marks.get_xdata(), [3, 9])
    assert "|" not in [line.get_marker() for line in plot_hazard(TWO, unit="months").get_lines()]


def test_an_infinite_hazard_at_0_does_not_flatten_the_rest():
    steep = curve()
    steep["upper"][0], steep["mean"][0], steep["upper"][1] = np.inf, np.inf, 1000
    ax = plot_hazard({"a": steep}, unit="months")
    assert ax.get_ylim()[1] < 3
    assert lines(ax, COLOURS[0])[0][0, 0] == TIME[1]


# -- forest ------------------------------------------------------------------------------------

RATIOS = pd.DataFrame(
    {
        "term": ["cti2", "bulky", "stage[IV]"],
        "hazard_ratio": [0.62, 1.54, 2.3],
        "lower": [0.33, 0.86, 1.1],
        "upper": [1.14, 2.75, 4.9],
        "prob_below_1": [0.938, 0.07, 0.0002],
        "ci_prob": 0.95,
    }
)


def test_forest():
    ax = plot_forest(RATIOS)
    drawn = [np.column_stack(line.get_data()).tolist() for line in ax.get_lines()]
    for y, row in enumerate(RATIOS.itertuples()):
        assert [[row.lower, y], [row.upper, y]] in drawn
    assert drawn[-1] == [[0.62, 0], [1.54, 1], [2.3, 2]]
    assert drawn[0] == [[1, 0], [1, 1]]  # the line at 1, over the height of the axes
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.5", "1", "2", "4"]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(RATIOS["term"])
    assert ax.yaxis_inverted()
    assert texts(ax)[:4] == [
        "HR (95% CrI)",
        "0.62 (0.33–1.14)",
        "1.54 (0.86–2.75)",
        "2.30 (1.10–4.90)",
    ]
    assert texts(ax)[4:] == ["P(HR < 1)", "0.94", "0.07", "<0.001"]
    assert ax.get_legend() is None
    found = boxes(ax)
    assert not any(a.overlaps(b) for i, a in enumerate(found) for b in found[:i])


def test_forest_with_prior():
    prior = pd.DataFrame(
        {"term": ["stage[IV]", "cti2", "other"], "lower": [0.1, 0.23, 1e-9], "upper": 6}
    )
    ax = plot_forest(RATIOS, prior=prior)
    bars = {bar.get_y() + bar.get_height() / 2: bar for bar in ax.patches}
    assert {y: round(bar.get_x(), 9) for y, bar in bars.items()} == {0: 0.23, 2: 0.1}
    assert all(bar.get_x() + bar.get_width() == pytest.approx(6) for bar in bars.values())
    assert legend(ax) == ["Prior interval"]
    assert ax.get_xlim()[0] > 0.09


def test_forest_with_the_classical_estimate_beside():
    cox = pd.DataFrame(
        {"term": ["bulky", "cti2", "other"], "hazard_ratio": [1.7, 0.6, 9.0],
         "lower": [0.9, 0.3, 8.0], "upper": [3.2, 1.2, 12.0], "method": "cox"}
    )  # fmt: skip
    ax = plot_forest(RATIOS, classical=cox)
    assert legend(ax) == ["Posterior", "Cox"]
    drawn = [np.column_stack(line.get_data()).tolist() for line in ax.get_lines()]
    assert [[0.3, 0.16], [1.2, 0.16]] in drawn
    assert [[0.9, 1.16], [3.2, 1.16]] in drawn
    assert [[0.6, 0.16], [1.7, 1.16]] in drawn
    assert drawn[-1] == [[0.62, -0.16], [1.54, 0.84], [2.3, 1.84]]
    assert texts(ax)[-3:] == ["Classical HR (95% CI)", "0.60 (0.30–1.20)", "1.70 (0.90–3.20)"]
    found = boxes(ax)
    assert not any(a.overlaps(b) for i, a in enumerate(found) for b in found[:i])
    ax = plot_forest(RATIOS, classical=cox.assign(method="cox-firth"), columns=1)
    assert legend(ax) == ["Posterior", "Firth"]


@pytest.mark.parametrize("beside", [True, False])
def test_forest_in_one_column_has_its_numbers_over_the_rows(beside):
    cox = RATIOS.assign(method="cox") if beside else None
    ax = plot_forest(RATIOS, classical=cox, columns=1)
    assert root(ax).get_figwidth() == 3.5
    second = "\nCox 1.54 (0.86–2.75), 95% CI" if beside else ""
    assert texts(ax)[1] == f"bulky: HR 1.54 (0.86–2.75), P(HR < 1) 0.07{second}"
    root(ax).draw_without_rendering()
    spans = [text.get_window_extent() for text in ax.texts]
    assert all(span.x1 <= root(ax).bbox.x1 for span in spans)
    marks = [line.get_window_extent() for line in ax.get_lines()[1:] if len(line.get_xdata()) == 2]
    assert not any(span.overlaps(mark) for span in spans for mark in marks)


def test_forest_arrows_where_an_interval_leaves_the_axes():
    row = RATIOS.iloc[[0]].assign(lower=1e-5, hazard_ratio=0.001, upper=500, prob_below_1=0.99999)
    ax = plot_forest(row, label="HR against none")
    assert [line.get_marker() for line in ax.get_lines()[2:4]] == ["<", ">"]
    assert ax.get_xlim() == (0.01, 100)
    assert texts(ax)[1] == "0.0010 (<0.001–500)"
    assert texts(ax)[-1] == ">0.999"
    assert ax.get_xlabel() == "HR against none"
    assert len(ax.get_lines()[-1].get_xdata()) == 0  # the estimate itself lies outside


def test_forest_of_no_terms():
    ax = plot_forest(RATIOS.iloc[:0])
    assert texts(ax)[0] == "HR (95% CrI)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.54, "1.54"),
        (0.0999, "0.10"),
        (0.034, "0.034"),
        (0.00345, "0.0034"),
        (0.0001, "<0.001"),
        (9.999, "10.0"),
        (12.34, "12.3"),
        (250.4, "250"),
        (1e9, ">9999"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_probabilities_are_never_0_or_1():
    values = [0, 0.0004, 0.001, 0.004, 0.07, 0.5, 0.994, 0.9994, 1]
    written = ["<0.001", "<0.001", "0.001", "0.004", "0.07", "0.50", "0.994", ">0.999", ">0.999"]
    assert [probability(v) for v in values] == written
    assert not {"0.00", "0.000", "1.00", "1.000"} & {
        probability(v) for v in np.linspace(0, 1, 10001)
    }


# -- chains ------------------------------------------------------------------------------------


def test_chains_traces_are_thinned():
    draws = np.random.default_rng(0).normal(size=(4, 1100))
    trace = plot_chains({"shape": draws}).axes[0]
    assert trace.get_title(loc="left") == "shape"
    assert len(trace.get_lines()) == 4
    assert_array_equal(trace.get_lines()[2].get_xdata(), np.arange(0, 1100, 3))
    assert_array_equal(trace.get_lines()[2].get_ydata(), draws[2, ::3])


def test_chains_ranks():
    draws = np.random.default_rng(0).normal(size=(3, 200))
    draws[0] += 10
    counts, edges = rank_counts(draws, bins=6)
    assert_array_equal(counts[0], [0, 0, 0, 0, 100, 100])
    assert_array_equal(counts.sum(axis=0), [100] * 6)
    assert (edges[0], edges[-1]) == (0.5, 600.5)
    ranks = plot_chains({"shape": draws}).axes[1]
    values, _, baseline = ranks.patches[0].get_data()
    assert_array_equal(values - baseline, rank_counts(draws)[0][0])
    expected = ranks.get_lines()[1].get_ydata()[0] - ranks.patches[1].get_data().baseline
    assert expected == 200 / 20


def test_chains_that_stand_still():
    counts, _ = rank_counts(np.ones((2, 100)))
    assert counts.sum() == 200
    assert isinstance(plot_chains({"a": np.ones((2, 100))}), Figure)


@pytest.mark.parametrize(("given", "shown"), [(1, 1), (12, 12), (15, 12)])
def test_chains_say_how_many_were_left_out(given, shown):
    figure = plot_chains(
        {f"x{i}": np.random.default_rng(i).normal(size=(2, 50)) for i in range(given)}
    )
    assert len(figure.axes) == 2 * shown
    note = figure.get_supxlabel()
    assert note == ("3 of 15 parameters are not shown." if given > shown else "")


# -- style -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "unit", "ticks"),
    [
        (36, "months", [0, 6, 12, 18, 24, 30, 36]),
        (37.5, "months", [0, 6, 12, 18, 24, 30, 36]),
        (20, "months", [0, 3, 6, 9, 12, 15, 18]),
        (0.5, "months", [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (365, "days", [0, 60, 120, 180, 240, 300, 360]),
        (10, "years", [0, 2, 4, 6, 8, 10]),
        (1300, "cycles", [0, 200, 400, 600, 800, 1000, 1200]),
    ],
)
def test_time_ticks(end, unit, ticks):
    assert time_ticks(end, unit) == pytest.approx(ticks)


@pytest.mark.parametrize("end", np.geomspace(0.01, 1e5, 60))
@pytest.mark.parametrize("unit", ["days", "months", "years"])
def test_time_ticks_are_few_but_enough(end, unit):
    ticks = time_ticks(end, unit)
    assert 3 <= len(ticks) <= 7
    assert ticks[-1] <= end * (1 + 1e-9)


def test_png_at_300_dpi(tmp_path):
    path = save(survival(), tmp_path / "os.png")
    image = matplotlib.image.imread(path)
    assert image.shape[1] == round(3.5 * DPI)
    assert image[:, :, :3].min() < 0.2


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_files_are_the_same_each_time_and_leave_nothing_behind(tmp_path, kind):
    before = dict(matplotlib.rcParams)
    first = save(survival(), tmp_path / f"a.{kind}").read_bytes()
    second = save(root(survival()), tmp_path / f"b.{kind}").read_bytes()
    assert first == second
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a.{kind}", f"b.{kind}"]
    assert dict(matplotlib.rcParams) == before


def test_text_stays_text_and_no_date(tmp_path):
    svg = save(survival(), tmp_path / "os.svg").read_text()
    assert "Months since origin" in svg
    assert "dc:date" not in svg
    assert b"CreationDate" not in save(survival(), tmp_path / "os.pdf").read_bytes()


def test_one_figure_saved_twice(tmp_path):
    ax = survival()
    sizes = [save(ax, tmp_path / name).stat().st_size for name in ("os.png", "os.pdf")]
    assert min(sizes) > 1000


def test_the_three_files_of_a_figure(tmp_path):
    ax = survival()
    engine = root(ax).get_layout_engine()
    files = save_all(ax, tmp_path / "os.1")
    assert files == [tmp_path / f"os.1.{kind}" for kind in ("png", "svg", "pdf")]
    assert sorted(tmp_path.iterdir()) == sorted(files) == sorted(figure_files(tmp_path / "os.1"))
    assert matplotlib.image.imread(files[0]).shape[1] == round(3.5 * DPI)
    assert files[2].read_bytes().startswith(b"%PDF")
    assert root(ax).get_layout_engine() is engine  # more may be drawn, and saved again


def test_the_files_of_a_figure_have_one_layout(tmp_path):
    ax = survival()
    places = []
    root(ax).canvas.mpl_connect("draw_event", lambda event: places.append(ax.get_position().bounds))
    save_all(ax, tmp_path / "os")
    assert_allclose(places, [places[0]] * len(places))


def test_svgs_stand_in_one_page(tmp_path):
    """No id twice, every reference within its own figure, no style that holds for the page."""
    figures = [survival(), survival({"all": curve(5)}, {}), plot_forest(RATIOS)]
    ids, defined = [], []
    for i, ax in enumerate(figures):
        svg = save(ax, tmp_path / f"{i}.svg").read_text("utf-8")
        own = re.findall(r'\bid="([^"]+)"', svg)
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(own)
        ids += own
        defined += re.findall(r"<style[^>]*>([^{]*)", svg)
    assert len(ids) == len(set(ids)) > 100
    assert all(selector.startswith("#f") for selector in defined)


def test_many_chains_are_small_files(tmp_path):
    draws = np.random.default_rng(1).normal(size=(12, 4, 1000))
    figure = plot_chains({f"p{i}": values for i, values in enumerate(draws)})
    assert save(figure, tmp_path / "chains.svg").stat().st_size < 500_000


# --- Fonts ---


def test_characters_that_the_font_has_not_are_told_once(tmp_path):
    ax = survival({"二次输注": curve(20)}, {})
    with pytest.warns(FontWarning) as told:
        save_all(ax, tmp_path / "os")
    assert len(told) == 1
    said = str(told[0].message)
    assert said.startswith("os: the font of the figures cannot draw 二次注输, boxes stand")
    assert "font.family" in said
    assert "二次输注" in (tmp_path / "os.svg").read_text("utf-8")


def test_a_font_that_is_not_there_is_told_once(tmp_path, caplog):
    with matplotlib.rc_context({"font.family": "No Such Font"}):
        save_all(survival(), tmp_path / "os")
        save_all(survival(), tmp_path / "os")
    told = [r.getMessage() for r in caplog.records if r.name == "matplotlib.font_manager"]
    assert len(told) == len(set(told)) > 0
    assert all("No Such Font" in each for each in told)


def test_other_warnings_of_a_figure_are_not_lost(tmp_path, monkeypatch):
    def warned(self, path, **options):
        path.write_bytes(b"")
        warnings.warn("a remark", stacklevel=1)

    monkeypatch.setattr(Figure, "savefig", warned)
    with pytest.warns(UserWarning, match="a remark"):
        save(new_axes(), tmp_path / "os.png")


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"os\.xyz: use \.png, \.pdf or \.svg"):
        save(new_axes(), tmp_path / "os.xyz")


def test_an_interrupted_save_leaves_no_file(tmp_path, monkeypatch):
    def broken(self, path, **options):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", broken)
    with pytest.raises(KeyboardInterrupt):
        save(new_axes(), tmp_path / "os.png")
    assert list(tmp_path.iterdir()) == []


def test_axes_on_no_figure(tmp_path):
    ax = new_axes()
    ax.remove()
    with pytest.raises(ValueError, match="on no figure"):
        save(ax, tmp_path / "os.png")


def test_threads_draw_the_same(tmp_path):
    paths = [tmp_path / f"{i}.{kind}" for i in range(3) for kind in ("png", "svg")]
    jobs = [threading.Thread(target=lambda p=p: save(survival(), p)) for p in paths]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    for kind in ("png", "svg"):
        assert len({(tmp_path / f"{i}.{kind}").read_bytes() for i in range(3)}) == 1


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    ends = {"second": 30.0}
    assert on_the_page(survival(ends=ends, columns=columns), columns)
    assert on_the_page(plot_hazard(TWO, unit="months", ends=ends, columns=columns), columns)
    prior = RATIOS[["term", "lower", "upper"]]
    ax = plot_forest(RATIOS, prior=prior, classical=RATIOS.assign(method="cox"), columns=columns)
    assert on_the_page(ax, columns)
