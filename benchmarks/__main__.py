"""Run every benchmark, one after the other."""

from benchmarks import check, fill, record

fill.main()
check.main()
record.main()
