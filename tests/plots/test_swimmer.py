"""The swimmer plot, by its data."""

import numpy as np
import pandas as pd
import pytest

from bayesurv.plots.style import look, root
from bayesurv.plots.swimmer import plot_swimmer, swimmer_patients

COHORT = pd.DataFrame(
    {
        "patient_id": ["Jane", "Joan", "Jean", "June"],
        "cti2": [1, 0, 1, 0],
        "efs_months": [2.0, 3.0, 5.0, 9.0],
        "efs_event": [1, 1, 1, 0],
        "pfs_months": [4.0, 3.0, 5.0, 9.0],
        "pfs_event": [1, 1, 1, 0],
        "os_months": [10.0, 8.0, 5.0, 9.0],
        "os_event": [0, 1, 1, 0],
    }
)


def bars(ax):
    return [(b.get_y() + b.get_height() / 2, b.get_width()) for b in ax.patches]


def marks(ax, marker):
    return [
        (float(x), float(y))
        for line in ax.get_lines()
        if line.get_marker() == marker
        for x, y in zip(*np.round(line.get_data(), 6), strict=True)
    ]


def test_each_time_is_shown_once_under_its_innermost_name():
    found = swimmer_patients(COHORT, treatment="cti2", unit="months")
    nan = np.nan
    expected = pd.DataFrame(
        {
            "arm": ["cti2 = 0", "cti2 = 0", "cti2 = 1", "cti2 = 1"],
            "end": [8.0, 9.0, 10.0, 5.0],
            "event": [nan, nan, 2.0, nan],
            "progression": [3.0, nan, 4.0, nan],
            "death": [8.0, nan, nan, 5.0],
        }
    )
    pd.testing.assert_frame_equal(found, expected)
    alone = COHORT[["cti2", "os_months", "os_event"]]
    assert swimmer_patients(alone, treatment="cti2", unit="months")["progression"].isna().all()


def test_bars_and_marks():
    patients = swimmer_patients(COHORT, treatment="cti2", unit="months").assign(response=1.0)
    ax = plot_swimmer(patients, unit="months")
    drawn = bars(ax)
    assert [width for _, width in drawn] == [9, 8, 10, 5]  # by arm, the longest first
    rows = [round(row, 6) for row, _ in drawn]
    assert np.diff(rows).min() > 0.99
    assert rows[2] - rows[1] > 1  # arms stand apart
    assert ax.yaxis_inverted()
    assert marks(ax, "D") == [(3, rows[1]), (4, rows[2])]
    assert marks(ax, "X") == [(8, rows[1]), (5, rows[3])]
    assert marks(ax, "o") == [(2, rows[2])]
    assert marks(ax, ">") == [(9, rows[0]), (10, rows[2])]
    assert marks(ax, "^") == [(1, row) for row in rows]
    assert [b.get_facecolor()[:3] for b in ax.patches][::2] == [
        tuple(int(look(i)[0][j : j + 2], 16) / 255 for j in (1, 3, 5)) for i in (0, 1)
    ]
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["cti2 = 0", "cti2 = 1", "Response", "EFS event", "Progression", "Death",
                     "Alive, follow-up ends"]  # fmt: skip


def test_no_patient_is_named():
    ax = plot_swimmer(swimmer_patients(COHORT, treatment="cti2", unit="months"), unit="months")
    assert [text.get_text() for text in ax.texts] == ["cti2 = 0 (n = 2)", "cti2 = 1 (n = 2)"]
    assert not ax.get_yticks().size


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("count", [1, 61, 300])
def test_it_fits_the_page(columns, count):
    end = np.random.default_rng(1).exponential(12, count) + 0.1
    arm = np.resize(["CTI2", "other salvage"], count)
    patients = pd.DataFrame({"arm": arm, "end": end, "death": np.where(end > 12, end, np.nan)})
    ax = plot_swimmer(patients, unit="months", columns=columns)
    figure = root(ax)
    assert figure.get_figheight() < 20
    figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    for box in (ax.get_tightbbox(), legend):
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.x1 + 1
    assert legend.y0 >= ax.get_window_extent().y1


def test_faults():
    with pytest.raises(ValueError, match="no column end"):
        plot_swimmer(pd.DataFrame({"arm": ["a"]}), unit="months")
    late = pd.DataFrame({"arm": ["a"], "end": [3.0], "response": [4.0]})
    with pytest.raises(ValueError, match="response: an event is after the end"):
        plot_swimmer(late, unit="months")
    with pytest.raises(ValueError, match="no column os_days"):
        swimmer_patients(COHORT, treatment="cti2", unit="days")
