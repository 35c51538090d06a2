"""Tables and figures of a fit: their columns, and that their numbers are the fit's."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesurv.data.cohort import Cohort
from bayesurv.estimands.arms import treatment_arms
from bayesurv.estimands.curves import hazard, survival
from bayesurv.estimands.margins import Margins
from bayesurv.fitting import prior
from bayesurv.plots.style import KINDS
from bayesurv.report import results
from bayesurv.report.results import arm_curves, arms, observed_arm, stated_profiles, write_fit
from bayesurv.saved import load

COLUMNS = {
    "parameters.csv": "parameter mean sd q2.5 q50 q97.5 ess_bulk ess_tail r_hat",
    "hazard_ratios.csv": "term hazard_ratio lower upper prob_below_1 ci_prob",
    "survival.csv": "profile time mean median lower upper ci_prob",
    "diagnostics.csv": "check value limit passed worst",
    "benefit.csv": "quantity margin horizon estimate lower upper probability mcse",
    "arms.csv": "arm quantity time estimate lower upper prob_not_reached",
    "loo.csv": "elpd_loo se p_loo pareto_k_max patients_above_0.7 patients",
}
FIGURES = ("survival", "hazard", "forest", "chains", "benefit", "horizons")


@pytest.fixture(scope="module")
def written(weibull_fit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit") / "os" / "weibull"
    write_fit(weibull_fit, folder, label="OS", treatment="cti2", provenance={"endpoint": "os"})
    return folder


@pytest.fixture
def no_figures(monkeypatch):
    """Leave out the figures; what they would have been told comes back as a list."""
    told = []
    monkeypatch.setattr(results, "write_figures", lambda *given: told.append(given))
    return told


def table(folder, name):
    return pd.read_csv(folder / name)


def test_files_and_columns(written):
    assert {p.name for p in written.iterdir()} == {
        *COLUMNS,
        "posterior.nc",
        "benefit.txt",
        "figures",
    }
    assert {p.name for p in (written / "figures").iterdir()} == {
        f"{name}.{kind}" for name in FIGURES for kind in KINDS
    }
    for name, columns in COLUMNS.items():
        assert list(table(written, name)) == columns.split()


def test_figures_are_not_blank(written):
    for name in FIGURES:
        ink = (
            matplotlib.image.imread(written / "figures" / f"{name}.png")[..., :3].min(axis=2) < 0.9
        )
        assert 0.005 < ink.mean() < 0.5
        assert min(ink.shape) > 300


def test_hazard_ratio_is_of_the_draws(written, weibull_fit):
    draws = np.exp(weibull_fit.posterior["coefficient"].sel(term="cti2").to_numpy())
    [row] = table(written, "hazard_ratios.csv").to_dict("records")
    lower, middle, upper = np.quantile(np.log(draws), [0.025, 0.5, 0.975])
    assert row["term"] == "cti2"
    assert row["hazard_ratio"] == pytest.approx(np.exp(middle))
    assert (row["lower"], row["upper"]) == pytest.approx((np.exp(lower), np.exp(upper)))
    assert row["prob_below_1"] == pytest.approx((draws < 1).mean())
    assert row["ci_prob"] == 0.95


def test_parameters_are_of_the_draws(written, weibull_fit):
    rows = table(written, "parameters.csv").set_index("parameter")
    assert list(rows.index) == ["intercept", "shape", "coefficient[cti2]"]
    shape = weibull_fit.posterior["shape"].to_numpy()
    assert rows.loc["shape", "mean"] == pytest.approx(shape.mean())
    assert rows.loc["shape", "sd"] == pytest.approx(shape.std(ddof=1))
    assert rows.loc["shape", "q97.5"] == pytest.approx(np.quantile(shape, 0.975))
    assert (rows["ess_bulk"] > 400).all()
    assert (rows["r_hat"] < 1.01).all()


def test_survival_is_of_the_draws(written, weibull_fit):
    rows = table(written, "survival.csv")
    assert list(rows["profile"].unique()) == ["cti2=0", "cti2=1"]
    assert rows["time"].max() == weibull_fit.end_of_follow_up
    at = rows[rows["profile"] == "cti2=1"].iloc[40]
    draws = survival(weibull_fit, [{"cti2": 1}], [at["time"]]).to_numpy()
    assert at["mean"] == pytest.approx(draws.mean())
    assert at["lower"] == pytest.approx(np.quantile(draws, 0.025))


def test_diagnostics(written):
    rows = table(written, "diagnostics.csv").set_index("check")
    assert list(rows.index) == ["r_hat", "ess_bulk", "ess_tail", "divergences", "bfmi"]
    assert rows["passed"].all()


def test_posterior_file(written, weibull_fit):
    tree = load(written).draws
    groups = "posterior positions sample_stats log_likelihood log_prior"
    assert set(tree.children) == {*groups.split(), "observed_data", "constant_data"}
    assert tree["log_likelihood"]["time"].shape == (4, 600, 61)
    assert '"endpoint": "os"' in tree.attrs["bayesurv"]
    assert tree["posterior"].to_dataset().equals(weibull_fit.posterior)


def test_times_and_profiles_as_asked(weibull_fit, tmp_path, no_figures):
    profiles = [{"label": "treated", "cti2": 1}]
    write_fit(weibull_fit, tmp_path / "a", label="OS", times=(3, 6), profiles=profiles)
    rows = table(tmp_path / "a", "survival.csv")
    assert rows[["profile", "time"]].to_numpy().tolist() == [["treated", 3], ["treated", 6]]


def test_benefit_is_answered_as_asked(weibull_fit, tmp_path):
    """Of the times, those within the follow-up of both arms; the endpoint by its name."""
    end = treatment_arms(weibull_fit, "cti2").end
    times = (0, 6, (end + weibull_fit.end_of_follow_up) / 2)
    assert times[-1] > end
    write_fit(
        weibull_fit,
        tmp_path / "a",
        label="OS",
        treatment="cti2",
        horizon=12,
        times=times,
        margins=Margins(rmst=1.0),
        causal="exchangeable arms",
        provenance={"endpoint": "os"},
    )
    rows = table(tmp_path / "a", "benefit.csv").set_index("quantity")
    assert rows.loc["survival_difference", "horizon"].tolist() == [12, 6]
    assert rows.loc["rmst_difference", "margin"].tolist() == [0, 1]
    said = (tmp_path / "a" / "benefit.txt").read_text()
    assert "overall survival time" in said
    assert "provided that: exchangeable arms" in said


def test_a_failed_fit_is_marked(weibull_fit, tmp_path, no_figures):
    bad = weibull_fit.diagnostics.assign(passed=lambda d: d["check"] != "r_hat")
    failed = replace(weibull_fit, failed=True, diagnostics=bad)
    write_fit(failed, tmp_path / "a", label="OS")
    text = (tmp_path / "a" / "FAILED.txt").read_text()
    assert "because of --force" in text
    assert "R-hat of" in text
    assert not table(tmp_path / "a", "diagnostics.csv")["passed"].all()
    assert load(tmp_path / "a").failed
    assert no_figures[0][2] == "OS (FAILED CHECKS)"


# --- Arms and profiles ---


@pytest.fixture(scope="module")
def drawn(make_cohort):
    columns = {"time": "os_months", "event": "os_event", "id": "pid", "unit": "months"}
    made = prior(Cohort.from_frame(make_cohort(), **columns), "cti2 + bulky + stage", draws=400)
    made.draws["constant_data"] = xr.DataTree(xr.Dataset({"individual": ("row", range(61))}))
    return made


def test_arms(drawn, make_cohort):
    sizes = {name: chosen.sum() for name, chosen in arms(drawn, "cti2").items()}
    assert sizes == {"cti2 = 0": 34, "cti2 = 1": 27}
    stages = make_cohort()["stage"].value_counts()
    assert {name: n.sum() for name, n in arms(drawn, "stage").items()} == {
        f"stage = {level}": stages[level] for level in ("I", "II", "III", "IV")
    }


def test_curve_of_an_arm_is_over_its_own_patients(drawn):
    members = arms(drawn, "cti2")
    curves = arm_curves(drawn, members, hazard=False)
    treated = drawn.design.training[members["cti2 = 1"]]
    treated_curve, other_curve = (curves[f"cti2 = {level}"]["mean"] for level in (1, 0))
    at = treated_curve.time.to_numpy()[[1, 30, 99]]
    expected = survival(drawn, treated, at).mean(("chain", "draw", "individual"))
    np.testing.assert_allclose(treated_curve.sel(time=at), expected)
    assert abs(treated_curve - other_curve).max() > 0.01


def test_hazard_of_an_arm(weibull_fit):
    curves = arm_curves(weibull_fit, arms(weibull_fit, "cti2"), hazard=True)
    at = float(curves["cti2 = 1"].time[20])
    draws = hazard(weibull_fit.thinned(2), [{"cti2": 1}], [at])
    assert float(curves["cti2 = 1"]["mean"].sel(time=at)) == pytest.approx(draws.mean().item())


def test_kaplan_meier_of_an_arm(weibull_fit, make_cohort):
    treated = make_cohort().query("cti2 == 1")
    estimate = observed_arm(weibull_fit, arms(weibull_fit, "cti2")["cti2 = 1"])
    assert (estimate.n, estimate.events) == (27, treated["os_event"].sum())
    assert estimate.end == treated["os_months"].max()


def test_observed_profiles(weibull_fit):
    assert sorted(stated_profiles(weibull_fit, "observed", None)["cti2"]) == [0, 1]
    given = [{"cti2": 1}]
    assert stated_profiles(weibull_fit, given, None) is given
