"""Run every benchmark, one after the other."""

from benchmarks import fill

fill.main()
