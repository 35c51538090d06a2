"""The explorer's data: which profiles are offered, and that their numbers are the estimands'."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.faults import InputError
from bayesurv.estimands.benefit import arms_table, benefit, compare_arms
from bayesurv.estimands.comparison import compare
from bayesurv.estimands.curves import survival
from bayesurv.estimands.functionals import prob_not_reached, rmst, survival_quantile
from bayesurv.estimands.pooled import pooled_survival
from bayesurv.estimands.stacking import stacked
from bayesurv.estimands.summary import quantiles, survival_table
from bayesurv.fitting import prior
from bayesurv.models.baselines import PiecewiseExponential
from bayesurv.models.priors import Normal, Priors
from bayesurv.report.ensemble_file import load_ensemble
from bayesurv.report.ensemble_results import save_ensemble
from bayesurv.report.page.explorer import explorer_assets, explorer_data
from bayesurv.report.page.explorer_numbers import changes
from bayesurv.report.page.explorer_profiles import choices
from bayesurv.saved import save

FORMULA = "cti2 + bulky + age + stage + (1 | centre)"
SMALL = Priors(coefficient=Normal(0, 0.05))  # of a year of age
HALF_STEP = 0.51e-4


@pytest.fixture(scope="module")
def drawn(make_cohort):
    """Draws of a prior, which stand for any: the numbers are functions of them."""

    def make(formula=FORMULA, baseline=None, *, draws=500, unit="months", **table):
        frame = make_cohort().assign(**table)
        cohort = Cohort.from_frame(frame, time="os_months", event="os_event", unit=unit, id="pid")
        return prior(cohort, formula, baseline=baseline, priors=SMALL, draws=draws, seed=2)

    return make


@pytest.fixture(scope="module")
def fit(drawn):
    return drawn()


@pytest.fixture(scope="module")
def data(fit):
    return explorer_data({"os": {"weibull": fit}}, "cti2", 12.0)


@pytest.fixture(scope="module")
def model(data):
    return data["endpoints"][0]["models"][0]


def curve(model, key, arm, what="curves"):
    """Median, lower and upper of a packed curve, and the entry itself."""
    found = model[what][model["profiles"][key][what][arm]]
    parts = [np.cumsum([int(x) for x in part.split(",")]) / 10_000 for part in found["survival"]]
    return parts, found


def test_profiles_are_every_combination(model):
    offered = {each["name"]: each["choices"] for each in model["covariates"]}
    assert offered["bulky"] == ["no", "yes"]
    assert offered["stage"] == ["I", "II", "III", "IV"]
    assert offered["centre"] == ["average group", "Bari", "Milan", "Rome", "Turin"]
    assert [label.partition(" ")[2] for label in offered["age"]] == [
        "(lower quartile)", "(median)", "(upper quartile)",
    ]  # fmt: skip
    assert len(model["profiles"]) == 2 * 4 * 3 * 5 + 1
    assert model["arms"] == ["cti2 = 0", "cti2 = 1"]


def test_first_shown_is_the_most_common_patient(model, fit):
    training = fit.design.training
    for each in model["covariates"]:
        if each["name"] in ("bulky", "stage"):
            common = training[each["name"]].value_counts().idxmax()
            known = {0: "no", 1: "yes"}
            assert each["choices"][each["start"]] == known.get(common, common)
        else:
            assert each["choices"][each["start"]].endswith(("(median)", "average group"))


def test_quartiles_are_rounded(fit):
    [age] = [each for each in choices(fit, "cti2").offered if each.name == "age"]
    quartiles = fit.design.training["age"].quantile([0.25, 0.5, 0.75])
    assert all(value % 5 == 0 for value in age.values)
    assert np.abs(np.array(age.values) - quartiles).max() <= 2.5


def values_of(fit, key):
    """Covariates of a profile by its key."""
    positions = map(int, key.split("-"))
    return {
        c.name: c.values[i] for c, i in zip(choices(fit, "cti2").offered, positions, strict=True)
    }


@pytest.mark.parametrize("key", ["1-0-2-0", "0-2-3-4"])
@pytest.mark.parametrize("arm", [0, 1])
def test_curves_are_those_of_survival_csv(model, fit, tmp_path, key, arm):
    key = order(model, key)
    profile = [{"label": "p", "cti2": arm, **values_of(fit, key)}]
    survival_table(survival(fit, profile, model["time"])).to_csv(tmp_path / "survival.csv")
    table = pd.read_csv(tmp_path / "survival.csv")
    for found, name in zip(curve(model, key, arm)[0], ("median", "lower", "upper"), strict=True):
        assert np.abs(found - table[name]).max() < HALF_STEP


def order(model, key):
    """A key whose positions exist, whatever the order of the covariates."""
    most = [len(each["choices"]) - 1 for each in model["covariates"]]
    return "-".join(str(min(int(i), last)) for i, last in zip(key.split("-"), most, strict=True))


def test_median_and_rmst_are_those_of_the_estimands(model, fit):
    key = order(model, "1-1-1-1")
    for arm in (0, 1):
        profile = [{"cti2": arm, **values_of(fit, key)}]
        found = curve(model, key, arm)[1]
        lower, middle, upper = quantiles(rmst(fit, profile, 12.0).to_numpy().ravel())
        assert found["rmst"] == pytest.approx([middle, lower, upper], rel=6e-4)
        median = survival_quantile(fit, profile)
        median = median.where(median <= model["end"], np.inf)
        missed = float(prob_not_reached(median)[0])
        assert found["median"][3] == pytest.approx(missed, abs=1e-4)
        ends = quantiles(median.to_numpy().ravel())[[1, 0, 2]]
        expected = [None if np.isinf(end) else pytest.approx(end, rel=6e-4) for end in ends]
        assert found["median"][:3] == expected


def test_contrast_is_taken_inside_each_draw(model, fit):
    key = order(model, "0-1-3-2")
    profiles = [{"cti2": arm, **values_of(fit, key)} for arm in (0, 1)]
    drawn = survival(fit, profiles, model["time"]).to_numpy()
    apart = (drawn[:, :, 1] - drawn[:, :, 0]).reshape(-1, len(model["time"]))
    parts, found = curve(model, key, 0, "contrasts")
    for part, expected in zip(parts, quantiles(apart)[[1, 0, 2]], strict=True):
        assert np.abs(part - expected).max() < HALF_STEP
    gained = (apart[:, model["milestones"]] > 0).mean(axis=0)
    assert found["probability"] == pytest.approx(gained, abs=1e-4)
    ratio = np.exp(fit.posterior["coefficient"].sel(term="cti2").to_numpy().ravel())
    assert found["hazard_ratio"][:3] == pytest.approx(quantiles(ratio)[[1, 0, 2]], rel=6e-4)
    assert found["hazard_ratio"][3] == pytest.approx((ratio < 1).mean(), abs=1e-4)


def test_cohort_is_that_of_benefit(model, fit):
    table = benefit(fit, "cti2", 12.0).drop_duplicates("quantity").set_index("quantity")
    parts, found = curve(model, "cohort", 0, "contrasts")
    for name, got in (
        ("rmst_difference", found["rmst"]),
        ("marginal_hazard_ratio", found["hazard_ratio"]),
    ):
        expected = table.loc[name, ["estimate", "lower", "upper", "probability"]]
        assert got == pytest.approx(expected.tolist(), rel=6e-4, abs=1e-4)
    at = model["time"].index(12.0)
    gain = table.loc["survival_difference", ["estimate", "lower", "upper"]]
    assert [part[at] for part in parts] == pytest.approx(gain.tolist(), abs=HALF_STEP)
    arms = arms_table(compare_arms(fit, "cti2", 12.0)).set_index(["arm", "quantity"])
    for arm, name in enumerate(model["arms"]):
        own = curve(model, "cohort", arm)[1]
        row = arms.loc[(name, "rmst"), ["estimate", "lower", "upper"]].tolist()
        assert own["rmst"] == pytest.approx(row, rel=6e-4)
        missed = arms.loc[(name, "median"), "prob_not_reached"]
        assert own["median"][3] == pytest.approx(missed, abs=1e-4)


def test_equal_curves_stand_once(drawn):
    fit = drawn("cti2 + (0 + I(1 - cti2) | centre)")
    [model] = explorer_data({"os": {"weibull": fit}}, "cti2", None)["endpoints"][0]["models"]
    treated = {each["curves"][1] for key, each in model["profiles"].items() if key != "cohort"}
    untreated = {each["curves"][0] for key, each in model["profiles"].items() if key != "cohort"}
    assert len(treated) <= 2
    assert len(untreated) == 5


def test_groups_that_no_patient_informs_are_not_offered(drawn, make_cohort):
    other = np.where(make_cohort()["cti2"] == 1, "second infusion", make_cohort()["centre"])
    fit = drawn("cti2 + (0 + I(1 - cti2) | centre)", centre=other)
    assert "second infusion" in set(fit.design.training["centre"])
    [centre] = choices(fit, "cti2").offered
    assert centre.labels == ("average group", "Bari", "Milan", "Rome", "Turin")


def test_at_most_so_many_profiles(drawn):
    random = np.random.default_rng(0)
    extra = {name: random.normal(size=61) for name in ("a", "b", "c")}
    fit = drawn("cti2 + bulky + stage + age + a + b + c", **extra)
    found = choices(fit, "cti2")
    assert len(found.keys) <= 200
    assert {c.name for c in found.offered} | {c.name for c in found.still} == {
        "bulky", "stage", "age", "a", "b", "c",
    }  # fmt: skip
    [model] = explorer_data({"os": {"weibull": fit}}, "cti2", None)["endpoints"][0]["models"]
    said = [note for note in model["notes"] if "stands at" in note]
    assert len(said) == len(found.still) > 0


def test_thinning_is_stated(drawn, monkeypatch):
    from bayesurv.report.page import explorer

    fit = drawn("cti2")
    whole = explorer_data({"os": {"weibull": fit}}, "cti2", None)
    monkeypatch.setattr(explorer, "MOST_CURVES", 400)
    thin = explorer_data({"os": {"weibull": fit}}, "cti2", None)
    said = [each["endpoints"][0]["models"][0]["notes"][0] for each in (whole, thin)]
    assert said[0].startswith("From 500 posterior draws;")
    assert said[1].startswith("From 167 of 500 posterior draws;")


@pytest.mark.parametrize(
    ("unit", "scale", "times"),
    [
        ("months", 1, [3, 6, 12, 24]),
        ("days", 30.4375, [30, 90, 180, 365, 730]),
        ("cycles", 1, [10, 15, 20, 25, 30]),
    ],
)
def test_milestones_are_in_the_unit(drawn, make_cohort, unit, scale, times):
    months = make_cohort()["os_months"] * scale
    fit = drawn("cti2", unit=unit, os_months=months)
    [model] = explorer_data({"os": {"weibull": fit}}, "cti2", None)["endpoints"][0]["models"]
    assert model["unit"] == unit
    assert [model["time"][i] for i in model["milestones"]] == [*times, model["horizon"]]
    assert model["horizon"] == model["end"] == pytest.approx(min(model["ends"]))


def test_without_arms_or_covariates(drawn):
    [model] = explorer_data({"os": {"weibull": drawn("age")}}, None, None)["endpoints"][0]["models"]
    assert model["arms"] == ["all patients"]
    assert model["contrasts"] == []
    assert len(model["profiles"]) == 4


def test_three_arms_are_each_set_against_the_first(drawn):
    fit = drawn("C(stage) + bulky")
    [model] = explorer_data({"os": {"weibull": fit}}, "stage", None)["endpoints"][0]["models"]
    assert len(model["arms"]) == 4
    assert {len(each["contrasts"]) for each in model["profiles"].values()} == {3}


def test_averaged_is_pooled_by_weight(drawn):
    fits = {"weibull": drawn("cti2 + bulky")}
    fits["piecewise"] = drawn("cti2 + bulky", PiecewiseExponential(cuts=(4, 9)))
    weights = {"weibull": 0.25, "piecewise": 0.75}
    models = explorer_data({"os": fits}, "cti2", 12.0, {"os": weights})["endpoints"][0]["models"]
    assert [each["name"] for each in models] == ["weibull", "piecewise", "model-averaged"]
    averaged = models[-1]
    assert averaged["weights"] == weights
    profile = [{"cti2": 1, "bulky": 0}]
    both = {name: survival(fit, profile, averaged["time"]) for name, fit in fits.items()}
    expected = survival_table(stacked(both, weights))
    for found, name in zip(curve(averaged, "0", 1)[0], ("median", "lower", "upper"), strict=True):
        assert np.abs(found - expected[name]).max() < HALF_STEP


def test_weights_are_those_of_compare(weibull_fit, piecewise_fit):
    fits = {"weibull": weibull_fit, "piecewise-exponential": piecewise_fit}
    models = explorer_data({"os": fits}, "cti2", 12.0)["endpoints"][0]["models"]
    assert models[-1]["weights"] == pytest.approx(compare(fits).weights, abs=1e-4)


def test_models_of_other_formulas_are_not_averaged(drawn):
    fits = {"one": drawn("cti2"), "two": drawn("cti2 + bulky")}
    models = explorer_data({"os": fits}, "cti2", 12.0)["endpoints"][0]["models"]
    assert [each["name"] for each in models] == ["one", "two"]


def test_a_horizon_past_follow_up_is_the_end(drawn):
    [model] = explorer_data({"os": {"w": drawn("cti2")}}, "cti2", 500.0)["endpoints"][0]["models"]
    assert model["horizon"] == model["end"]


def test_failed_draws_are_marked(drawn):
    fit = replace(drawn("cti2"), failed=True)
    [model] = explorer_data({"os": {"weibull": fit}}, "cti2", None)["endpoints"][0]["models"]
    assert model["failed"]


def test_no_patient_is_in_the_data(data, make_cohort):
    text = json.dumps(data, allow_nan=False)
    assert not [patient for patient in make_cohort()["pid"] if patient in text]
    assert len(text) < 600_000


def test_packing_keeps_four_decimals():
    values = np.array([1.0, 0.98765, 0.5, 0.0])
    unpacked = np.cumsum([int(part) for part in changes(values).split(",")]) / 10_000
    assert np.abs(unpacked - values).max() <= HALF_STEP


def test_assets_ask_for_nothing():
    assets = explorer_assets()
    assert "</script" not in assets["js"].lower()
    assert "url(" not in assets["css"]
    assert "@import" not in assets["css"]
    assert len(assets["js"]) < 700_000


# --- An ensemble's fit, read back from its file ---


@pytest.fixture(scope="module")
def read_back(ensemble_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("ensemble") / "posterior.nc"
    save_ensemble(ensemble_fit, path, endpoint="os", horizon=6.0)
    return load_ensemble(path)


def test_ensemble_comes_back_whole(ensemble_fit, read_back):
    assert read_back.members == ensemble_fit.members
    assert read_back.n_patients == ensemble_fit.n_patients
    assert read_back.events.tolist() == ensemble_fit.events.tolist()
    assert read_back.stacked.end_of_follow_up == ensemble_fit.stacked.end_of_follow_up
    for name, values in ensemble_fit.stacked.posterior.items():
        assert read_back.stacked.posterior[name].to_numpy() == pytest.approx(
            values.to_numpy(), rel=1e-6, abs=1e-6
        )


def test_ensemble_curves_are_those_of_its_survival_csv(ensemble_fit, read_back):
    data = explorer_data({"os": {"weibull": read_back}}, "cti2", None)
    [model] = data["endpoints"][0]["models"]
    assert model["horizon"] == 6.0
    assert "pooled over 6 members" in model["notes"][0]
    table = pooled_survival(ensemble_fit, [{"cti2": 1, "centre": "Rome"}], model["time"])
    [centre] = model["covariates"]
    key = str(centre["choices"].index("Rome"))
    for found, name in zip(curve(model, key, 1)[0], ("median", "lower", "upper"), strict=True):
        assert np.abs(found - table[name]).max() < 2 * HALF_STEP


def test_ensemble_file_of_another_kind_is_refused(drawn, weibull_fit, tmp_path):
    with pytest.raises(InputError, match="not there, damaged"):
        load_ensemble(tmp_path)
    save(weibull_fit, tmp_path / "posterior.nc")
    with pytest.raises(InputError, match="not the draws of an ensemble"):
        load_ensemble(tmp_path)
