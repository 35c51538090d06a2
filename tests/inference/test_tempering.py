"""Draws moved between densities that are known."""

import numpy as np
import pytest
from scipy import stats

from bayesurv.inference.tempering import Reference, temper


def normal(mean, covariance):
    return stats.multivariate_normal(mean, covariance)


def moved(start, target, draws=4000, seed=1):
    generator = np.random.default_rng(seed)
    position = start.rvs(draws, random_state=generator).reshape(draws, -1)

    def ends(at):
        return start.logpdf(at).reshape(len(at)), target.logpdf(at).reshape(len(at))

    return temper(position, ends, generator)


@pytest.mark.parametrize("far", [0.0, 1.0, 6.0])
def test_normal_to_normal(far):
    """Mean, covariance and normalising constant, also where the start hardly reaches."""
    covariance = np.array([[1.0, 0.6, 0], [0.6, 2.0, -0.3], [0, -0.3, 0.5]])
    target = normal([far, -far, 0.5 * far], 0.5 * covariance)
    found = moved(normal([0, 0, 0], covariance), target)
    assert found.settled
    assert found.steps == 1 if far == 0 else found.steps >= 1
    error = 5 / np.sqrt(3000)
    sd = np.sqrt(np.diag(target.cov))
    np.testing.assert_allclose(found.position.mean(axis=0), target.mean, atol=error * sd.max())
    np.testing.assert_allclose(np.cov(found.position.T), target.cov, atol=error)
    assert found.log_ratio == pytest.approx(0.0, abs=0.25)


def test_far_targets_take_several_steps():
    far = moved(normal([0.0], [[1.0]]), normal([8.0], [[1.0]]))
    near = moved(normal([0.0], [[1.0]]), normal([0.2], [[1.0]]))
    assert near.steps == 1
    assert far.steps > 3


def test_a_skew_target_with_a_long_tail():
    """The log of a half-normal scale has a long tail to the left, as small group sds have."""

    class LogHalfNormal:
        def logpdf(self, at):
            return stats.halfnorm.logpdf(np.exp(at)) + at

    found = moved(normal([0.5], [[0.3]]), LogHalfNormal(), draws=8000)
    assert found.settled
    test = stats.kstest(np.exp(found.position[:, 0]), stats.halfnorm.cdf)
    assert test.statistic < 1.63 / np.sqrt(4000)  # as if half the draws were independent


def test_the_normalising_constant():
    """Twice the density has twice the constant."""
    start = normal([0.0, 0.0], np.eye(2))
    generator = np.random.default_rng(2)
    position = start.rvs(2000, random_state=generator)

    def ends(at):
        log_density = start.logpdf(at)
        return log_density, log_density + np.log(2)

    assert temper(position, ends, generator).log_ratio == pytest.approx(np.log(2), abs=1e-9)


def test_the_same_generator_gives_the_same_draws():
    start, target = normal([0.0], [[1.0]]), normal([1.0], [[2.0]])
    first, second = (moved(start, target, draws=200, seed=7).position for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, moved(start, target, draws=200, seed=8).position)


def test_the_kernel_leaves_its_reference_alone():
    """Without a target every proposal is accepted, and a multivariate t stays what it is."""
    generator = np.random.default_rng(3)
    t = stats.multivariate_t([1.0, -1.0], [[2.0, 0.5], [0.5, 1.0]], df=5)
    position = t.rvs(40_000, random_state=generator)
    reference = Reference(
        t.loc, np.linalg.cholesky(t.shape), np.linalg.inv(np.linalg.cholesky(t.shape))
    )
    for scale in (0.3, 0.9):
        proposal, log_ratio = reference.propose(position, scale, generator)
        expected = t.logpdf(position) - t.logpdf(proposal)
        np.testing.assert_allclose(log_ratio, expected, atol=1e-9)
        for axis in range(2):
            assert stats.ks_2samp(position[:, axis], proposal[:, axis]).pvalue > 1e-3
