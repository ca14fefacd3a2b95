"""The accounts: sequestration and release, emission and consumption, balance, ecological land, compensation."""
