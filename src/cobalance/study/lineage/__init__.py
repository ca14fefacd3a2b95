"""From a number of the results back to coefficient rows and input cells: the parts behind ``cobalance explain``."""
