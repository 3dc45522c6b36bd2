"""Run every benchmark, one after the other."""

from benchmarks import check, convert, fill

fill.main()
check.main()
convert.main()
