"""Helpers that several folders share and no field has a word for."""
