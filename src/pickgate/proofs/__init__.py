"""Proofs on the real thing: shipped commands as processes of their own, real PostgreSQL, twins over HTTP.

`stage.py` sets an installation up, `truth.py` judges it by the twins' histories, the other modules each break
something and count what it cost. What takes minutes is for `pickgate prove`; the acceptance tests run samples.
Nothing of the product imports this package.
"""
