"""Benchmarks: what pepforms costs, as ratios in one run. `make bench` runs them all."""
