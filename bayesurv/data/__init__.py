"""Cohorts, their checks and their coding."""
