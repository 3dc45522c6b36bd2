"""The hand-over: the register's records on their way to the destinations, each once, whatever dies on the way.

`sending` delivers what is due, `deeds` writes down what people and LCS's own list say afterwards, `overview` tells how
things stand.
"""
