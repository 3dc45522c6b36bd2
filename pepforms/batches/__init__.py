"""Durable batches: many copies asked for at once, each made once, whoever of the workers dies on the way.

The rows of the register are the truth. `asking` writes them, `course` says how a batch stands and changes its course,
`making` makes one item after the other, `worker` finds work and takes over from workers that fell silent, `results`
and `schools` hand out what was made. DBOS carries pieces of work from worker to worker, and nothing rests on it alone:
what it loses is found again from the rows.
"""
