"""Customers, plans and random numbers in; orders, contacts and counts of every arm out, on any number of threads."""
