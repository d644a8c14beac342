"""Stateful simulators of the systems around Pickgate: Shopify, order-editing apps, Clarus WMS, and the people.

They obey the run-time rules that a schema does not show, keep an append-only history of what truly happened, and
take every vendor UNKNOWN as a knob. Each runs in-process on any clock, or over HTTP. Nothing here imports flows,
store or domain: a twin must not share an opinion with what it tests.
"""
