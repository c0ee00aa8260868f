"""Vectors and tiles as machine instructions; the only place that knows addresses."""
