"""Run every benchmark, one after the other."""

from benchmarks import check, fill, loss

fill.main()
check.main()
loss.main()
