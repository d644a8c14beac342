"""The console: server-rendered pages, log-in and live updates, over the operations.

Templates show what operations answer; forms name an operation and its input. No rule, no filter of its own, no SQL.
"""
