"""The numpy density against the compiled model's, and positions there and back."""

import numpy as np
import pandas as pd
import pytest

import bayesurv as bs
from bayesurv.fitting import specify
from bayesurv.models.build import build
from bayesurv.models.density import Density
from bayesurv.models.likelihood import Observed
from bayesurv.models.priors import Robust, RobustHazardRatio

TABLE = pd.DataFrame(
    {
        "entry": [0.0, 0.5, 0, 0, 1, 0, 0, 2, 0, 0, 0, 1],
        "time": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        "event": [1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1],
        "upper": [None, None, None, 6, None, 9, None, None, None, None, None, None],
        "a": np.resize([0, 1, 1], 12),
        "stage": np.resize(["I", "III", "II", "II", "I"], 12),
        "centre": np.resize(["A", "B", "C", "B"], 12),
    }
)
MODELS = {
    "weibull": ("a + monotone(stage) + (a | centre)", bs.Weibull(), bs.Priors()),
    "gompertz": ("a", bs.Gompertz(), bs.Priors(intercept=bs.Normal(-2, 3))),
    "piecewise": ("a + (1 | centre)", bs.PiecewiseExponential((3, 7)), bs.Priors()),
    "independent": ("a", bs.PiecewiseExponential((3, 7), smoothing="independent"), bs.Priors()),
    "m-spline": ("a", bs.MSpline(inner=(4, 8), boundary=12), bs.Priors()),
    "families": (
        "a + C(stage)",
        bs.Exponential(),
        bs.Priors(coefficient={"a": bs.StudentT(4, 0, 1), "C(stage)[II]": bs.Normal(1, 2)}),
    ),
    "robust": ("a + C(stage)", bs.Weibull(), bs.Priors(coefficient=RobustHazardRatio(0.2, 0.5))),
    "robust and normal": (
        "a + C(stage)",
        bs.Weibull(),
        bs.Priors(intercept=Robust(-2, 0.2, 0.3, 2), coefficient={"a": Robust(-1, 0.3, 0.5, 1)}),
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """A density, and the model it stands for."""
    formula, baseline, priors = MODELS[request.param]
    cohort = bs.Cohort.from_frame(
        TABLE, time="time", event="event", entry="entry", upper="upper", unit="months",
        ordinal={"stage": ["I", "II", "III"]},
    )  # fmt: skip
    specification = specify(cohort, formula, baseline, priors)
    observed = Observed.from_cohort(cohort, specification.baseline)
    rows = specification.design.rows
    density = Density(specification, observed, rows, np.arange(cohort.n_rows))
    return density, build(specification, observed, rows)


def positions(density, count=7):
    axes = sum(block.size for block in density.blocks())
    at = np.random.default_rng(5).normal(0, 0.7, (count, axes))
    start = 0
    for block in density.blocks():
        if not block.simplex and block.priors[0].positive:
            at[:, start : start + block.size] = np.abs(at[:, start : start + block.size]) + 0.1
        start += block.size
    return at


def test_density_is_that_of_the_model(model):
    """Equal to PyMC's log density up to the Jacobian of its own simplex axes."""
    density, built = model
    compiled = built.compile_fn(built.logp(jacobian=False), mode="FAST_COMPILE")
    names = {rv.name: built.rvs_to_values[rv] for rv in built.free_RVs}
    for at in positions(density):
        drawn = density.sampled(at)
        point, jacobian = {}, 0.0
        for block in density.blocks():
            value = drawn[block.name]
            if block.simplex:
                transform = built.rvs_to_transforms[built[block.name]]
                point[names[block.name].name] = transform.forward(value).eval()
                jacobian += np.log(value).sum()
            elif block.priors[0].positive:
                point[names[block.name].name] = np.log(value)
                jacobian += np.log(3 * np.cbrt(value) ** 2).sum()
            else:
                for name, members in parts(block):
                    point[names[name].name] = value[members] if block.dim else value
        expected = float(compiled(point)) + jacobian + simplex_constants(density)
        ours = density.log_prior(at) + density.log_likelihood(at).sum()
        assert ours == pytest.approx(expected, rel=1e-10)


def parts(block):
    """PyMC's variables of a block: one for each family of its priors."""
    families = [type(prior).__name__ for prior in block.priors]
    if len(set(families)) == 1:
        return [(block.name, slice(None))]
    return [
        (f"{block.name}_{family}", np.array([f == family for f in families]))
        for family in dict.fromkeys(families)
    ]


def simplex_constants(density):
    """Log density of uniform simplices, which the numpy density leaves out."""
    from scipy.special import gammaln

    return -sum(gammaln(len(block.labels)) for block in density.blocks() if block.simplex)


def test_positions_there_and_back(model):
    density, _ = model
    at = positions(density).reshape(1, 7, -1)
    np.testing.assert_allclose(density.position(density.sampled(at)), at, atol=1e-12)


def test_many_positions_at_once_are_each_by_itself(model):
    density, _ = model
    at = positions(density)
    single = [density.log_prior(one) for one in at]
    np.testing.assert_allclose(density.log_prior(at), single, rtol=1e-12)
    single = [density.log_likelihood(one) for one in at]
    np.testing.assert_allclose(density.log_likelihood(at), single, rtol=1e-10)


def test_nothing_positive_is_below_0(model):
    density, _ = model
    at, start = positions(density), 0
    for block in density.blocks():
        if not block.simplex and block.priors[0].positive:
            beyond = at.copy()
            beyond[:, start] = -0.2
            assert (density.log_prior(beyond) == -np.inf).all()
            assert not np.isnan(density.log_likelihood(beyond)).any()
        start += block.size


def test_where_the_likelihood_is_no_number_it_is_nil(model):
    density, _ = model
    far = np.full((1, sum(block.size for block in density.blocks())), 800.0)
    assert not np.isnan(density.log_likelihood(far)).any()
    assert (density.log_likelihood(far) < np.inf).all()


def test_every_variable_of_mixed_families_has_a_dim():
    """What the sampler returns has no other name for its axes."""
    cohort = bs.Cohort.from_frame(
        TABLE, time="time", event="event", entry="entry", upper="upper", unit="months"
    )
    formula, baseline, priors = MODELS["families"]
    specification = specify(cohort, formula, baseline, priors)
    observed = Observed.from_cohort(cohort, specification.baseline)
    built = build(specification, observed, specification.design.rows)
    sizes = {rv.name: rv.eval().ndim for rv in built.free_RVs}
    assert sizes == {name: len(built.named_vars_to_dims.get(name, ())) for name in sizes}
    assert "coefficient_StudentT" in sizes
