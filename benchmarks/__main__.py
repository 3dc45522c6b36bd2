"""Run every benchmark, one after the other."""

from benchmarks import check, fill

fill.main()
check.main()
