"""Measurements, printed as tables. Figures are ratios or counts from one run on one machine; no test asserts a time."""
