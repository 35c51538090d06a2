"""Counts of events and person-time, made where the patients are and pooled without them."""
