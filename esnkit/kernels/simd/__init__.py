"""Machine instructions: vectors, tiles and atomic counters; only this folder uses addresses."""
