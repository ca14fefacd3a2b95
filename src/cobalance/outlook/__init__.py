"""The outlook: activities extrapolated by several models, combined, and tested against the past."""
