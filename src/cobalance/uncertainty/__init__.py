"""Uncertainty carried through: draws of every assumption, what they do to the results, and which one matters."""
