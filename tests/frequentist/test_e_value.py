import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayesurv.frequentist.e_value import e_value


def test_published_risk_ratio():
    """VanderWeele and Ding 2017: a risk ratio of 3.9 (1.8 to 8.7) gives 7.26 and 3.0."""
    found = e_value(3.9, 1.8, 8.7, measure="risk ratio")
    assert_allclose([found.estimate, found.limit], [7.26, 3.0], atol=0.005)


def test_common_and_rare_outcomes():
    found = e_value(1.83, 1.05, 3.2)
    risk_ratio = (1 - 0.5 ** (1.83**0.5)) / (1 - 0.5 ** (1.83**-0.5))
    assert_allclose(found.estimate, risk_ratio + (risk_ratio * (risk_ratio - 1)) ** 0.5)
    assert e_value(4, 2.25, 9, measure="odds ratio") == e_value(2, 1.5, 3, measure="risk ratio")
    assert e_value(2, 1.5, 3, rare=True) == e_value(2, 1.5, 3, measure="risk ratio")


def test_an_interval_that_holds_1_needs_no_confounding():
    assert e_value(1.665, 0.88, 3.14).limit == 1
    assert_allclose(e_value(1.665, 0.88, 3.14).estimate, 2.20, atol=0.005)
    assert e_value(1, 0.5, 2).estimate == 1


@settings(deadline=None)
@given(
    st.floats(0.05, 20),
    st.floats(1, 5),
    st.floats(1, 5),
    st.sampled_from(["hazard ratio", "odds ratio", "risk ratio"]),
)
def test_turned_over(ratio, below, above, measure):
    one = e_value(ratio, ratio / below, ratio * above, measure=measure)
    other = e_value(1 / ratio, 1 / (ratio * above), 1 / (ratio / below), measure=measure)
    assert_allclose([one.estimate, one.limit], [other.estimate, other.limit], rtol=1e-6)
    assert 1 <= one.limit <= one.estimate


@pytest.mark.parametrize("ratio", [(2, 3, 4), (2, 1, 1.5), (-1, -2, 1), (0, 0, 1)])
def test_refused(ratio):
    with pytest.raises(ValueError, match="not a ratio"):
        e_value(*ratio)
    with pytest.raises(ValueError, match="no measure"):
        e_value(2, 1, 3, measure="difference")
