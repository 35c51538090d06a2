"""What the figures of a planned study show."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesurv.plots.operating import (
    plot_probability,
    plot_success_by_patients,
    plot_success_by_ratio,
    scenario_names,
)
from bayesurv.plots.style import root

NAN = np.nan
TRUTHS = [("proportional", r) for r in (0.5, 0.7, 1.0)] + [("design prior", NAN), ("late", NAN)]


def rows(sizes=(61, 100, 200)):
    table = []
    for size in sizes:
        for place, (scenario, ratio) in enumerate(TRUTHS):
            chance = 0.1 + 0.15 * place + size / 1000
            table.append((scenario, ratio, size, chance, chance - 0.02, chance + 0.03))
    names = ["scenario", "hazard_ratio", "patients", "estimate", "lower", "upper"]
    return pd.DataFrame(table, columns=names)


def texts(ax):
    return [each.get_text() for each in ax.get_legend().get_texts()]


def curves(ax):
    return [
        line for line in ax.get_lines() if line.get_marker() not in ("None", "", None, "_", "|")
    ]


def test_each_truth_is_a_line_over_patients(on_the_page):
    ax = plot_success_by_patients(rows(), 0.8)
    assert texts(ax) == ["HR 0.5", "HR 0.7", "HR 1", "design prior", "late", "Target, 0.8"]
    found = [line for line in curves(ax) if len(line.get_xdata()) == 3 and line.get_lw() == 1.2]
    assert len(found) == 5
    for place, line in enumerate(found):
        assert_allclose(line.get_xdata(), [61, 100, 200])
        assert_allclose(line.get_ydata(), 0.1 + 0.15 * place + np.array([61, 100, 200]) / 1000)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["61", "100", "200"]
    assert on_the_page(ax, 2)


def test_error_bars_are_the_monte_carlo_intervals():
    ax = plot_success_by_patients(rows(), 0.8)
    bars = [np.array(segment) for segment in ax.collections[0].get_segments()]
    own = rows()[lambda table: table["hazard_ratio"] == 0.5]
    assert_allclose([bar[:, 1].min() for bar in bars], own["lower"])
    assert_allclose([bar[:, 1].max() for bar in bars], own["upper"])


def test_each_size_is_a_line_over_the_hazard_ratio(on_the_page):
    proportional = rows()[lambda table: table["hazard_ratio"].notna()]
    ax = plot_success_by_ratio(proportional.sample(frac=1, random_state=1), 0.8, 1.0)
    assert texts(ax) == ["61 patients", "100 patients", "200 patients", "Target, 0.8"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.5", "0.7", "1"]
    found = [line for line in curves(ax) if len(line.get_xdata()) == 3 and line.get_lw() == 1.2]
    for line in found:
        assert_allclose(line.get_xdata(), [0.5, 0.7, 1.0])
        assert (np.diff(line.get_ydata()) > 0).all()
    assert on_the_page(ax, 2)


def test_boxes_are_the_quantiles_of_the_probability(on_the_page):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        [(s, r, n, p) for n in (61, 80, 100, 200) for s, r in TRUTHS for p in random.random(200)],
        columns=["scenario", "hazard_ratio", "patients", "probability"],
    )
    ax = plot_probability(table, (0.975, 0.9), "P(HR < 1)")
    panels = root(ax).axes
    assert [each.get_title() for each in panels] == ["61 patients", "100 patients", "200 patients"]
    first = table[(table["patients"] == 61) & (table["hazard_ratio"] == 0.5)]["probability"]
    box = ax.patches[0]
    quartiles = np.quantile(first, [0.25, 0.75])
    assert_allclose([box.get_y(), box.get_y() + box.get_height()], quartiles)
    assert len(ax.patches) == len(TRUTHS)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [*scenario_names(rows((61,)))]
    assert ax.get_ylabel() == "P(HR < 1)"
    assert on_the_page(ax, 2)


@pytest.mark.parametrize("sizes", [(61,), (61, 100)])
def test_fewer_sizes_have_fewer_panels(sizes):
    table = rows(sizes).rename(columns={"estimate": "probability"})
    table = pd.concat([table, table])
    assert len(root(plot_probability(table, (0.975,), "P(HR < 1)")).axes) == len(sizes)
