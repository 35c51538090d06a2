"""The figure of what single patients do to the answer."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.transforms import Bbox

from bayesurv.plots.influence import plot_influence
from bayesurv.plots.style import COLOURS, look, root

ARMS = ("cti2 = 0", "cti2 = 1")


def influence(size=20, everyone=0.9, spread=0.02):
    random = np.random.default_rng(4)
    change = random.normal(0, spread, size)
    table = pd.DataFrame(
        {
            "patient": np.arange(1, size + 1),
            "arm": np.resize(ARMS, size),
            "event": np.resize([True, True, False], size),
            "prob_benefit": np.clip(everyone + change, 0, 1),
            "prob_benefit_change": change,
            "mcse": 0.001,
            "hazard_ratio": 0.8 - 2 * change,
            "hazard_ratio_mcse": 0.002,
        }
    )
    order = np.argsort(-np.abs(change))
    return table.iloc[order].reset_index(drop=True)


def drawn(table, prob_benefit=0.9, threshold=0.95, numbered=False):
    axes = plot_influence(
        table,
        prob_benefit=prob_benefit,
        hazard_ratio=0.8,
        threshold=threshold,
        arms=ARMS,
        numbered=numbered,
    )
    root(axes).canvas.draw()
    return axes, root(axes).axes[1]


def marks(axes, marker):
    """Points drawn with a marker: place, value and whether filled."""
    found = [line for line in axes.get_lines() if line.get_marker() == marker]
    return {
        (x, y): to_hex(line.get_markerfacecolor()) != "#ffffff"
        for line in found
        for x, y in zip(*line.get_data(), strict=True)
    }


def level(axes, value):
    """Lines across the axes at a height."""
    return [line for line in axes.get_lines() if set(line.get_ydata()) == {value}]


@pytest.mark.parametrize("panel", [0, 1])
def test_each_patient_is_a_mark_of_the_arm_and_of_how_follow_up_ended(panel):
    table = influence()
    axes = drawn(table)[panel]
    ordered = table.sort_values("prob_benefit_change").reset_index(drop=True)
    name = ("prob_benefit", "hazard_ratio")[panel]
    for i, arm in enumerate(ARMS):
        own = ordered[ordered["arm"] == arm]
        expected = {(x, row[name]): row["event"] for x, row in own.iterrows()}
        assert marks(axes, look(i)[1]) == expected
    colours = {to_hex(line.get_markeredgecolor()) for line in axes.get_lines()}
    assert {to_hex(c) for c in COLOURS[:2]} <= colours


def test_probabilities_rise_and_lead_from_the_answer_with_all():
    upper, lower = drawn(influence())
    assert level(upper, 0.9)
    assert level(lower, 0.8)
    assert upper.get_ylabel() == "P(HR < 1)\nwithout the patient"
    assert lower.get_ylabel() == "Hazard ratio\nwithout the patient"
    assert "order" in lower.get_xlabel()


def test_the_nearest_threshold_is_a_line_and_in_view():
    upper, _ = drawn(influence())
    assert level(upper, 0.95)
    assert not [y for line in upper.get_lines() for y in line.get_ydata() if y < 0.1]
    named = [text.get_text() for text in upper.get_legend().get_texts()]
    assert "Benefit from P(HR < 1) = 0.95" in named
    assert "All 20 patients" in named
    upper, _ = drawn(influence(everyone=0.1), prob_benefit=0.1)
    low, high = upper.get_ylim()
    assert low < 0.05 < high
    named = [text.get_text() for text in upper.get_legend().get_texts()]
    assert "Harm up to P(HR < 1) = 0.05" in named


def test_three_patients_are_numbered_and_no_number_lies_over_another():
    for size in (5, 20, 61, 300):
        table = influence(size)
        upper, _ = drawn(table, numbered=True)
        texts = [text for text in upper.texts if text.get_text().isdigit()]
        assert {int(t.get_text()) for t in texts} == set(table["patient"].head(3))
        boxes = [Bbox.from_extents(t.get_window_extent().extents) for t in texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        figure = Bbox.from_extents(root(upper).bbox.extents)
        assert all(figure.contains(*box.min) and figure.contains(*box.max) for box in boxes)


def test_no_patient_is_numbered_unless_asked_for():
    upper, lower = drawn(influence())
    assert not [*upper.texts, *lower.texts]


def test_the_legend_is_over_the_axes_and_names_what_there_is():
    table = influence().assign(event=True)
    upper, _ = drawn(table)
    named = [text.get_text() for text in upper.get_legend().get_texts()]
    assert named[-2:] == ["cti2 = 0, event", "cti2 = 1, event"]
    assert "± 2 Monte-Carlo errors" in named
    assert not any("censored" in name for name in named)
    assert upper.get_legend().get_window_extent().y0 >= upper.get_window_extent().y1


@pytest.mark.parametrize("columns", [1, 2])
def test_at_both_widths(columns, on_the_page):
    axes = plot_influence(
        influence(61), prob_benefit=0.9, hazard_ratio=0.8, threshold=0.95, arms=ARMS,
        title="OS: cti2 = 1 against cti2 = 0", columns=columns,
    )  # fmt: skip
    assert on_the_page(axes, columns)
