"""A study planned by simulation: what it would find, and how often it would be wrong."""
