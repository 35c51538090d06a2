"""Curves, functionals and hazard ratios from posterior draws."""
