"""Run every benchmark, one after the other."""

from benchmarks import batch, check, convert, fill, loss, preview, record, scale

fill.main()
check.main()
convert.main()
loss.main()
preview.main()
record.main()
batch.main()
scale.main()
