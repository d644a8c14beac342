"""Answering GraphQL: documents are checked once, compiled to plain functions, and run over the shop's objects.

`documents` parses, validates and remembers; `plan` compiles selections; `cost` prices them; `readers`, `queries` and
`mutations_*` say how each field is read or done. What a mutation does to the shop lives one folder up.
"""
