"""Every baseline is one hazard: what must hold between its two formulas, for any parameters."""

import re
from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesurv.data.faults import InputError
from bayesurv.estimands.functionals import invert
from bayesurv.models.baselines import (
    BASELINES,
    Exponential,
    Gompertz,
    MSpline,
    PiecewiseExponential,
    Weibull,
)

# A new baseline is one row here: as a user states it, with everything left to the data.
TABLE = {
    "exponential": Exponential(),
    "weibull": Weibull(),
    "gompertz": Gompertz(),
    "piecewise-independent": PiecewiseExponential(intervals=4, smoothing="independent"),
    "piecewise-random-walk": PiecewiseExponential(intervals=4),
    "m-spline": MSpline(inner_knots=3),
}
NUMBERS = {
    "intercept": st.floats(-4, 1),
    "shape": st.floats(0.2, 5),
    "slope": st.floats(-3, 3) | st.sampled_from([0.0, 1e-6, -1e-4]),
    "log_hazard": st.floats(-4, 1),
    "log_hazard_start": st.floats(-4, 1),
    "smoothing_sd": st.floats(0, 2),
    "log_hazard_step": st.floats(-2.5, 2.5),
    "weight_step": st.floats(-2.5, 2.5),
}
EVENT_TIMES = np.array([0.4, 1.1, 2.0, 2.6, 3.5, 5.0, 7.7, 9.0, 12.0, 18.5, 20.0])
END, MEDIAN = 26.0, 8.0
TIMES = np.array([1e-3, 0.4, 2.0, 2.0001, 4.2, 9.0, 15.0, 20.0, 22.0, 40.0])


def resolved(name, unit=1.0):
    """The baseline as the data settle it, with times counted in another unit."""
    return TABLE[name].resolve(EVENT_TIMES * unit, END * unit, MEDIAN * unit)


READY = {name: resolved(name) for name in TABLE}
EACH = pytest.mark.parametrize("name", TABLE)


def size(baseline, parameter):
    return () if parameter.dim is None else (len(baseline.coords[parameter.dim]),)


@st.composite
def sampled(draw, baseline):
    """Values of a baseline's sampled quantities, each a scalar or a vector."""
    values = {}
    for parameter in baseline.sampled:
        numbers, shape = NUMBERS[parameter.name], size(baseline, parameter)
        count = shape[0] if shape else 1
        listed = draw(st.lists(numbers, min_size=count, max_size=count))
        values[parameter.name] = np.array(listed).reshape(shape)
    return values


def log_hazard(baseline, parameters, time):
    return baseline.log_hazard(baseline.hazard_basis(np.asarray(time)), parameters, np)


def cumulative(baseline, parameters, time):
    return baseline.cumulative_hazard(baseline.cumulative_basis(np.asarray(time)), parameters, np)


def any_parameters(data, name):
    baseline = READY[name]
    return baseline, baseline.assemble(data.draw(sampled(baseline)), np)


def test_every_baseline_stands_in_the_table():
    assert {type(baseline) for baseline in TABLE.values()} == set(BASELINES.values())


@EACH
@given(data=st.data())
def test_the_cumulative_hazard_is_the_integral_of_the_hazard(name, data):
    baseline, parameters = any_parameters(data, name)
    points, weights = np.polynomial.legendre.leggauss(60)
    inner = [*baseline.knots(), 2.0, 6.0, 15.0]
    ends = np.unique([0.1, *inner, 40.0])
    for left, right in zip(ends[:-1], ends[1:], strict=True):
        nodes = (left + right) / 2 + (right - left) / 2 * points
        area = (right - left) / 2 * (np.exp(log_hazard(baseline, parameters, nodes)) @ weights)
        low, high = cumulative(baseline, parameters, [left, right])
        assert high - low == pytest.approx(area, rel=1e-8, abs=1e-12 * high)


@EACH
@given(data=st.data())
def test_survival_starts_at_one_and_never_rises(name, data):
    baseline, parameters = any_parameters(data, name)
    risk = cumulative(baseline, parameters, [0.0, 1e-300, *TIMES])
    assert risk[0] == 0
    assert risk[1] < 1e-50  # and it leaves 0 without a jump
    assert (np.diff(risk) >= 0).all()
    assert (risk[2:] > 0).all()
    survival = np.exp(-risk)
    assert survival[0] == 1
    assert ((survival >= 0) & (survival <= 1)).all()


@EACH
@given(data=st.data())
def test_the_quantile_inverts_survival(name, data):
    baseline, parameters = any_parameters(data, name)
    time = data.draw(st.floats(0.05, 60))
    target = cumulative(baseline, parameters, [time])
    one_draw = {key: value[None] for key, value in parameters.items()}
    found = invert(baseline, one_draw, target, END)
    assert cumulative(baseline, parameters, found) == pytest.approx(target, rel=1e-12)
    # Where hardly anyone is at risk any more, many times share one survival.
    slope = np.exp(log_hazard(baseline, parameters, [time])) * time / target
    assert found == pytest.approx([time], rel=float(1e-9 + 1e-13 / slope[0]))


@EACH
@given(data=st.data())
def test_draws_share_the_formulas_of_one_draw(name, data):
    baseline = READY[name]
    some = [data.draw(sampled(baseline)) for _ in range(2)]
    draws = {key: np.stack([[each[key]] for each in some], axis=1) for key in some[0]}
    together = baseline.assemble(draws, np)
    for formula in (log_hazard, cumulative):
        both = formula(baseline, together, TIMES)
        assert both.shape[-1] == len(TIMES)
        for i, each in enumerate(some):
            alone = formula(baseline, baseline.assemble(each, np), TIMES)
            np.testing.assert_allclose(both[0, i], alone, rtol=1e-13, atol=1e-14)


# --- The model's tensors compute what the numpy draws do ---


def compiled(baseline, outputs):
    """Compile a function of a baseline's sampled quantities, without optimising."""
    inputs = {p.name: pt.tensor(p.name, shape=size(baseline, p)) for p in baseline.sampled}
    function = pytensor.function(list(inputs.values()), outputs(inputs), mode="FAST_COMPILE")
    return lambda values: function(*(values[key] for key in inputs))


LOG_MEDIANS = np.log([3.0, 8.0])


def every_output(baseline, values, xp):
    parameters = baseline.assemble(values, xp)
    level = [baseline.level(xp.asarray(m), values, xp) + xp.asarray(0.0) for m in LOG_MEDIANS]
    return [
        *(xp.asarray(value) for value in parameters.values()),
        *level,
        baseline.log_hazard(baseline.hazard_basis(TIMES), parameters, xp),
        baseline.cumulative_hazard(baseline.cumulative_basis(TIMES), parameters, xp),
    ]


class Tensors:
    """pytensor.tensor with numpy's name for making an array."""

    asarray = staticmethod(pt.as_tensor_variable)

    def __getattr__(self, name):
        return getattr(pt, name)


@pytest.fixture(scope="module", params=TABLE)
def twin(request):
    baseline = READY[request.param]
    return baseline, compiled(baseline, lambda v: every_output(baseline, v, Tensors()))


@given(data=st.data())
def test_numpy_and_pytensor_agree(twin, data):
    baseline, tensors = twin
    values = data.draw(sampled(baseline))
    expected = every_output(baseline, values, np)
    found = tensors(values)
    assert len(found) == len(expected)
    for ours, theirs in zip(expected, found, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=1e-14)


@EACH
def test_gradients_are_finite_at_entry_time_zero(name):
    baseline = READY[name]

    def gradients(values):
        parameters = baseline.assemble(values, pt)
        start = np.array([0.0, 15.0])
        risk = baseline.cumulative_hazard(baseline.cumulative_basis(start), parameters, pt)
        rate = baseline.log_hazard(baseline.hazard_basis(start), parameters, pt)
        # As in the likelihood: a row that ends at 0 has no exact event, so its log hazard counts 0.
        total = risk.sum() + (np.array([0.0, 1.0]) * rate).sum()
        return pytensor.grad(total, list(values.values()))

    values = {p.name: np.full(size(baseline, p), 0.5) for p in baseline.sampled}
    for gradient in compiled(baseline, gradients)(values):
        assert np.isfinite(gradient).all()
        assert (gradient != 0).all()


def test_gompertz_and_its_gradient_go_through_slope_zero_without_a_jump():
    baseline = READY["gompertz"]
    basis = baseline.cumulative_basis(TIMES)
    both = compiled(
        baseline,
        lambda v: [
            (risk := baseline.cumulative_hazard(basis, baseline.assemble(v, pt), pt)),
            pytensor.grad(risk.sum(), v["slope"]),
        ],
    )
    constant = cumulative(Exponential(), {"intercept": np.array(-2.0)}, TIMES)
    change = (constant * TIMES / MEDIAN / 2).sum()
    for slope in (0.0, 1e-12, -1e-12, 1e-7, -1e-7, 2e-6, -2e-6):
        risk, gradient = both({"intercept": np.array(-2.0), "slope": np.array(slope)})
        np.testing.assert_allclose(risk, constant, rtol=3 * abs(slope) * 5 + 1e-14)
        np.testing.assert_allclose(gradient, change, rtol=10 * abs(slope) + 1e-9)


# --- The level: a median survival in place of the intercept ---


@pytest.mark.parametrize("name", ["exponential", "weibull", "gompertz"])
@given(data=st.data(), median=st.floats(0.01, 1000))
def test_survival_at_the_stated_median_is_one_half(name, data, median):
    baseline = READY[name]
    values = data.draw(sampled(baseline))
    if name == "gompertz":  # a slope is a change over one scale: keep its exponential a number
        baseline = replace(baseline, scale=median * data.draw(st.floats(0.1, 10)))
    values["intercept"] = baseline.level(np.log(median), values, np)
    risk = cumulative(baseline, baseline.assemble(values, np), [median])
    assert np.exp(-risk) == pytest.approx([0.5], rel=1e-12)


@pytest.mark.parametrize("name", ["piecewise-random-walk", "m-spline"])
def test_the_level_is_that_of_the_constant_hazard_a_walk_starts_from(name):
    baseline = READY[name]
    values = {p.name: np.zeros(size(baseline, p)) for p in baseline.sampled}
    values[baseline.sampled[0].name] = baseline.level(np.log(MEDIAN), values, np)
    parameters = baseline.assemble(values, np)
    np.testing.assert_allclose(cumulative(baseline, parameters, [MEDIAN]), np.log(2), rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_hazard(baseline, parameters, TIMES)), np.log(2) / MEDIAN)


@EACH
@given(data=st.data(), unit=st.sampled_from([30.4375, 1 / 30.4375, 7.0, 365.25]))
def test_nothing_depends_on_the_unit_of_time(name, data, unit):
    shared = data.draw(sampled(READY[name]))
    log_median = data.draw(st.floats(0, 4))
    hazards, risks = [], []
    for scale in (1.0, unit):
        baseline = resolved(name, scale)
        level = baseline.sampled[0]
        values = dict(shared)
        values[level.name] = np.broadcast_to(
            baseline.level(log_median + np.log(scale), shared, np), size(baseline, level)
        )
        parameters = baseline.assemble(values, np)
        hazards.append(log_hazard(baseline, parameters, TIMES * scale))
        risks.append(cumulative(baseline, parameters, TIMES * scale))
    np.testing.assert_allclose(risks[1], risks[0], rtol=1e-10)
    np.testing.assert_allclose(hazards[1], hazards[0] - np.log(unit), rtol=1e-10, atol=1e-10)


# --- What is left to the data ---


def test_cuts_share_the_events_out():
    cuts = PiecewiseExponential(intervals=4).resolve(np.arange(1.0, 13), 20, 6).cuts
    assert cuts == (3, 6, 9)
    assert len(PiecewiseExponential().resolve(np.arange(1.0, 100), 200, 6).cuts) == 5


def test_tied_events_give_fewer_intervals():
    tied = np.array([2.0, 2, 2, 2, 2, 2, 5, 5, 5])
    ready = PiecewiseExponential(intervals=6).resolve(tied, 8, 3)
    assert ready.cuts == (2, 5)
    assert ready.coords["interval"] == ["1", "2", "3"]
    assert ready.resolve(tied + 1, 9, 3) is ready


def test_no_interval_begins_where_follow_up_ends():
    assert PiecewiseExponential(intervals=6).resolve(np.array([2.0, 5, 5, 5]), 5, 3).cuts == (2,)


@pytest.mark.parametrize(
    "stated",
    [
        PiecewiseExponential(cuts=(3.0, 6.0)),
        MSpline(inner=(1.0, 6.0), boundary=15.0),
        Gompertz(scale=5.0),
        Weibull(),
        Exponential(),
    ],
)
def test_what_is_stated_is_kept(stated):
    assert stated.resolve(EVENT_TIMES, END, MEDIAN) == stated


def test_a_gompertz_scale_is_the_reference_median_unless_stated():
    assert Gompertz().resolve(EVENT_TIMES, END, 7.5).scale == 7.5


def test_knots_are_event_quantiles_up_to_the_last_event():
    ready = MSpline(inner_knots=3).resolve(np.arange(0.0, 9), 20, 6)
    assert ready.inner == (2, 4, 6)
    assert ready.boundary == 8
    assert MSpline(boundary=5.0).resolve(np.arange(0.0, 9), 20, 6).boundary == 5
    assert max(MSpline(boundary=5.0).resolve(np.arange(0.0, 9), 20, 6).inner) < 5
    only_inner = MSpline(inner=(1.0, 2.0)).resolve(np.arange(0.0, 9), 20, 6)
    assert (only_inner.inner, only_inner.boundary) == ((1, 2), 8)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PiecewiseExponential(cuts=(6, 3)), "cuts must be finite, above 0 and increasing"),
        (lambda: PiecewiseExponential(cuts=(0, 3)), "cuts must be"),
        (lambda: PiecewiseExponential(cuts=(3, 3)), "cuts must be"),
        (lambda: PiecewiseExponential(cuts=(3, np.inf)), "cuts must be"),
        (lambda: PiecewiseExponential(intervals=0), "intervals must be 1 or more"),
        (
            lambda: PiecewiseExponential(cuts=(3,), smoothing="independant").resolve([4], 5, 3),
            'Did you mean "independent"?',
        ),
        (lambda: MSpline(inner=(6, 3)), "knots and boundary must be"),
        (lambda: MSpline(inner=(3, 6), boundary=5), "knots and boundary must be"),
        (lambda: MSpline(boundary=-1), "knots and boundary must be"),
        (lambda: MSpline(inner_knots=-1), "inner_knots must be 0 or more"),
        (lambda: Gompertz(scale=0), "scale must be"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(make, said):
    with pytest.raises(InputError, match=re.escape(said)):
        make()


def test_lists_of_times_make_the_same_baseline():
    assert PiecewiseExponential(cuts=[3, 6]) == PiecewiseExponential(cuts=(3.0, 6.0))
    assert hash(MSpline(inner=[3, 6], boundary=9)) == hash(MSpline(inner=(3.0, 6.0), boundary=9.0))


# --- Each baseline's own promises ---


def test_an_interval_holds_its_right_end():
    ready = PiecewiseExponential(cuts=(2.0, 5.0), smoothing="independent")
    parameters = {"log_hazard": np.array([1.0, 2.0, 3.0])}
    found = log_hazard(ready, parameters, [0.5, 2.0, 2.001, 5.0, 5.001, 99.0])
    assert found.tolist() == [1, 1, 2, 2, 3, 3]


def test_the_random_walk_starts_at_its_start_and_takes_steps():
    ready = PiecewiseExponential(cuts=(2.0, 5.0))
    values = {"log_hazard_start": -1.0, "smoothing_sd": 0.5, "log_hazard_step": [2.0, -4.0]}
    found = ready.assemble({k: np.array(v) for k, v in values.items()}, np)
    assert found["log_hazard"].tolist() == [-1, 0, -2]


def test_each_m_spline_integrates_to_one():
    ready = READY["m-spline"]
    assert len(ready.coords["basis"]) == 7
    np.testing.assert_allclose(ready.cumulative_basis(np.array([0.0])), 0, atol=1e-15)
    np.testing.assert_allclose(ready.cumulative_basis(np.array([ready.boundary])), 1, rtol=1e-12)
    assert (ready.hazard_basis(TIMES) >= 0).all()


@given(data=st.data())
def test_an_m_spline_is_constant_beyond_its_boundary(data):
    baseline, parameters = any_parameters(data, "m-spline")
    beyond = baseline.boundary * np.array([1.0, 1.5, 4.0])
    rates = log_hazard(baseline, parameters, beyond)
    np.testing.assert_allclose(rates, rates[0], rtol=1e-12)
    risk = cumulative(baseline, parameters, beyond)
    expected = np.exp(rates[0]) * np.diff(beyond)
    np.testing.assert_allclose(np.diff(risk), expected, rtol=1e-10, atol=1e-14 * risk[-1])


def test_m_spline_weights_are_on_the_simplex_however_far_the_walk_goes():
    baseline = READY["m-spline"]
    values = {"intercept": 0.0, "smoothing_sd": 1000.0, "weight_step": [1.0, 1, 1, -1, -1, 2]}
    weight = baseline.assemble({k: np.array(v) for k, v in values.items()}, np)["weight"]
    assert weight.sum() == pytest.approx(1)
    assert weight.argmax() == 3
