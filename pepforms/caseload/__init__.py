"""What the Virtual School must keep up with: the weekly list of looked-after children, what is due, the money.

`mapping` and `weekly` read a list, `lists` keeps it in the register, `changes` says what it changes; `differences`
holds it against the PEPs, `holds` stops a copy that it speaks against, `due` says what waits for whom, `chasing` writes
to them, and `ledger` adds up Pupil Premium Plus. Importing the package imports none of them.
"""
