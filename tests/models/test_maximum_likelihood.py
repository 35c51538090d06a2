"""The maximum of the likelihood is where survreg, glm and Newton's method in R found it."""

import numpy as np
import pytest
from scipy.optimize import minimize

from bayesurv.data.design import Design
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood

CASES = """
exponential_veteran weibull_veteran weibull_bcdeter piecewise_veteran weibull_channing
gompertz_channing gompertz_veteran
""".split()


def lengths(baseline, terms):
    """How many numbers each parameter has, in the order of a vector of all of them."""
    dims = {p.name: len(baseline.coords[p.dim]) if p.dim else 1 for p in baseline.sampled}
    return dims | {"coefficient": len(terms)}


def as_parameters(vector, baseline, terms):
    """Split a vector into the model's parameters; a shape stands there by its logarithm."""
    sizes = lengths(baseline, terms)
    parts = np.split(vector, np.cumsum(list(sizes.values()))[:-1], axis=-1)
    values = dict(zip(sizes, parts, strict=True))
    for parameter in baseline.sampled:
        if parameter.dim is None:
            values[parameter.name] = values[parameter.name][..., 0]
    return values | {key: np.exp(values[key]) for key in values if key == "shape"}


def maximum(cohort, design, baseline):
    """Parameters at the maximum of the log-likelihood, and its value there.

    BFGS to its neighbourhood, then Newton's method; derivatives are differences between draws.
    """
    observed = Observed.from_cohort(cohort, baseline)

    def total(vectors):
        parameters = as_parameters(vectors, baseline, design.terms)
        predictor = linear_predictor(design, design.rows, parameters, np)
        return log_likelihood(baseline, observed, parameters, predictor, np).sum(axis=-1)

    def gradient(vector, step=1e-5):
        steps = step * np.eye(len(vector))
        at = [total(vector + k * steps) for k in (-2, -1, 1, 2)]
        return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)

    def curvature(vector, step=1e-4):
        steps = step * np.eye(len(vector))
        rows = [(gradient(vector + h) - gradient(vector - h)) / (2 * step) for h in steps]
        return (np.array(rows) + np.array(rows).T) / 2

    rate = np.log(cohort.n_events / (cohort.time - cohort.entry).sum())
    start = [
        np.full(size, rate if name in ("intercept", "log_hazard") else 0.0)
        for name, size in lengths(baseline, design.terms).items()
    ]
    found = minimize(
        lambda v: -total(v),
        np.concatenate(start),
        jac=lambda v: -gradient(v),
        method="BFGS",
        options={"gtol": 1e-2},
    ).x
    for _ in range(4):
        found = found - np.linalg.solve(curvature(found), gradient(found))
    return as_parameters(found, baseline, design.terms), float(total(found))


def named(parameters, terms):
    """One number for each name of the reference."""
    numbers = {}
    for name, value in parameters.items():
        if name == "coefficient":
            numbers |= {f"coefficient[{t}]": float(b) for t, b in zip(terms, value, strict=True)}
        elif np.ndim(value):
            numbers |= {f"{name}[{i + 1}]": float(v) for i, v in enumerate(value)}
        else:
            numbers[name] = float(value)
    return numbers


def test_every_case_of_the_reference_is_tested(maximal):
    assert sorted(CASES) == sorted(maximal.cases)


@pytest.mark.parametrize("name", CASES)
def test_estimates_under_flat_priors_equal_those_of_r(maximal, name):
    case, cohort, baseline, rows = maximal[name]
    design = Design.from_cohort(" + ".join(case["terms"]), cohort)
    parameters, log_likelihood_there = maximum(cohort, design, baseline)
    assert log_likelihood_there == pytest.approx(rows["log_likelihood"].iloc[0], abs=1e-7)
    found = named(parameters, design.terms)
    expected = dict(zip(rows["parameter"], rows["estimate"], strict=True))
    assert set(found) == set(expected)
    assert found == pytest.approx(expected, abs=1e-5)
