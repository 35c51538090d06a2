"""The classical analysis beside the Bayesian one."""
