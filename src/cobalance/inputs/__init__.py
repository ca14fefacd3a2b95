"""From people's files to the method's tables: statistical tables, region names, boundaries, checks and gaps."""
