"""Compare models by the log predictive density of what each was not fitted to."""

import numpy as np


def stacking_weights(pointwise: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
    """Weights of models, adding up to 1, whose mixture predicts best.

    Maximises sum_i share_i log sum_m w_m exp(pointwise[i, m]), `pointwise` of shape
    `(patient, model)` being the log predictive density of each patient when left out. Patients
    count alike unless their `share`, adding up to 1, is given.

    Source: Yao, Vehtari, Simpson and Gelman, Bayesian Analysis 2018.
    """
    from scipy.optimize import minimize

    density = np.exp(pointwise - pointwise.max(axis=1, keepdims=True))
    patients, models = pointwise.shape
    share = np.full(patients, 1 / patients) if share is None else share

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixture = density @ weights
        return -float(share @ np.log(mixture)), -(share / mixture) @ density

    found = minimize(
        loss,
        np.full(models, 1 / models),
        jac=True,
        method="SLSQP",
        bounds=[(1e-12, 1)] * models,  # from above 0, so that each patient has a density
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    weights = np.where(found.x < 1e-6, 0, found.x)
    return weights / weights.sum()


def bootstrapped_weights(pointwise: np.ndarray, draws: int = 400, seed: int = 0) -> np.ndarray:
    """Stacking weights, `(draw, model)`, each with patients weighed by the Bayesian bootstrap.

    They say how far the weights hang on who was in the cohort.

    Source: Rubin, Annals of Statistics 1981.
    """
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(pointwise)), draws)
    return np.stack([stacking_weights(pointwise, share) for share in shares])


def bridge(fitted: np.ndarray, left_out: np.ndarray) -> tuple[float, np.ndarray]:
    """Log predictive density of a left-out patient, from draws with and without the patient.

    `fitted` and `left_out` are the patient's log likelihood under both posteriors, `(chain, draw)`.
    The density is the ratio of their normalising constants, which both estimate; where one
    patient moves the posterior far, the mean over the second alone rests on few draws. Also gives
    the relative error that each pair of draws makes, whose mean is 0.

    Source: Bennett, Journal of Computational Physics 1976; Meng and Wong, Statistica Sinica 1996.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    both = np.concatenate([fitted.ravel(), left_out.ravel()])
    both = both[np.isfinite(both)]

    def gap(level: float) -> float:
        return float(expit(left_out - level).mean() - expit(level - fitted).mean())

    level = brentq(gap, both.min() - 50, both.max() + 50)
    above, below = expit(left_out - level), expit(level - fitted)
    return float(level), above / above.mean() - below / below.mean()


def standard_error(pointwise: np.ndarray) -> float:
    """Standard error of the sum over patients, shape `(patient,)`: sqrt(n) times their sd."""
    return float(np.sqrt(pointwise.size) * pointwise.std(ddof=1))
