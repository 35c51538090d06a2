"""The figure of the selection analysis: what is drawn is what the table says."""

import numpy as np
import pytest

from bayesurv.estimands.selection import selection_curve
from bayesurv.plots.selection import plot_selection
from bayesurv.plots.style import root, save


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(3)
    arm = np.repeat([0, 1], [34, 27])
    time = np.where(arm == 0, 3 + random.exponential(13, 61), 1.1 + random.exponential(7, 61))
    return selection_curve(time, np.ones(61, bool), arm).table()


def test_both_panels_show_the_table(table, tmp_path):
    upper = plot_selection(
        table, arm="cti2 = 0", between="0.3 and 3 months", prior="Normal(0, 0.75)", label="OS"
    )
    lower = root(upper).axes[1]
    lines = {line.get_linestyle(): line for line in upper.lines if len(line.get_xdata()) == 16}
    np.testing.assert_allclose(upper.lines[0].get_ydata(), table["hazard_ratio"])
    np.testing.assert_allclose(lower.lines[0].get_ydata(), table["prob_benefit"])
    assert ":" in lines
    band = upper.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(table["upper"].max())
    assert upper.get_ylabel() == "Hazard ratio, OS"
    assert lower.get_xlabel() == (
        "Early deaths put back into cti2 = 0,\neach between 0.3 and 3 months"
    )
    assert lower.get_ylim() == (0, 1)
    names = [text.get_text().replace("\n", " ") for text in upper.get_legend().get_texts()]
    assert names[0] == "Cox, 95% confidence interval"
    assert names[1].endswith("credible interval), prior Normal(0, 0.75)")
    assert save(upper, tmp_path / "selection.png").stat().st_size > 10_000


def test_a_table_without_a_finite_estimate_is_drawn_all_the_same(table):
    lost = table.assign(hazard_ratio=np.nan, lower=np.nan, upper=np.nan)
    upper = plot_selection(lost, arm="a", between="1 and 2 days", prior="Normal(0, 1)")
    low, high = upper.get_ylim()
    assert low < table["posterior_lower"].min()
    assert high > table["posterior_upper"].max()
    assert upper.get_ylabel() == "Hazard ratio"


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(table, columns, on_the_page):
    upper = plot_selection(
        table, arm="cti2 = 0", between="0.3 and 3 months", prior="Normal(0, 1)", columns=columns
    )
    assert on_the_page(upper, columns)
