"""Carbon–oxygen balance of regions."""

__version__ = "0.1.0"
