"""Cohorts drawn from what a publication prints of one."""
