"""bayesurv: Bayesian survival analysis of small clinical cohorts."""
