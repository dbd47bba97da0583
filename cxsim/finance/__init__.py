"""Counts of a simulation in; ledger, statements, returns and the value of information out."""
