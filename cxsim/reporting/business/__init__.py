"""Figures and tables of a business case, one file per subject."""
