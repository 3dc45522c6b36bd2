"""Run every benchmark, one after the other."""

from benchmarks import check, fill, loss, record

fill.main()
check.main()
loss.main()
record.main()
