"""Runs what is due: claims orders and looks at them, settles the inbox, keeps the schedules.

Thin, and knows no vendor. An order is its own queue entry (`worker.py`); every other job is PgQueuer's (`jobs.py`).
"""
