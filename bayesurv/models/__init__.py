"""Baseline hazards, priors, likelihood and the PyMC model they make."""
