"""The words that all rooms share: variables, units, labels, tables, errors."""
