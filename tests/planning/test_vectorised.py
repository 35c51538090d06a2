"""Batches of studies in JAX: the PyMC model's density, the default engine's answers, one by one."""

import sys

import numpy as np
import pytest

from bayesurv.data.design import Design
from bayesurv.data.faults import InputError
from bayesurv.inference.reweigh import smoothed, weighted_quantile
from bayesurv.models.baselines import (
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)
from bayesurv.models.build import Specification, build, data_arrays, hyperparameters
from bayesurv.models.compression import compressed
from bayesurv.models.priors import (
    Gamma,
    HalfCauchy,
    HazardRatio,
    LogNormal,
    MedianSurvival,
    Normal,
    Priors,
    RobustHazardRatio,
    StudentT,
)
from bayesurv.planning import analysis, vectorised
from bayesurv.planning.analysis import Answers
from bayesurv.planning.model import covariate_patterns
from bayesurv.planning.studies import Studies
from bayesurv.planning.vectorised_data import study_arrays
from bayesurv.planning.vectorised_density import Axes

BASELINES = {
    "exponential": Exponential(),
    "weibull": Weibull(),
    "gompertz": Gompertz(scale=9.0),
    "independent": PiecewiseExponential(cuts=(3.0, 8.0), smoothing="independent"),
    "random-walk": PiecewiseExponential(cuts=(3.0, 8.0, 14.0)),
    "one interval": PiecewiseExponential(cuts=()),
    "m-spline": MSpline(inner=(3.0, 8.0), boundary=24.0),
}
PRIORS = {
    "default": Priors(),
    "stated": Priors(
        intercept=StudentT(4, -3, 2),
        log_hazard=Normal(-2.5, 1.5),
        shape=Gamma(3, 2),
        slope=Normal(0, 0.8),
        smoothing_sd=HalfCauchy(0.4),
        coefficient={"cti2": RobustHazardRatio(0.4, 0.9), "bulky": HazardRatio(0.3, 3)},
    ),
    "one for all": Priors(
        shape=LogNormal(0.1, 0.3), smoothing_sd=LogNormal(-1, 0.5), coefficient=Normal(0, 1)
    ),
}
SETTINGS = {"treatment": "cti2", "margin": 1.0, "ci_prob": 0.9, "draws": 4000}


def specification(baseline=BASELINES["weibull"], priors=PRIORS["default"], formula="cti2 + bulky"):
    design = Design.from_frame(formula, covariate_patterns("cti2", ("bulky",)))
    return Specification(baseline, design, priors, MedianSurvival(3, 20, 0.9))


def some_studies(count, patients=40, delayed=False, seed=3):
    random = np.random.default_rng(seed)
    pattern = random.integers(0, 4, (count, patients))
    entry = random.uniform(0, 3, pattern.shape) if delayed else None
    death = random.exponential(9 * np.exp(0.5 * (pattern & 1))) + (entry if delayed else 0)
    end = random.uniform(4, 24, pattern.shape) + (entry if delayed else 0)
    return Studies(pattern, np.minimum(death, end), death <= end, entry)


def one_study_arrays(spec, studies, i):
    """What the compiled model is given for one of the studies."""
    rows = spec.design.rows
    rows = type(rows)(*(array[studies.pattern[i]] for array in vars(rows).values()))
    entry = np.zeros_like(studies.time[i]) if studies.entry is None else studies.entry[i]
    never = np.full_like(entry, np.inf)
    observed, rows = compressed(
        spec.baseline, rows, entry, studies.time[i], never, studies.event[i]
    )
    return observed, rows


def compiled_point(model, axes, position):
    """A position as the values of a PyMC model's variables."""
    pieces, coefficient = axes.pieces(), axes.specification.sampled()
    families = next(q.families() for q in coefficient if q.name == "coefficient")
    point = {}
    for variable in model.value_vars:
        name = variable.name.removesuffix("_log__")
        if name in pieces:
            value = position[pieces[name]]
        else:
            value = position[pieces["coefficient"]][families[name.removeprefix("coefficient_")]]
        point[variable.name] = value if variable.ndim else value[0]
    return point


@pytest.fixture
def double_precision():
    import jax

    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(
    ("baseline", "priors"),
    [
        *((name, "stated") for name in BASELINES),
        *((name, "default") for name in ("weibull", "gompertz", "random-walk", "m-spline")),
        ("random-walk", "one for all"),
    ],
)
def test_the_density_is_that_of_the_compiled_model(baseline, priors, double_precision):
    spec = specification(BASELINES[baseline], PRIORS[priors])
    studies = some_studies(3, delayed=priors == "stated")
    axes = Axes(spec)
    observed, rows = one_study_arrays(spec, studies, 1)
    model = build(spec, observed, rows)
    log_density = model.compile_logp(jacobian=True, mode="FAST_COMPILE")
    own, shared = study_arrays(spec, spec.design.rows, studies)
    arrays = {name: array[1] for name, array in own.items()} | shared
    random = np.random.default_rng(5)
    positions = axes.start() + random.normal(0, 0.4, (6, len(axes.start())))
    expected = [float(log_density(compiled_point(model, axes, each))) for each in positions]
    found = np.asarray(axes.log_density(positions, arrays))
    constant = np.array(expected) - found
    np.testing.assert_allclose(constant, constant[0], rtol=0, atol=1e-9 * np.abs(expected).max())
    given = data_arrays(rows, observed) | hyperparameters(spec)
    np.testing.assert_allclose(axes.log_density(positions, given), found, rtol=1e-12)


def test_weights_and_quantiles_are_those_of_the_default_engine(double_precision):
    import jax

    from bayesurv.planning import vectorised_weights

    random = np.random.default_rng(0)
    ratios = np.stack([scale * random.standard_t(7, 1000) for scale in np.geomspace(0.01, 3, 30)])
    values = random.normal(size=ratios.shape)
    weights, ks = jax.vmap(vectorised_weights.smoothed)(ratios)
    share = np.array([0.05, 0.5, 0.95])
    quantiles = jax.vmap(vectorised_weights.weighted_quantiles, (0, 0, None))(
        values, weights, share
    )
    for i, ratio in enumerate(ratios):
        weight, k = smoothed(ratio[None])
        np.testing.assert_allclose(weights[i], weight[0], rtol=1e-9)
        assert ks[i] == pytest.approx(k, abs=1e-10)
        expected = weighted_quantile(values[i], weight[0], share)
        np.testing.assert_allclose(quantiles[i], expected, atol=1e-10)


def analysed(spec, studies, engine=vectorised, **changed):
    settings = SETTINGS | {"seeds": np.arange(len(studies.time)) + 7} | changed
    return engine.analyse(spec, spec.design.rows, studies, **settings)


def assert_alike(found, expected):
    """The same posteriors, within five Monte Carlo errors of two sets of 2,000 draws."""
    assert min(found.effective.min(), expected.effective.min()) > 2000
    error = 5 * expected.sd * np.sqrt(2 / 2000)
    assert (np.abs(found.estimate - expected.estimate) < error).all()
    assert (np.abs(found.sd - expected.sd) < error).all()
    for name in ("lower", "upper"):  # a quantile of 5% has an error of 2.1 sd of a mean
        assert (np.abs(getattr(found, name) - getattr(expected, name)) < 2.5 * error).all()
    assert (np.abs(found.probability - expected.probability) < 5 * np.sqrt(0.25 * 2 / 2000)).all()
    assert (found.estimate != expected.estimate).all()


@pytest.mark.parametrize("baseline", ["weibull", "random-walk"])
def test_posteriors_are_those_of_the_default_engine(baseline):
    spec, studies = specification(BASELINES[baseline]), some_studies(12)
    found, expected = (analysed(spec, studies, each) for each in (vectorised, analysis))
    assert set(found.method) == set(expected.method) == {"laplace"}
    assert_alike(found, expected)


def test_studies_with_hardly_an_event_are_those_of_the_default_engine():
    studies = some_studies(5)
    time, event = studies.time.copy(), studies.event.copy()
    event[0] = False
    event[1] &= (studies.pattern[1] & 1) == 0  # none among the treated
    time[2], event[2] = 0.0, False  # nobody has entered
    time[3, 1:], event[3] = 0.0, np.arange(len(time[3])) == 0
    time[4] /= 1000
    sparse = Studies(studies.pattern, time, event)
    found, expected = (analysed(specification(), sparse, each) for each in (vectorised, analysis))
    assert_alike(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("baseline", [name for name in BASELINES if name != "one interval"])
def test_no_baseline_is_off_on_average(baseline, delayed):
    spec, studies = specification(BASELINES[baseline]), some_studies(200, delayed=delayed)
    found, expected = (analysed(spec, studies, each) for each in (vectorised, analysis))
    error = np.sqrt(1 / found.effective + 1 / expected.effective)
    doubt = np.sqrt(np.clip(expected.probability * (1 - expected.probability), 1e-3, None))
    for apart in (
        (found.estimate - expected.estimate) / expected.sd,
        (found.sd - expected.sd) / expected.sd,
        (found.probability - expected.probability) / doubt,
    ):
        assert abs((apart / error).mean()) < 5 / np.sqrt(200)
        assert np.sqrt(((apart / error) ** 2).mean()) < 1.5


def test_an_exponential_posterior_is_that_of_a_grid():
    priors = Priors(intercept=Normal(-2, 2), coefficient=Normal(0, 1))
    spec, studies = specification(Exponential(), priors, "cti2"), some_studies(4)
    found = analysed(spec, studies)
    treated = studies.pattern & 1
    intercept, effect = np.meshgrid(np.linspace(-5, 0, 1201), np.linspace(-4, 4, 1601))
    for i in range(4):
        log_density = -((intercept + 2) ** 2) / 8 - effect**2 / 2
        for arm in (0, 1):
            log_hazard = intercept + arm * effect
            mine = treated[i] == arm
            log_density += studies.event[i, mine].sum() * log_hazard
            log_density -= studies.time[i, mine].sum() * np.exp(log_hazard)
        weight = np.exp(log_density - log_density.max())
        weight /= weight.sum()
        mean = (weight * effect).sum()
        sd = np.sqrt((weight * (effect - mean) ** 2).sum())
        assert found.estimate[i] == pytest.approx(mean, abs=5 * sd / np.sqrt(3000))
        assert found.sd[i] == pytest.approx(sd, rel=0.08)
        below = weight[effect < 0].sum()
        assert found.probability[i] == pytest.approx(below, abs=0.046)
    assert (found.effective > 3000).all()


def test_a_study_is_answered_the_same_in_any_batch_and_by_its_seed():
    spec, studies = specification(), some_studies(5)
    seeds = np.array([11, 5, 2**32 - 1, 8, 11])
    together = analysed(spec, studies, seeds=seeds)
    order = np.array([3, 0])
    apart = analysed(spec, studies.of(order), seeds=seeds[order])
    other = analysed(spec, studies, seeds=seeds + 1)
    for name, values in vars(together).items():
        np.testing.assert_array_equal(values[order], getattr(apart, name))
    assert (other.estimate != together.estimate).all()
    repeated = np.arange(60) % 5  # more than one call of the program
    many = analysed(spec, studies.of(repeated), seeds=seeds[repeated])
    np.testing.assert_array_equal(many.estimate, together.estimate[repeated])


def test_unreliable_studies_go_to_the_default_engine(monkeypatch):
    spec, studies = specification(), some_studies(6)
    first = analysed(spec, studies)
    asked = []

    def nuts(specification, patterns, studies, *, seeds, **settings):
        asked.append((settings, seeds, studies.time))
        numbers = np.full(len(seeds), -1.0)
        return Answers(*[numbers] * 7, method=np.full(len(seeds), "nuts, checks failed"))

    poor = first.pareto_k > np.median(first.pareto_k)
    monkeypatch.setattr(analysis, "analyse", nuts)
    monkeypatch.setattr(vectorised, "MAX_PARETO_K", np.median(first.pareto_k))
    found = analysed(spec, studies)
    [(settings, seeds, time)] = asked
    assert settings == SETTINGS
    np.testing.assert_array_equal(seeds, np.flatnonzero(poor) + 7)
    np.testing.assert_array_equal(time, studies.time[poor])
    np.testing.assert_array_equal(found.estimate, np.where(poor, -1, first.estimate))
    expected = np.where(poor, "nuts, checks failed", "laplace")
    np.testing.assert_array_equal(found.method, expected)


def test_a_posterior_without_a_mode_is_not_trusted(double_precision):
    import jax.numpy as jnp

    from bayesurv.planning.vectorised_mode import climb
    from bayesurv.planning.vectorised_proposal import peak

    top = climb(lambda x: -((x[0] - 2) ** 2) - jnp.cosh(x[1] + 1), jnp.array([40.0, 9.0]))
    assert top.done
    np.testing.assert_allclose(top.position, [2, -1], atol=1e-6)
    np.testing.assert_allclose(peak(top).root, np.diag([np.sqrt(0.5), 1]), atol=1e-6)
    endless = climb(lambda x: x.sum(), jnp.zeros(2))
    assert not endless.done
    assert not peak(endless).settled


def test_group_terms_and_monotone_terms_are_refused():
    frame = covariate_patterns("cti2", ("bulky",))
    frame["centre"] = list("abab")
    design = Design.from_frame("cti2 + (1|centre)", frame)
    spec = Specification(Weibull(), design, Priors(), MedianSurvival(3, 20, 0.9))
    with pytest.raises(InputError, match=r"no group terms.*: leave out 1\|centre, or"):
        analysed(spec, some_studies(2))


def test_without_jax_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(InputError, match=r"pip install 'bayesurv\[gpu\]'"):
        analysed(specification(), some_studies(2))
