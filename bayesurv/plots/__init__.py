"""Figures: each function takes results and returns matplotlib Axes."""
