"""The figure of risks: every number where the tables have it, and room for what is written."""

import numpy as np
import pandas as pd

from bayesurv.plots.response import plot_risks
from bayesurv.plots.style import root, save

OUTCOMES = ("day 30", "infection", "renal")


def tables():
    risks = pd.DataFrame(
        [
            (name, f"cti2 = {arm}", 0.1 * k + 0.2 * arm, 0.1 + 0.1 * k + 0.2 * arm, 0.05, 0.9)
            for k, name in enumerate(OUTCOMES)
            for arm in (0, 1)
        ],
        columns="outcome arm proportion estimate lower upper".split(),
    )
    contrasts = pd.DataFrame(
        [
            (name, quantity, 0.2 - 0.1 * k, -0.1, 0.4, 0.9999)
            for k, name in enumerate(OUTCOMES)
            for quantity in ("risk_difference", "odds_ratio")
        ],
        columns="outcome quantity estimate lower upper prob_worse".split(),
    )
    return risks, contrasts


def test_risks_are_drawn_in_per_cent_an_arm_to_a_colour():
    risks, contrasts = tables()
    left = plot_risks(risks, contrasts, better=["day 30"])
    right = root(left).axes[1]
    first, observed, second, _ = left.lines
    np.testing.assert_allclose(first.get_xdata(), [10, 20, 30])
    np.testing.assert_allclose(second.get_xdata(), [30, 40, 50])
    np.testing.assert_allclose(observed.get_xdata(), [0, 10, 20])
    assert (first.get_ydata() < second.get_ydata()).all()
    assert first.get_color() != second.get_color()
    [names] = [[t.get_text() for t in left.get_legend().get_texts()]]
    assert names == ["cti2 = 0", "cti2 = 1", "Observed"]
    np.testing.assert_allclose(right.lines[1].get_xdata(), [20, 10, 0])
    labels = [text.get_text() for text in left.get_yticklabels()]
    assert labels == ["day 30\n(more is better)", "infection", "renal"]


def test_differences_are_written_and_nothing_is_certain():
    texts = [t.get_text() for t in root(plot_risks(*tables())).axes[1].texts]
    assert texts[0] == "Points (95% CrI)"
    assert texts[1:4] == ["20 (-10 to 40)", "10 (-10 to 40)", "0 (-10 to 40)"]
    assert texts[4:] == ["P(worse)", *[">0.999"] * 3]


def test_the_texts_are_on_the_figure(tmp_path):
    left = plot_risks(*tables())
    save(left, tmp_path / "risks.png")
    figure = root(left)
    width, height = figure.canvas.get_width_height()
    for text in figure.axes[1].texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
