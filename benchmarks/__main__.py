"""Run every benchmark, one after the other."""

from benchmarks import check, convert, fill, loss, record

fill.main()
check.main()
convert.main()
loss.main()
record.main()
