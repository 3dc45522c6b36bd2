"""What other systems hold about PEPs, read: the list of PEPs that were written and signed off elsewhere."""
