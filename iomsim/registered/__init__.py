"""Forecasts registered before the event, and scored after it: one sealed file, its scores, and a ledger of them.

Knows everything below, the scores and baselines of the past among it.  It must not know charts.
"""
