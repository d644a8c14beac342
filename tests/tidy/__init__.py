"""The source tested as a text: layers, banned calls, spelling, documents complete. No behaviour is tested here.

`source.py` finds the files. Every rule is a pure function from a text to its problems, with a table that shows it a
bad text first: a rule that finds nothing in a bad text guards nothing.
"""
