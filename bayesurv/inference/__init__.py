"""Sampling and its diagnostics; knows PyMC models and draws, not survival."""
