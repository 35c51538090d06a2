"""Log-likelihood of every kind of row, against R's plain arithmetic and by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytensor
import pytest

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import Design
from bayesurv.models.baselines import (
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)
from bayesurv.models.build import Specification, build
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood
from bayesurv.models.pointwise import patient_log_likelihood
from bayesurv.models.priors import HalfNormal, LogNormal, MedianSurvival, Normal, Priors

CASES = """
exponential_mixed weibull_mixed weibull_mixed_decreasing gompertz_mixed gompertz_mixed_decreasing
gompertz_mixed_flat piecewise_mixed mspline_mixed mspline_mixed_flat exponential_veteran
weibull_veteran weibull_lung_groups weibull_channing weibull_bcdeter
""".split()
PRIORS = Priors(intercept=Normal(0, 5), shape=LogNormal(0, 1), group_sd=HalfNormal(1))
PRIORS_PIECEWISE = Priors(log_hazard=Normal(0, 5))


def formula_of(case):
    groups = case["parameters"].get("group_effect", {})
    return " + ".join([*case["parameters"]["coefficient"], *(f"({term})" for term in groups)])


def parameters_of(case, design):
    """A case's parameters as the model names and orders them."""
    given = dict(case["parameters"])
    effects = {
        f"{term}[{level}]": effect
        for term, levels in given.pop("group_effect", {}).items()
        for level, effect in levels.items()
    }
    coefficient = given.pop("coefficient")
    numbers = {"weight" if k == "weights" else k: np.array(v) for k, v in given.items()}
    numbers["coefficient"] = np.array([coefficient[term] for term in design.terms])
    if effects:
        numbers["group_effect"] = np.array([effects[name] for name in design.groups])
    return numbers


def by_row(cohort, design, baseline, parameters):
    predictor = linear_predictor(design, design.rows, parameters, np)
    observed = Observed.from_cohort(cohort, baseline)
    return log_likelihood(baseline, observed, parameters, predictor, np)


def test_every_case_of_the_reference_is_tested(fixed):
    assert sorted(CASES) == sorted(fixed.cases)
    assert sorted(CASES) == sorted(fixed.numbers["case"].unique())


@pytest.mark.parametrize("name", CASES)
def test_rows_equal_those_of_r(fixed, name):
    case, cohort, baseline, rows = fixed[name]
    design = Design.from_cohort(formula_of(case), cohort)
    found = by_row(cohort, design, baseline, parameters_of(case, design))
    np.testing.assert_allclose(found, rows["log_likelihood"], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["weibull_mixed", "piecewise_mixed", "gompertz_mixed_flat"])
def test_draws_of_shape_chain_and_draw_give_each_draws_rows(fixed, name):
    case, cohort, baseline, rows = fixed[name]
    design = Design.from_cohort(formula_of(case), cohort)
    one = parameters_of(case, design)
    draws = {key: np.stack([[value, value + 0.1]] * 3) for key, value in one.items()}
    found = by_row(cohort, design, baseline, draws)
    assert found.shape == (3, 2, cohort.n_rows)
    np.testing.assert_allclose(found[1, 0], rows["log_likelihood"], rtol=1e-8)
    other = by_row(cohort, design, baseline, {key: value + 0.1 for key, value in one.items()})
    np.testing.assert_allclose(found[2, 1], other, rtol=1e-12)


# --- The PyMC model ---


def model_total(cohort, design, baseline, priors, values):
    """The model's log-likelihood with its random variables at given values, and their gradients."""
    specification = Specification(baseline, design, priors, MedianSurvival(5, 50))
    model = build(specification, Observed.from_cohort(cohort, baseline), design.rows)
    variables = {variable.name: variable for variable in model.free_RVs}
    assert set(variables) == set(values)
    [potential] = model.potentials
    inputs = [variables[name] for name in values]
    outputs = [potential, *pytensor.grad(potential, inputs)]
    function = pytensor.function(inputs, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    total, *gradients = function(*values.values())
    return float(total), gradients


@pytest.mark.parametrize("name", ["weibull_veteran", "weibull_mixed", "piecewise_mixed"])
def test_the_model_computes_the_same_total(fixed, name):
    case, cohort, baseline, rows = fixed[name]
    design = Design.from_cohort(formula_of(case), cohort)
    values = parameters_of(case, design)
    values.pop("cuts", None)
    priors = PRIORS if case["baseline"] == "weibull" else PRIORS_PIECEWISE
    total, gradients = model_total(cohort, design, baseline, priors, values)
    assert total == pytest.approx(rows["log_likelihood"].sum(), abs=1e-8)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize(
    "baseline",
    [
        Exponential(),
        Gompertz(scale=8.0),
        PiecewiseExponential(cuts=(3, 6)),
        PiecewiseExponential(cuts=()),
        PiecewiseExponential(cuts=(3, 6), smoothing="independent"),
        MSpline(inner=(4, 9), boundary=24),
    ],
    ids=repr,
)
def test_every_baseline_models_every_kind_of_row_from_its_median(fixed, baseline):
    cohort = fixed["weibull_mixed"][1]
    design = Design.from_cohort("treat", cohort)
    specification = Specification(baseline, design, Priors(), MedianSurvival(5, 50))
    coords = specification.coords()
    shapes = [(q.name, q.dim) for q in specification.sampled()]
    values = {
        name: np.full((len(coords[dim]),) if dim else (), 0.3)
        for name, dim in [*shapes, *specification.standard_normals()]
    }
    values["log_median"] = values["log_median"] + 2.0
    total, gradients = model_total(cohort, design, baseline, Priors(), values)
    draws = specification.assemble(values, np)
    assert total == pytest.approx(by_row(cohort, design, baseline, draws).sum(), rel=1e-10)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_the_model_with_every_part_at_once_equals_the_draws(fixed):
    """Groups, varying slopes, a monotone term, delayed entry and intervals (mixed.csv)."""
    _, plain, baseline, _ = fixed["weibull_mixed"]
    table = plain.covariates.assign(
        entry=plain.entry, time=plain.time, upper=plain.upper, event=plain.event,
        stage=np.resize(["I", "II", "III"], plain.n_rows),
    )  # fmt: skip
    cohort = Cohort.from_frame(
        table, time="time", event="event", entry="entry", upper="upper", unit="months",
        ordinal={"stage": ["I", "II", "III"]},
    )  # fmt: skip
    design = Design.from_cohort("treat + stage + (treat | kind)", cohort)
    offsets = np.linspace(-1.5, 1.5, len(design.groups))
    sds = np.array([0.4, 0.9])
    shares = np.array([0.3, 0.7])
    shared = {"intercept": -2.9, "shape": 1.35, "coefficient": [-0.45, 0.8]}
    values = {k: np.array(v) for k, v in shared.items()}
    sampled = values | {
        "group_sd": sds, "group_offset": offsets, "increment[monotone(stage)]": shares,
    }  # fmt: skip
    total, gradients = model_total(cohort, design, baseline, PRIORS, sampled)
    # By hand: every patient's own predictor, then R's rows through a design without covariates.
    effect = sds[np.repeat([0, 1], 6)] * offsets
    kinds = [name.partition("[")[2][:-1] for name in design.groups[:6]]
    place = table["kind"].map(dict(zip(kinds, range(6), strict=True))).to_numpy(dtype=int)
    stage = np.array([0, 0.3, 1.0])[table["stage"].map({"I": 0, "II": 1, "III": 2})]
    treat = table["treat"].to_numpy()
    eta = -0.45 * treat + 0.8 * stage + effect[place] + effect[6 + place] * treat
    observed = Observed.from_cohort(cohort, baseline)
    expected = log_likelihood(baseline, observed, values, eta, np).sum()
    assert total == pytest.approx(expected, abs=1e-9)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    whole = values | {"group_effect": effect, "increment[monotone(stage)]": shares}
    assert by_row(cohort, design, baseline, whole).sum() == pytest.approx(expected, abs=1e-9)


def test_coefficient_priors_of_several_families_keep_the_order_of_the_terms(fixed):
    from bayesurv.models.priors import StudentT

    case, cohort, baseline, rows = fixed["weibull_veteran"]
    design = Design.from_cohort(formula_of(case), cohort)
    student = StudentT(4, 0, 1)
    priors = Priors(
        intercept=Normal(0, 5), coefficient={"trt": student, "age10": student, "prior": student}
    )
    values = parameters_of(case, design)
    coefficient = dict(zip(design.terms, values.pop("coefficient"), strict=True))
    values["coefficient_StudentT"] = np.array([coefficient[t] for t in ("trt", "age10", "prior")])
    values["coefficient_Normal"] = np.array([coefficient[t] for t in ("karno10", "diagtime10")])
    total, _ = model_total(cohort, design, baseline, priors, values)
    assert total == pytest.approx(rows["log_likelihood"].sum(), abs=1e-8)


# --- What each part of the follow-up does ---

TWO_ROWS = pd.DataFrame(
    {
        "id": ["a", "a", "b", "c", "c"],
        "from": [0.0, 4, 0, 1, 2],
        "to": [4.0, 9, 6, 2, 7],
        "died": [0, 1, 0, 0, 1],
        "dose": [0, 1, 1, 0, 1],
    }
)


def rows_of_patients():
    return Cohort.from_frame(
        TWO_ROWS, time="to", event="died", entry="from", id="id", unit="months"
    )


def test_a_patients_log_likelihood_is_the_sum_over_her_rows():
    cohort, baseline = rows_of_patients(), Weibull()
    design = Design.from_cohort("dose", cohort)
    parameters = {
        "intercept": np.array([[-2.0, -3.0]]),
        "shape": np.array([[0.8, 1.5]]),
        "coefficient": np.array([[[0.5], [-0.5]]]),
    }
    specification = Specification(baseline, design, PRIORS, MedianSurvival(5, 50))
    observed = Observed.from_cohort(cohort, baseline)
    patients = np.array([0, 0, 1, 2, 2])
    found = patient_log_likelihood(specification, observed, design.rows, patients, parameters)
    rows = by_row(cohort, design, baseline, parameters)
    assert found.shape == (1, 2, 3)
    np.testing.assert_allclose(found[..., 0], rows[..., 0] + rows[..., 1])
    np.testing.assert_allclose(found[..., 1], rows[..., 2])
    np.testing.assert_allclose(found[..., 2], rows[..., 3] + rows[..., 4])


def test_one_row_for_each_patient_is_already_her_log_likelihood(fixed):
    case, cohort, baseline, rows = fixed["exponential_veteran"]
    design = Design.from_cohort("1", cohort)
    specification = Specification(baseline, design, PRIORS, MedianSurvival(5, 50))
    observed = Observed.from_cohort(cohort, baseline)
    parameters = {"intercept": np.array([[-2.0, -1.0, 0.5]])}
    patients = np.arange(cohort.n_rows)
    found = patient_log_likelihood(specification, observed, design.rows, patients, parameters)
    assert found.shape == (1, 3, cohort.n_rows)
    rate = np.exp(parameters["intercept"][0])[:, None]
    by_hand = cohort.event * np.log(rate) - rate * cohort.time
    np.testing.assert_allclose(found[0], by_hand, rtol=1e-12)


def test_splitting_a_patients_follow_up_changes_nothing():
    whole = TWO_ROWS.assign(**{"from": [0.0, 4, 0, 1, 2]})
    apart = Cohort.from_frame(whole, time="to", event="died", entry="from", id="id", unit="months")
    together = Cohort.from_frame(
        pd.DataFrame({"from": [0.0, 0, 1], "to": [9.0, 6, 7], "died": [1, 0, 1]}),
        time="to", event="died", entry="from", unit="months",
    )  # fmt: skip
    for baseline, parameters in (
        (Weibull(), {"intercept": np.array(-2.0), "shape": np.array(0.8)}),
        (
            PiecewiseExponential(cuts=(3.0, 5.0), smoothing="independent"),
            {"log_hazard": np.array([-1.0, -2.0, -1.5])},
        ),
    ):
        totals = [
            by_row(cohort, Design.from_cohort("1", cohort), baseline, parameters).sum()
            for cohort in (apart, together)
        ]
        assert totals[0] == pytest.approx(totals[1], rel=1e-13)


def test_what_the_follow_up_lacks_costs_nothing(fixed):
    _, cohort, baseline, _ = fixed["weibull_veteran"]
    assert set(Observed.from_cohort(cohort, baseline).arrays()) == {"exact", "hazard", "time"}
    _, cohort, baseline, _ = fixed["weibull_channing"]
    assert "entry" in Observed.from_cohort(cohort, baseline).arrays()
    _, cohort, baseline, _ = fixed["weibull_bcdeter"]
    assert {"upper", "between"} <= set(Observed.from_cohort(cohort, baseline).arrays())


def test_without_terms_the_predictor_is_zero():
    nothing = SimpleNamespace(terms=(), group_terms=())
    assert linear_predictor(nothing, None, {}, np) == 0
