"""Figures and tables of a shop and its customers, one file per subject."""
